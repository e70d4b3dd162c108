/* oxlint-disable vitest/expect-expect -- the assertions are in one function that all cases share */
// The rules of RFC 6455 over a real connection: framing, pings, reserved bits, opcodes, fragments, UTF-8, closing,
// limits. The cases are those that the Autobahn test suite is known for. Each runs against our own connections and
// against those of npm `ws` as `wsEngine`: both have to pass.
import { setImmediate as nextTurn } from "node:timers/promises";

import {
  formatFrame,
  type IncomingFrame,
  OPCODE,
  type OutgoingFrame,
  type RawWebSocket,
} from "@jackfield/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";

import { closureOf, makeEngine, openWebSocket, type WebSocketPair } from "./subject.js";

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** What the server has to answer: opcode and payload of each frame, the latter in hex when it is not text. */
type Answer = readonly [opcode: number, payload: string];

interface Case {
  readonly name: string;
  readonly send: readonly OutgoingFrame[];
  /** Up to the server's close frame, if it closes. */
  readonly answers: readonly Answer[];
  /** Bytes per write. @default all at once */
  readonly pieces?: number;
}

/** Ends the connection, after which nothing may follow. */
const CLOSE_1002: Answer = [close, "03ea"];
const CLOSE_1007: Answer = [close, "03ef"];

function textFrame(payload: string, rest: Partial<OutgoingFrame> = {}): OutgoingFrame {
  return { opcode: text, payload: `4${payload}`, ...rest };
}

function summaryOf({ opcode, payload, text: decoded }: IncomingFrame): Answer {
  return [opcode, opcode === text ? decoded : payload.toString("hex")];
}

/** Opens a session that sends back what it gets. */
async function openEcho(options: object): Promise<WebSocketPair> {
  const pair = await openWebSocket(await makeEngine(options));
  pair.session.on("message", (message: unknown) => pair.session.send(message));
  onTestFinished(() => pair.client.destroy());
  return pair;
}

async function write(client: RawWebSocket, bytes: Buffer, size = bytes.length): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    client.write(bytes.subarray(offset, offset + size));
    // Each piece is a segment of its own.
    await nextTurn();
  }
}

async function take(client: RawWebSocket, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < count) answers.push(summaryOf(await client.nextFrame()));
  return answers;
}

/** Shows that the server closes the connection in turn, and that it sends nothing besides. */
async function expectClose(client: RawWebSocket): Promise<void> {
  client.close(1000);
  expect(await take(client, 1)).toEqual([[close, "03e8"]]);
  await client.closed;
  expect(client.untaken).toEqual([]);
}

const FRAMING: Case[] = [0, 1, 125, 126, 127, 128, 65_535, 65_536].flatMap((size) => {
  const payload = "*".repeat(size);
  const bytes = Buffer.alloc(size, 0xfe);
  const pieces = size > 60_000 ? 997 : 1;
  const asText: Case = { name: "", send: [textFrame(payload)], answers: [[text, `4${payload}`]] };
  const asBytes: Case = {
    name: "",
    send: [{ opcode: binary, payload: bytes }],
    answers: [[binary, bytes.toString("hex")]],
  };
  return [
    { ...asText, name: `text of ${size} bytes` },
    { ...asText, name: `text of ${size} bytes in pieces of ${pieces}`, pieces },
    { ...asBytes, name: `${size} bytes` },
    { ...asBytes, name: `${size} bytes in pieces of ${pieces}`, pieces },
  ];
});

const ODD = Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff]);
const LONGEST = Buffer.alloc(125, 0xfe);
const TEN = Array.from({ length: 10 }, (_, index) => `payload-${index}`);

const PINGS: Case[] = [
  { name: "without a payload", send: [{ opcode: ping }], answers: [[pong, ""]] },
  {
    name: "with text",
    send: [{ opcode: ping, payload: "Hello" }],
    answers: [[pong, Buffer.from("Hello").toString("hex")]],
  },
  {
    name: "with bytes",
    send: [{ opcode: ping, payload: ODD }],
    answers: [[pong, ODD.toString("hex")]],
  },
  {
    name: "of 125 bytes",
    send: [{ opcode: ping, payload: LONGEST }],
    answers: [[pong, LONGEST.toString("hex")]],
  },
  {
    name: "of 125 bytes, byte by byte",
    send: [{ opcode: ping, payload: LONGEST }],
    answers: [[pong, LONGEST.toString("hex")]],
    pieces: 1,
  },
  {
    name: "of 126 bytes",
    send: [{ opcode: ping, payload: Buffer.alloc(126) }],
    answers: [CLOSE_1002],
  },
  {
    name: "behind pongs that nobody asked for",
    send: [{ opcode: pong }, { opcode: pong, payload: "x" }, { opcode: ping, payload: "y" }],
    answers: [[pong, "79"]],
  },
  ...[undefined, 1].map((pieces) => ({
    name: `ten of them, in pieces of ${pieces ?? "any"} bytes`,
    send: TEN.map((payload) => ({ opcode: ping, payload })),
    answers: TEN.map((payload): Answer => [pong, Buffer.from(payload).toString("hex")]),
    ...(pieces === undefined ? {} : { pieces }),
  })),
];

const BROKEN: Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
    [text, binary, ping, pong, close].map((opcode) => ({
      name: `reserved bits ${rsv} on opcode ${opcode}`,
      send: [{ opcode, rsv, payload: opcode === close ? "" : "4a" }],
      answers: [CLOSE_1002],
    })),
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
    { name: `opcode ${opcode}`, send: [{ opcode }], answers: [CLOSE_1002] },
    {
      name: `opcode ${opcode} with a payload, byte by byte`,
      send: [{ opcode, payload: "reserved" }],
      answers: [CLOSE_1002],
      pieces: 1,
    },
  ]),
  ...[text, binary, ping, close].map((opcode) => ({
    name: `opcode ${opcode} without a mask`,
    send: [{ opcode, payload: opcode === close ? "" : "4a", masked: false }],
    answers: [CLOSE_1002],
  })),
];

const FRAGMENTS: Case[] = [
  {
    name: "a ping in fragments",
    send: [
      { opcode: ping, payload: "a", fin: false },
      { opcode: continuation, payload: "b" },
    ],
    answers: [CLOSE_1002],
  },
  {
    name: "a pong in fragments",
    send: [
      { opcode: pong, payload: "a", fin: false },
      { opcode: continuation, payload: "b" },
    ],
    answers: [CLOSE_1002],
  },
  {
    name: "two fragments",
    send: [textFrame("one", { fin: false }), { opcode: continuation, payload: "two" }],
    answers: [[text, "4onetwo"]],
  },
  {
    name: "two fragments, byte by byte",
    send: [textFrame("one", { fin: false }), { opcode: continuation, payload: "two" }],
    answers: [[text, "4onetwo"]],
    pieces: 1,
  },
  {
    name: "a ping between fragments",
    send: [
      textFrame("one", { fin: false }),
      { opcode: ping, payload: "p" },
      { opcode: continuation, payload: "two" },
    ],
    answers: [
      [pong, "70"],
      [text, "4onetwo"],
    ],
  },
  {
    name: "pings between many fragments, byte by byte",
    send: [
      textFrame("1", { fin: false }),
      { opcode: continuation, payload: "2", fin: false },
      { opcode: ping, payload: "p" },
      { opcode: continuation, payload: "3", fin: false },
      { opcode: continuation, payload: "4", fin: false },
      { opcode: ping, payload: "q" },
      { opcode: continuation, payload: "5" },
    ],
    answers: [
      [pong, "70"],
      [pong, "71"],
      [text, "412345"],
    ],
    pieces: 1,
  },
  {
    name: "fragments of bytes, some of them empty",
    send: [
      { opcode: binary, payload: "", fin: false },
      { opcode: continuation, payload: Buffer.from([1, 2]), fin: false },
      { opcode: continuation, payload: "", fin: false },
      { opcode: continuation, payload: "" },
    ],
    answers: [[binary, "0102"]],
  },
  ...[true, false].map((fin) => ({
    name: `a continuation of nothing, ${fin ? "the last one" : "not the last one"}`,
    send: [{ opcode: continuation, payload: "4a", fin }, textFrame("b")],
    answers: [CLOSE_1002],
  })),
  {
    name: "a continuation behind a message",
    send: [
      textFrame("a", { fin: false }),
      { opcode: continuation, payload: "b" },
      { opcode: continuation, payload: "c" },
    ],
    answers: [[text, "4ab"], CLOSE_1002],
  },
  {
    name: "a message within another",
    send: [textFrame("a", { fin: false }), textFrame("b")],
    answers: [CLOSE_1002],
  },
  {
    name: "a binary message within a text",
    send: [textFrame("a", { fin: false }), { opcode: binary, payload: "b" }],
    answers: [CLOSE_1002],
  },
];

const VALID_TEXT = [
  "Hello-µ@ßöäüàá-UTF-8!!",
  "κόσμε",
  "\u0000",
  "\u0080",
  "\u0800",
  "\u{10000}",
  "\u007f",
  "\u07ff",
  "\uffff",
  "\u{10ffff}",
  "\ud7ff",
  "\ue000",
  "\ufffd",
  "\ufeff",
  "\ufffe",
  "\u{1fffe}\u{1ffff}\u{2fffe}\u{10fffe}",
  "𝄞𠀀",
];

const INVALID_TEXT: Record<string, string> = {
  "surrogates behind text that is right": "cebae1bdb9cf83cebcceb5eda080656469746564",
  "a lone continuation byte": "80",
  "the last continuation byte": "bf",
  "six continuation bytes": "80bf80bf80bf",
  "first bytes without the rest": "c020c120c220",
  "two bytes without the last": "c3",
  "three bytes without the last": "e080",
  "four bytes without the last": "f0909f",
  "five bytes": "f888808080",
  "six bytes": "fc8480808080",
  "above all code points": "f4908080",
  "bytes that never occur": "feff",
  "an overlong slash in two bytes": "c0af",
  "an overlong slash in three bytes": "e080af",
  "an overlong slash in four bytes": "f08080af",
  "an overlong null": "c080",
  "the largest overlong in two bytes": "c1bf",
  "the largest overlong in three bytes": "e09fbf",
  "the largest overlong in four bytes": "f08fbfbf",
  "the first surrogate": "eda080",
  "the last surrogate": "edbfbf",
  "a pair of surrogates": "eda080edb080",
};

/** Long enough for text to be looked at in another way. */
const LONG = "a".repeat(200);

const UTF8: Case[] = [
  ...VALID_TEXT.flatMap((value) => {
    const name = Array.from(value, (char) => char.codePointAt(0)?.toString(16)).join(" ");
    const bytes = Buffer.from(`4${value}`);
    return [
      { name: `valid ${name}`, send: [textFrame(value)], answers: [[text, `4${value}`] as Answer] },
      {
        name: `valid ${name}, in a long text`,
        send: [textFrame(LONG + value + LONG)],
        answers: [[text, `4${LONG}${value}${LONG}`] as Answer],
      },
      {
        name: `valid ${name}, each byte a fragment, each byte a write`,
        send: [...bytes].map((byte, index) => ({
          opcode: index === 0 ? text : continuation,
          payload: Buffer.from([byte]),
          fin: index === bytes.length - 1,
        })),
        answers: [[text, `4${value}`] as Answer],
        pieces: 1,
      },
    ];
  }),
  ...Object.entries(INVALID_TEXT).flatMap(([name, hex]) => {
    const bytes = Buffer.concat([Buffer.from("4"), Buffer.from(hex, "hex")]);
    const long = Buffer.concat([Buffer.from(`4${LONG}`), Buffer.from(hex, "hex")]);
    return [
      { name, send: [{ opcode: text, payload: bytes }], answers: [CLOSE_1007] },
      {
        name: `${name}, behind a long text`,
        send: [{ opcode: text, payload: long }],
        answers: [CLOSE_1007],
      },
      {
        name: `${name}, in fragments`,
        send: [
          { opcode: text, payload: bytes.subarray(0, 2), fin: false },
          { opcode: ping, payload: "p" },
          { opcode: continuation, payload: bytes.subarray(2) },
        ],
        answers: [[pong, "70"] as Answer, CLOSE_1007],
      },
    ];
  }),
];

function closeFrame(code: number, reason: Buffer | string = ""): OutgoingFrame {
  const head = Buffer.from([code >> 8, code & 0xff]);
  return { opcode: close, payload: Buffer.concat([head, Buffer.from(reason)]) };
}

/** The answer that repeats what the close frame said. */
function echoOf(frame: OutgoingFrame): Answer {
  return [close, Buffer.from(frame.payload ?? "").toString("hex")];
}

const CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];
const WRONG_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

const CLOSES: Case[] = [
  { name: "without a code", send: [{ opcode: close }], answers: [[close, ""]] },
  ...CODES.map((code) => ({
    name: `with code ${code}`,
    send: [closeFrame(code)],
    answers: [echoOf(closeFrame(code))],
  })),
  {
    name: "with a reason",
    send: [closeFrame(1000, "Ünïcödé ✓")],
    answers: [echoOf(closeFrame(1000, "Ünïcödé ✓"))],
    pieces: 1,
  },
  {
    name: "with the longest reason",
    send: [closeFrame(1000, "*".repeat(123))],
    answers: [echoOf(closeFrame(1000, "*".repeat(123)))],
  },
  {
    name: "with a reason that is too long",
    send: [closeFrame(1000, "*".repeat(124))],
    answers: [CLOSE_1002],
  },
  {
    name: "with half a code",
    send: [{ opcode: close, payload: Buffer.from([3]) }],
    answers: [CLOSE_1002],
  },
  ...WRONG_CODES.map((code) => ({
    name: `with the wrong code ${code}`,
    send: [closeFrame(code)],
    answers: [CLOSE_1002],
  })),
  ...Object.entries(INVALID_TEXT).map(([name, hex]) => ({
    name: `with a reason that is not UTF-8: ${name}`,
    send: [closeFrame(1000, Buffer.from(hex, "hex"))],
    answers: [CLOSE_1007],
  })),
  {
    name: "twice",
    send: [closeFrame(1000), closeFrame(1001)],
    answers: [echoOf(closeFrame(1000))],
  },
  {
    name: "with a ping behind",
    send: [closeFrame(1000), { opcode: ping, payload: "p" }],
    answers: [echoOf(closeFrame(1000))],
  },
  {
    name: "with a message behind",
    send: [closeFrame(1000), textFrame("late")],
    answers: [echoOf(closeFrame(1000))],
  },
  {
    name: "with garbage behind",
    send: [closeFrame(1000), { opcode: 3, rsv: 7 }],
    answers: [echoOf(closeFrame(1000))],
  },
  {
    name: "within a message",
    send: [
      textFrame("a", { fin: false }),
      closeFrame(1000),
      { opcode: continuation, payload: "b" },
    ],
    answers: [echoOf(closeFrame(1000))],
  },
];

const ENGINES: [name: string, options: object][] = [
  ["our own connection", {}],
  ["that of ws", { wsEngine: WebSocketServer }],
];

describe.each(ENGINES)("%s", (_engine, options) => {
  const run = async ({ send, answers, pieces }: Case): Promise<void> => {
    const { client } = await openEcho(options);
    await write(client, Buffer.concat(send.map(formatFrame)), pieces);
    expect(await take(client, answers.length)).toEqual(answers);
    const isClosing = answers.at(-1)?.[0] === close;
    if (isClosing) await client.closed;
    else await expectClose(client);
    expect(client.untaken).toEqual([]);
  };

  test.each(FRAMING)("framing: $name", run);
  test.each(PINGS)("pings: $name", run);
  test.each(BROKEN)("broken: $name", run);
  test.each(FRAGMENTS)("fragments: $name", run);
  test.each(UTF8)("UTF-8: $name", run);
  test.each(CLOSES)("closing: $name", run);

  test("a message of a megabyte comes and goes, in one frame or in many, in pieces of any size", async () => {
    const { client, session } = await openEcho({ ...options, maxHttpBufferSize: 2e6 });
    const bytes = Buffer.alloc(1_000_000, "Jackfield ✓ ");
    for (const parts of [1, 1000]) {
      const size = bytes.length / parts;
      const frames = Array.from({ length: parts }, (_, index) => ({
        opcode: index === 0 ? binary : continuation,
        payload: bytes.subarray(index * size, (index + 1) * size),
        fin: index === parts - 1,
      }));
      await write(client, Buffer.concat(frames.map(formatFrame)), 30_011);
      const { payload } = await client.nextFrame();
      expect(payload.equals(bytes)).toBe(true);
    }
    expect(session.readyState).toBe("open");
  });

  test("a peer that sends its close frame is waited for when the server closes", async () => {
    const { client, session } = await openEcho(options);
    const closed = closureOf(session);
    session.close();
    expect(await take(client, 1)).toEqual([[close, ""]]);
    await client.closed;
    expect(await closed).toEqual({ reason: "forced close", detail: undefined });
  });

  test("a peer that cuts the connection in the middle of a frame is gone", async () => {
    const { client, session } = await openEcho(options);
    const closed = closureOf(session);
    client.write(formatFrame(textFrame("x".repeat(1000))).subarray(0, 500));
    await nextTurn();
    client.destroy();
    expect(await closed).toEqual({ reason: "transport close", detail: undefined });
  });
});
