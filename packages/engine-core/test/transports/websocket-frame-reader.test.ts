import { OPCODE, type OutgoingFrame } from "@jackfield/testkit";
import { expect, test } from "vitest";
import type { FrameError } from "../../src/transports/websocket-frame-error.js";
import { FrameReader, type FrameSink } from "../../src/transports/websocket-frame-reader.js";
import { framesOf, piecesOf } from "./frames.js";

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** Notes what it hears. */
class Notes implements FrameSink {
  readonly all: unknown[] = [];
  error: FrameError | undefined;

  onText(value: string): void {
    this.all.push(value);
  }
  onBinary(data: Buffer): void {
    this.all.push(Buffer.from(data));
  }
  onPing(payload: Buffer): void {
    this.all.push(`ping ${payload.toString()}`);
  }
  onCloseFrame(payload: Buffer): void {
    this.all.push(`close ${payload.toString("hex")}`);
  }
  onFrameError(error: FrameError): void {
    this.error = error;
  }
}

function read(chunks: readonly Buffer[], maxPayload = 1e6) {
  const reader = new FrameReader(maxPayload);
  const notes = new Notes();
  for (const chunk of chunks) reader.push(Buffer.from(chunk), notes);
  return { reader, notes, all: notes.all, error: notes.error };
}

const CONVERSATION: OutgoingFrame[] = [
  { opcode: text, payload: "4hello" },
  { opcode: binary, payload: Buffer.from([0, 1, 0xfe, 0xff]) },
  { opcode: text, payload: "4wörld ✓ 𝄞" },
  { opcode: ping, payload: "are you there" },
  { opcode: text, payload: "" },
  { opcode: binary, payload: "" },
  { opcode: ping },
  { opcode: pong, payload: "nobody asked" },
  { opcode: text, payload: "x".repeat(125) },
  { opcode: text, payload: "y".repeat(126) },
  { opcode: text, payload: `${"z".repeat(300)}é` },
  { opcode: text, payload: "fr\u00e4", fin: false },
  { opcode: ping, payload: "between" },
  { opcode: continuation, payload: "", fin: false },
  { opcode: continuation, payload: "gment", fin: false },
  { opcode: continuation, payload: "" },
  { opcode: binary, payload: Buffer.alloc(70_000, 5), fin: false },
  { opcode: continuation, payload: Buffer.alloc(3, 6) },
  { opcode: binary, payload: "", fin: false },
  { opcode: continuation, payload: "" },
  { opcode: text, payload: "4end" },
];
const HEARD = [
  "4hello",
  Buffer.from([0, 1, 0xfe, 0xff]),
  "4wörld ✓ 𝄞",
  "ping are you there",
  "",
  Buffer.alloc(0),
  "ping ",
  "x".repeat(125),
  "y".repeat(126),
  `${"z".repeat(300)}é`,
  "ping between",
  "frägment",
  Buffer.concat([Buffer.alloc(70_000, 5), Buffer.alloc(3, 6)]),
  Buffer.alloc(0),
  "4end",
];

/** Large buffers are slow to compare deeply. */
function inHex(values: readonly unknown[]): unknown[] {
  return values.map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : value));
}

test.each([1, 2, 3, 5, 6, 7, 13, 64, 131, 1000, 65_536, 1e6])(
  "it does not matter in which pieces frames come: %i bytes",
  (size) => {
    const { all, error, reader } = read(piecesOf(framesOf(...CONVERSATION), size));
    expect(error).toBeUndefined();
    expect(inHex(all)).toEqual(inHex(HEARD));
    expect(reader.isIdle).toBe(true);
  },
);

test("a reader holds nothing between messages, and something within one", () => {
  const reader = new FrameReader(100);
  const notes = new Notes();
  const idle = (...frames: OutgoingFrame[]): boolean => {
    reader.push(framesOf(...frames), notes);
    return reader.isIdle;
  };
  expect(reader.isIdle).toBe(true);
  expect(idle({ opcode: text, payload: "a" })).toBe(true);
  expect(idle({ opcode: text, payload: "", fin: false })).toBe(false);
  expect(idle({ opcode: ping })).toBe(false);
  expect(idle({ opcode: continuation, payload: "b" })).toBe(true);
  reader.push(Buffer.from([0x81]), notes);
  expect(reader.isIdle).toBe(false);
});

test("binary data of a frame that lies in one chunk is not copied", () => {
  const chunk = framesOf({ opcode: binary, payload: Buffer.alloc(500, 1) });
  let data: Buffer | undefined;
  const notes = new Notes();
  notes.onBinary = (heard) => (data = heard);
  new FrameReader(1000).push(chunk, notes);
  expect(data?.buffer).toBe(chunk.buffer);
});

test("what is reserved grows with what has come, not with what was announced", () => {
  const reader = new FrameReader(50_000_000);
  const before = process.memoryUsage().arrayBuffers;
  const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4]);
  const notes = new Notes();
  reader.push(Buffer.concat([header, Buffer.alloc(100)]), notes);
  expect(notes.error).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

test.each<[string, OutgoingFrame[], number]>([
  ["a frame of the size allowed", [{ opcode: text, payload: "x".repeat(50) }], 50],
  [
    "fragments that are as much together",
    [
      { opcode: text, payload: "x".repeat(20), fin: false },
      { opcode: continuation, payload: "x".repeat(30) },
    ],
    50,
  ],
  ["a control frame above the limit for messages", [{ opcode: ping, payload: "abc" }], 2],
])("%s is within the limit", (_what, frames, maxPayload) => {
  const { error, all } = read([framesOf(...frames)], maxPayload);
  expect(error).toBeUndefined();
  expect(all).toHaveLength(1);
});

test.each<[string, OutgoingFrame[]]>([
  ["a short frame", [{ opcode: text, payload: "x".repeat(51) }]],
  ["a long frame", [{ opcode: binary, payload: Buffer.alloc(300) }]],
  ["a very long frame", [{ opcode: binary, payload: Buffer.alloc(70_000) }]],
  [
    "the sum of fragments",
    [
      { opcode: text, payload: "x".repeat(50), fin: false },
      { opcode: continuation, payload: "x" },
    ],
  ],
])("%s above the limit is refused as soon as its length is known", (_what, frames) => {
  const bytes = framesOf(...frames);
  const payload = Buffer.from(frames.at(-1)?.payload ?? "");
  const withoutKey = bytes.subarray(0, bytes.length - payload.length - 4);
  const { error } = read([withoutKey], 50);
  expect(error).toMatchObject({ closeCode: 1009, message: "Max payload size exceeded" });
});

test("a length beyond all numbers is refused", () => {
  const bytes = Buffer.from([0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0]);
  expect(read([bytes], Number.MAX_VALUE).error).toMatchObject({
    closeCode: 1009,
    code: "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
  });
});

test.each<[string, OutgoingFrame[], number, string]>([
  [
    "RSV2",
    [{ opcode: text, rsv: 2, payload: "a" }],
    1002,
    "Invalid WebSocket frame: RSV2 and RSV3 must be clear",
  ],
  [
    "RSV1",
    [{ opcode: text, rsv: 4, payload: "a" }],
    1002,
    "Invalid WebSocket frame: RSV1 must be clear",
  ],
  [
    "a frame without a mask",
    [{ opcode: text, masked: false, payload: "a" }],
    1002,
    "Invalid WebSocket frame: MASK must be set",
  ],
  ["opcode 3", [{ opcode: 3 }], 1002, "Invalid WebSocket frame: invalid opcode 3"],
  ["opcode 11", [{ opcode: 11 }], 1002, "Invalid WebSocket frame: invalid opcode 11"],
  [
    "a continuation of nothing",
    [{ opcode: continuation }],
    1002,
    "Invalid WebSocket frame: invalid opcode 0",
  ],
  [
    "a message within another",
    [{ opcode: text, fin: false }, { opcode: text }],
    1002,
    "Invalid WebSocket frame: invalid opcode 1",
  ],
  [
    "a ping in fragments",
    [{ opcode: ping, fin: false }],
    1002,
    "Invalid WebSocket frame: FIN must be set",
  ],
  [
    "a ping of 126 bytes",
    [{ opcode: ping, payload: "x".repeat(126) }],
    1002,
    "Invalid WebSocket frame: invalid payload length 126",
  ],
  [
    "half a status code",
    [{ opcode: close, payload: "x" }],
    1002,
    "Invalid WebSocket frame: invalid payload length 1",
  ],
  [
    "a status code that may not be sent",
    [{ opcode: close, payload: Buffer.from([3, 0xed]) }],
    1002,
    "Invalid WebSocket frame: invalid status code 1005",
  ],
  [
    "a reason that is not UTF-8",
    [{ opcode: close, payload: Buffer.from([3, 0xe8, 0xff]) }],
    1007,
    "Invalid WebSocket frame: invalid UTF-8 sequence",
  ],
  [
    "text that is not UTF-8",
    [{ opcode: text, payload: Buffer.from([0x34, 0xc3]) }],
    1007,
    "Invalid WebSocket frame: invalid UTF-8 sequence",
  ],
])("%s is an error, and nothing is read behind it", (_what, frames, closeCode, message) => {
  const after: OutgoingFrame = { opcode: text, payload: "after" };
  for (const pieces of [1, 1e6]) {
    const { all, error, reader } = read(piecesOf(framesOf(...frames, after), pieces));
    expect(error).toMatchObject({ closeCode, message });
    expect(error).toBeInstanceOf(RangeError);
    expect(all).toEqual([]);
    expect(reader.isIdle).toBe(false);
  }
});

test("text may be cut within a character, by frames and by chunks", () => {
  const payload = Buffer.from("4✓");
  const frames = [...payload].map((value, index) => ({
    opcode: index === 0 ? text : continuation,
    payload: Buffer.from([value]),
    fin: index === payload.length - 1,
  }));
  expect(read(piecesOf(framesOf(...frames), 1)).all).toEqual(["4✓"]);
});

test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])(
  "a close frame may have the code %i; nothing is read behind it",
  (code) => {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from("bye ✓")]);
    const { all, error } = read([framesOf({ opcode: close, payload }, { opcode: text })]);
    expect(error).toBeUndefined();
    expect(all).toEqual([`close ${payload.toString("hex")}`]);
  },
);

test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
  "a close frame may not have the code %i",
  (code) => {
    const payload = Buffer.from([code >> 8, code & 0xff]);
    expect(read([framesOf({ opcode: close, payload })]).error).toMatchObject({
      closeCode: 1002,
      code: "WS_ERR_INVALID_CLOSE_CODE",
    });
  },
);
