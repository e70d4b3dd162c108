import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as parser from "../src/engine-parser-v3.js";
import type { Packet } from "../src/engine-parser.js";

// The `exports` of the package do not name this parser: only its path leads there.
const require = createRequire(import.meta.url);
const official = require(
  join(dirname(require.resolve("engine.io")), "parser-v3", "index.js"),
) as typeof parser;

const ERROR = { type: "error", data: "parser error" };

/** Text without lone surrogates. */
const text = fc.string({ unit: "binary" });
const textPackets: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ type: fc.constantFrom("open" as const, "ping" as const, "message" as const) }),
  fc.record({ type: fc.constant("message" as const), data: text }),
);
const binaryPackets: fc.Arbitrary<Packet> = fc.record({
  type: fc.constant("message" as const),
  data: fc
    .uint8Array()
    .chain((array) => fc.constantFrom(array, Buffer.from(array), array.slice().buffer)),
});
const packets = fc.oneof(textPackets, binaryPackets);
const flags = fc.constantFrom(true, false, null, undefined);

/** What a callback was called with, each time. */
function collect(call: (callback: (...args: unknown[]) => void) => void): unknown[][] {
  const calls: unknown[][] = [];
  call((...args) => void calls.push(args));
  return calls;
}

/** What a function hands over, once. */
function encodedBy<T = string | Buffer>(call: (callback: (encoded: T) => void) => void): T {
  const results: T[] = [];
  call((encoded) => void results.push(encoded));
  const [result] = results;
  if (result === undefined || results.length > 1) throw new Error("not called once, at once");
  return result;
}

test("the names and numbers are those of engine.io (X13)", () => {
  expect(Object.keys(parser).sort()).toEqual(Object.keys(official).sort());
  expect(parser.protocol).toBe(official.protocol);
  expect(parser.packets).toEqual(official.packets);
});

test("packets are encoded as engine.io encodes them (X13)", () => {
  fc.assert(
    fc.property(packets, flags, flags, (packet, supportsBinary, utf8encode) => {
      const ours = encodedBy((callback) =>
        parser.encodePacket(packet, supportsBinary, utf8encode, callback),
      );
      expect(ours).toStrictEqual(
        encodedBy((callback) =>
          official.encodePacket(packet, supportsBinary, utf8encode, callback),
        ),
      );
      const twoFlags = encodedBy((callback) =>
        parser.encodePacket(packet, supportsBinary, callback),
      );
      expect(twoFlags).toStrictEqual(
        encodedBy((callback) => official.encodePacket(packet, supportsBinary, callback)),
      );
      expect(encodedBy((callback) => parser.encodePacket(packet, callback))).toStrictEqual(
        encodedBy((callback) => official.encodePacket(packet, callback)),
      );
    }),
  );
});

test("packets are encoded as base64 as engine.io does it (X13)", () => {
  fc.assert(
    fc.property(binaryPackets, (packet) => {
      const encoded = encodedBy((callback) => parser.encodeBase64Packet(packet, callback));
      expect(encoded).toBe(encodedBy((callback) => official.encodeBase64Packet(packet, callback)));
      const base64 = encoded.slice(1).toString();
      expect(parser.decodeBase64Packet(base64)).toStrictEqual(official.decodeBase64Packet(base64));
      expect(parser.decodeBase64Packet(base64, "arraybuffer")).toStrictEqual(
        official.decodeBase64Packet(base64, "arraybuffer"),
      );
    }),
  );
});

test("packets are decoded as engine.io decodes them (X13)", () => {
  fc.assert(
    fc.property(packets, flags, flags, (packet, supportsBinary, utf8) => {
      const encoded = encodedBy((callback) =>
        official.encodePacket(packet, supportsBinary, utf8, callback),
      );
      expect(parser.decodePacket(encoded, undefined, utf8)).toStrictEqual(
        official.decodePacket(encoded, undefined, utf8),
      );
      expect(parser.decodePacket(encoded, "arraybuffer", utf8)).toStrictEqual(
        official.decodePacket(encoded, "arraybuffer", utf8),
      );
    }),
  );
});

test("what is no packet gives an error packet (X13)", () => {
  for (const data of ["", "7", "a", undefined]) {
    expect(parser.decodePacket(data)).toStrictEqual(ERROR);
    expect(official.decodePacket(data)).toStrictEqual(ERROR);
  }
  expect(parser.decodePacket("4\u00ff", undefined, true)).toStrictEqual(ERROR);
  expect(official.decodePacket("4\u00ff", undefined, true)).toStrictEqual(ERROR);
});

test("bytes of another type than a message give an error packet", () => {
  expect(parser.decodePacket(Buffer.from([9, 1]))).toStrictEqual(ERROR);
  expect(parser.decodeBase64Packet("9AQ==")).toStrictEqual(ERROR);
});

test("payloads are encoded as engine.io encodes them (X13)", () => {
  fc.assert(
    fc.property(fc.array(packets), fc.boolean(), (list, supportsBinary) => {
      const ours = collect((callback) => parser.encodePayload(list, supportsBinary, callback));
      const theirs = collect((callback) => official.encodePayload(list, supportsBinary, callback));
      expect(ours).toStrictEqual(theirs);
      expect(encodedBy((callback) => parser.encodePayload(list, callback))).toBe(
        encodedBy((callback) => official.encodePayload(list, callback)),
      );
    }),
  );
});

test("the binary form is written as engine.io writes it, also for text alone (X13)", () => {
  fc.assert(
    fc.property(fc.array(packets), (list) => {
      expect(encodedBy((callback) => parser.encodePayloadAsBinary(list, callback))).toEqual(
        encodedBy((callback) => official.encodePayloadAsBinary(list, callback)),
      );
    }),
  );
});

test("payloads are decoded into the packets that engine.io reads from them (X13)", () => {
  fc.assert(
    fc.property(fc.array(packets, { minLength: 1 }), fc.boolean(), (list, isBinary) => {
      const payload: string | Buffer = isBinary
        ? encodedBy((callback) => official.encodePayloadAsBinary(list, callback))
        : encodedBy((callback) => official.encodePayload(list, callback));
      const first = ([packet]: unknown[]): unknown => packet;
      const ours = collect((callback) => parser.decodePayload(payload, undefined, callback));
      const theirs = collect((callback) => official.decodePayload(payload, undefined, callback));
      expect(ours.map(first)).toStrictEqual(theirs.map(first));
      const short = collect((callback) => parser.decodePayload(payload, callback));
      expect(short).toStrictEqual(ours);
    }),
  );
});

test("array buffers are given for the bytes of a payload when they are asked for (X13)", () => {
  const payload = encodedBy<Buffer>((callback) =>
    official.encodePayloadAsBinary([{ type: "message", data: Buffer.from([1, 2]) }], callback),
  );
  const [ours] = collect((callback) =>
    parser.decodePayloadAsBinary(payload, "arraybuffer", callback),
  );
  const [theirs] = collect((callback) =>
    official.decodePayloadAsBinary(payload, "arraybuffer", callback),
  );
  expect(ours).toStrictEqual(theirs);
});

test("the last packet of a payload is the one with the number total - 1 (X13)", () => {
  const calls = collect((callback) => parser.decodePayload("2:4a2:4b2:4c", callback));
  expect(calls.map(([, index, total]) => [index, total])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
  ]);
});

test("bad payloads give what engine.io gives for them (X13)", () => {
  for (const payload of ["", "1:", "a", "1:a2:4a", "2:4a3:4", "!", "0:"]) {
    const first = ([packet]: unknown[]): unknown => packet;
    const ours = collect((callback) => parser.decodePayload(payload, callback));
    const theirs = collect((callback) => official.decodePayload(payload, callback));
    expect(ours.map(first)).toStrictEqual(theirs.map(first));
  }
  expect(collect((callback) => parser.decodePayload("2:4ax", callback))).toStrictEqual([
    [{ type: "message", data: "a" }, 0, 2],
    [ERROR, 0, 1],
  ]);
});

test("false from the callback ends a payload (X13)", () => {
  for (const { decodePayload } of [parser, official]) {
    const seen: Packet[] = [];
    decodePayload("2:4a2:4b", (packet) => {
      seen.push(packet);
      return false;
    });
    expect(seen).toStrictEqual([{ type: "message", data: "a" }]);
  }
});

test("an error packet cannot be encoded", () => {
  expect(() => parser.encodePacket({ type: "error" }, () => {})).toThrow(TypeError);
});
