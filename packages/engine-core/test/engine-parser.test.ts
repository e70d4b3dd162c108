import * as official from "engine.io-parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as parser from "../src/engine-parser.js";
import type { BinaryType, Packet, RawData } from "../src/engine-parser.js";

const ERROR = { type: "error", data: "parser error" };

const types = fc.constantFrom(
  "open" as const,
  "close" as const,
  "ping" as const,
  "pong" as const,
  "message" as const,
  "upgrade" as const,
  "noop" as const,
);
const textPackets = fc.record({ type: types, data: fc.string({ unit: "binary" }) });
const barePackets = fc.record({ type: types });
const bytes = fc.uint8Array({ minLength: 1 }).chain((array) =>
  fc.constantFrom<Exclude<RawData, string>>(
    array,
    Buffer.from(array),
    // The bytes alone, whatever lies around the view.
    array.slice().buffer,
    new DataView(array.slice().buffer),
  ),
);
const binaryPackets = fc.record({ type: fc.constant("message" as const), data: bytes });
const packets: fc.Arbitrary<Packet> = fc.oneof(textPackets, barePackets, binaryPackets);
const binaryTypes = fc.constantFrom<BinaryType | undefined>(undefined, "nodebuffer", "arraybuffer");

function encode(packet: Packet, supportsBinary: boolean, by: typeof official = official): unknown {
  let result: unknown;
  by.encodePacket(packet as official.Packet, supportsBinary, (encoded: unknown) => {
    result = encoded;
  });
  return result;
}

function encodeOurs(packet: Packet, supportsBinary: boolean): RawData {
  let result: RawData | undefined;
  parser.encodePacket(packet, supportsBinary, (encoded) => {
    result = encoded;
  });
  if (result === undefined) throw new Error("the callback was not called at once");
  return result;
}

/** Sends values through a stream. */
async function transform<T>(stream: unknown, inputs: readonly unknown[]): Promise<T[]> {
  const { readable, writable } = stream as TransformStream<unknown, T>;
  const writer = writable.getWriter();
  const writing = (async () => {
    for (const input of inputs) await writer.write(input);
    await writer.close();
  })();
  const outputs: T[] = [];
  for await (const output of readable) outputs.push(output);
  await writing;
  return outputs;
}

test("the names are those of engine.io-parser (X12)", () => {
  expect(Object.keys(parser).sort()).toEqual(
    Object.keys(official)
      .filter((name) => name !== "default" && name !== "module.exports")
      .sort(),
  );
  expect(parser.protocol).toBe(official.protocol);
});

test("packets are encoded as engine.io-parser encodes them (X12)", () => {
  fc.assert(
    fc.property(packets, fc.boolean(), (packet, supportsBinary) => {
      expect(encodeOurs(packet, supportsBinary)).toStrictEqual(encode(packet, supportsBinary));
    }),
  );
});

test("bytes for a peer that takes them stay the same object", () => {
  const data = new Uint8Array([1, 2]);
  expect(encodeOurs({ type: "message", data }, true)).toBe(data);
});

test("what callers without types give is sent as text (X12)", () => {
  for (const data of [5, 0, null, true, ""]) {
    const packet = { type: "message", data } as Packet;
    expect(encodeOurs(packet, true)).toBe(encode(packet, true));
  }
});

test("packets are decoded as engine.io-parser decodes them (X12)", () => {
  fc.assert(
    fc.property(packets, fc.boolean(), binaryTypes, (packet, supportsBinary, binaryType) => {
      const encoded = encodeOurs(packet, supportsBinary);
      // The original gives the whole buffer below a view that is no Buffer.
      if (ArrayBuffer.isView(encoded) && !Buffer.isBuffer(encoded)) return;
      expect(parser.decodePacket(encoded, binaryType)).toStrictEqual(
        official.decodePacket(encoded, binaryType),
      );
    }),
  );
});

test("text that is no packet gives an error packet (X12)", () => {
  for (const text of ["", "7", "a", "x1", "\u001e", "-1"]) {
    expect(parser.decodePacket(text)).toStrictEqual(ERROR);
    expect(official.decodePacket(text)).toStrictEqual(ERROR);
  }
});

test("an array buffer of a view holds only what the view shows", () => {
  const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const { data } = parser.decodePacket(view, "arraybuffer");
  expect(data).toStrictEqual(new Uint8Array([2, 3]).buffer);
});

test("payloads are encoded as engine.io-parser encodes them (X12)", () => {
  fc.assert(
    fc.property(fc.array(packets, { minLength: 1 }), (list) => {
      const results: unknown[] = [];
      parser.encodePayload(list, (payload) => results.push(payload));
      official.encodePayload(list as official.Packet[], (payload) => results.push(payload));
      expect(results[0]).toBe(results[1]);
      expect(results).toHaveLength(2);
    }),
  );
});

test("a payload of no packets is empty text", () => {
  const results: unknown[] = [];
  parser.encodePayload([], (payload) => results.push(payload));
  expect(results).toEqual([""]);
});

test("payloads are decoded as engine.io-parser decodes them (X12)", () => {
  const pieces = fc.oneof(
    fc.string(),
    fc.constantFrom("4a", "2", "bAQID", "4", "", "9", "4\u2028", "b"),
  );
  fc.assert(
    fc.property(fc.array(pieces), binaryTypes, (list, binaryType) => {
      const payload = list.join("\u001e");
      expect(parser.decodePayload(payload, binaryType)).toStrictEqual(
        official.decodePayload(payload, binaryType),
      );
    }),
  );
});

test("the first bad packet ends a payload (X12)", () => {
  expect(parser.decodePayload("4a\u001ex\u001e4b")).toStrictEqual([
    { type: "message", data: "a" },
    ERROR,
  ]);
});

test("an error packet cannot be encoded", () => {
  const packet: Packet = { type: "error", data: "parser error" };
  expect(() => encodeOurs(packet, true)).toThrow(TypeError);
  expect(() => parser.encodePayload([packet], () => {})).toThrow(TypeError);
});

test("the encoder stream writes the frames of engine.io-parser (X12)", async () => {
  const list: Packet[] = [
    { type: "open" },
    { type: "message", data: "é" },
    { type: "message", data: new Uint8Array([1, 2, 3]) },
    { type: "message", data: Buffer.alloc(200, 7) },
    { type: "message", data: "a".repeat(70_000) },
  ];
  const ours = await transform<Uint8Array>(parser.createPacketEncoderStream(), list);
  const theirs = await transform<Uint8Array>(official.createPacketEncoderStream(), list);
  expect(Buffer.concat(ours)).toEqual(Buffer.concat(theirs));
});

test("the decoder stream of engine.io-parser takes no bytes as an empty message", async () => {
  const list: Packet[] = [{ type: "message", data: Buffer.alloc(0) }];
  const frames = await transform<Uint8Array>(parser.createPacketEncoderStream(), list);
  const decoder = official.createPacketDecoderStream(100, "nodebuffer");
  expect(await transform(decoder, frames)).toEqual(list);
});

test("the decoder stream reads frames however they are cut (X12)", async () => {
  const list: Packet[] = [
    { type: "open" },
    { type: "message", data: "é" },
    { type: "message", data: Buffer.from([1, 2, 3]) },
  ];
  const stream = Buffer.concat(
    await transform<Uint8Array>(official.createPacketEncoderStream(), list),
  );
  const single = Array.from(stream, (byte) => Uint8Array.of(byte));
  expect(await transform(parser.createPacketDecoderStream(100), single)).toEqual(list);
  expect(await transform(parser.createPacketDecoderStream(100), [stream])).toEqual(list);
  const [, , message] = await transform<Packet>(
    parser.createPacketDecoderStream(100, "arraybuffer"),
    [stream],
  );
  expect(message?.data).toStrictEqual(new Uint8Array([1, 2, 3]).buffer);
});

test("a frame that is too long gives one error packet, and nothing after it (X12)", async () => {
  const frames = [Uint8Array.of(1, 0x32), Uint8Array.of(4, 0x34), Uint8Array.of(1, 0x32)];
  expect(await transform(parser.createPacketDecoderStream(3), frames)).toEqual([
    { type: "ping" },
    ERROR,
  ]);
  const [first, second] = await transform(
    official.createPacketDecoderStream(3, "nodebuffer"),
    frames,
  );
  expect([first, second]).toEqual([{ type: "ping" }, ERROR]);
});

test("a frame that holds no packet gives an error packet, and reading goes on (X12)", async () => {
  const frames = [Uint8Array.of(1, 0x39), Uint8Array.of(1, 0x32)];
  const expected = [ERROR, { type: "ping" }];
  expect(await transform(parser.createPacketDecoderStream(3), frames)).toEqual(expected);
  const stream = official.createPacketDecoderStream(3, "nodebuffer");
  expect(await transform(stream, frames)).toEqual(expected);
});
