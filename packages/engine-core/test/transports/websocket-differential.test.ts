import type { IncomingMessage } from "node:http";
import { formatFrame, OPCODE, type OutgoingFrame } from "@jackfield/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Server, type ServerOptions } from "../../src/index.js";
import { FakeStream } from "../fake-stream.js";

// The same bytes, in the same pieces, to two engines: one with our connections, one with those of npm
// `ws`, which are there as soon as compression is allowed; the peer does not ask for it. Every byte of
// the answers, every message and the end of the session have to be the same.

const MAX_PAYLOAD = 500;

const REQUEST = {
  method: "GET",
  url: "/engine.io/?EIO=4&transport=websocket",
  headers: {
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  },
} as unknown as IncomingMessage;

/** What a peer sends, and whether it ends the stream after that. */
interface Script {
  readonly chunks: readonly Buffer[];
  /** The message upon which the server closes the session. */
  readonly closeUpon: string;
}

async function play({ chunks, closeUpon }: Script, options: ServerOptions) {
  const engine = new Server({ ...options, maxHttpBufferSize: MAX_PAYLOAD });
  engine.generateId = () => "sid";
  const heard: unknown[] = [];
  engine.on("connection", (session) => {
    session.on("message", (data) => {
      heard.push(typeof data === "string" ? data : data.toString("hex"));
      session.send(data);
      if (data === closeUpon) session.close();
    });
    session.on("close", (reason, description) => heard.push([reason, description?.message]));
  });
  const stream = new FakeStream();
  engine.handleUpgrade(REQUEST, stream, Buffer.alloc(0));
  await stream.receive(...chunks.map((chunk) => Buffer.from(chunk)));
  const outcome = { output: stream.output.toString("hex"), hasEnded: stream.hasEnded };
  await stream.receiveEnd();
  // `ws` is some turns late with the end.
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return { ...outcome, heard, destroyed: stream.destroyed, rest: stream.output.toString("hex") };
}

async function expectSame(script: Script): Promise<void> {
  const theirs = await play(script, { perMessageDeflate: true });
  expect(await play(script, {})).toEqual(theirs);
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("4a", "4close me", "4héllo ✓", "2", "3", "1", "x", "") },
  { weight: 3, arbitrary: fc.string({ maxLength: 40 }).map((value) => `4${value}`) },
  { weight: 1, arbitrary: fc.nat({ max: 600 }).map((size) => `4${"é".repeat(size / 2)}`) },
);
const bytes = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.nat({ max: 600 }).map((size) => new Uint8Array(size).fill(0xf0)) },
);
const anyPayload = fc.oneof(
  text.map((value) => Buffer.from(value)),
  bytes.map((value) => Buffer.from(value)),
);
const message = fc.oneof(
  text.map((payload): OutgoingFrame[] => [{ opcode: OPCODE.text, payload }]),
  bytes.map((value): OutgoingFrame[] => [{ opcode: OPCODE.binary, payload: Buffer.from(value) }]),
);
const control = fc
  .tuple(fc.constantFrom(OPCODE.ping, OPCODE.pong), fc.uint8Array({ maxLength: 125 }))
  .map(([opcode, payload]): OutgoingFrame => ({ opcode, payload: Buffer.from(payload) }));
const fragmented = fc
  .tuple(anyPayload, fc.array(fc.nat({ max: 600 }), { maxLength: 4 }), fc.option(control))
  .map(([payload, cuts, between]) => {
    const frames: OutgoingFrame[] = [];
    let start = 0;
    for (const cut of cuts.map((value) => value % (payload.length + 1)).sort((a, b) => a - b)) {
      frames.push({
        opcode: frames.length === 0 ? OPCODE.text : 0,
        payload: payload.subarray(start, cut),
        fin: false,
      });
      start = cut;
    }
    if (frames.length > 0 && between !== null) frames.push(between);
    const isFirst = frames.length === 0;
    frames.push({ opcode: isFirst ? OPCODE.text : 0, payload: payload.subarray(start) });
    return frames;
  });
const closing = fc
  .tuple(
    fc.constantFrom(undefined, 1000, 1001, 1005, 1011, 1015, 3000, 5000, 0),
    fc.uint8Array({ maxLength: 8 }),
  )
  .map(([code, reason]): OutgoingFrame[] => [
    {
      opcode: OPCODE.close,
      payload:
        code === undefined
          ? ""
          : Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]),
    },
  ]);
const wild = fc
  .record({
    opcode: fc.nat({ max: 15 }),
    fin: fc.boolean(),
    rsv: fc.constantFrom(0, 0, 0, 0, 1, 2, 4),
    masked: fc.constantFrom(true, true, true, false),
    payload: anyPayload,
  })
  .map((frame): OutgoingFrame[] => [frame]);
const garbage = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((value) => Buffer.from(value));

const script: fc.Arbitrary<Script> = fc
  .record({
    parts: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: message },
        { weight: 4, arbitrary: fragmented },
        { weight: 2, arbitrary: control.map((frame) => [frame]) },
        { weight: 1, arbitrary: closing },
        { weight: 1, arbitrary: wild },
        { weight: 1, arbitrary: garbage },
      ),
      { minLength: 1, maxLength: 8 },
    ),
    cuts: fc.array(fc.nat({ max: 2000 }), { maxLength: 12 }),
  })
  .map(({ parts, cuts }) => {
    const wire = Buffer.concat(
      parts.map((part) =>
        Buffer.isBuffer(part) ? part : Buffer.concat(part.map((frame) => formatFrame(frame))),
      ),
    );
    const chunks: Buffer[] = [];
    let start = 0;
    for (const cut of cuts.map((value) => value % (wire.length + 1)).sort((a, b) => a - b)) {
      if (cut > start) chunks.push(wire.subarray(start, cut));
      start = Math.max(start, cut);
    }
    if (start < wire.length) chunks.push(wire.subarray(start));
    return { chunks, closeUpon: "close me" };
  });

// A run takes a few milliseconds; the machine may be busy.
const TIMEOUT_MS = 60_000;

test("whatever a peer sends, our answers are those of ws", { timeout: TIMEOUT_MS }, async () => {
  await fc.assert(fc.asyncProperty(script, expectSame), { seed: 6455, numRuns: 400 });
});

test("the same, in pieces of one byte", { timeout: TIMEOUT_MS }, async () => {
  const byBytes = script.map(({ chunks, closeUpon }) => ({
    chunks: Array.from(Buffer.concat(chunks).subarray(0, 300), (byte) => Buffer.from([byte])),
    closeUpon,
  }));
  await fc.assert(fc.asyncProperty(byBytes, expectSame), { seed: 6455, numRuns: 60 });
});
