import { createPacketDecoderStream, createPacketEncoderStream } from "engine.io-parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codecV4 } from "../../src/engine/codec-v4.js";
import { encodeFrameHeader, FrameDecoder } from "../../src/engine/framing.js";
import type { EnginePacket, RawData } from "../../src/engine/packet.js";
import { PacketError } from "../../src/errors.js";

const MAX_PAYLOAD = 100_000;

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

function decodeAll(
  chunks: Iterable<Uint8Array>,
  decoder: FrameDecoder = new FrameDecoder(MAX_PAYLOAD),
): { frames: RawData[]; error: unknown } {
  const frames: RawData[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk, (frame) => {
        frames.push(frame);
      });
    }
  } catch (error) {
    return { frames, error };
  }
  return { frames, error: undefined };
}

function encodeFrame(frame: RawData): Buffer {
  const payload = typeof frame === "string" ? Buffer.from(frame) : frame;
  return Buffer.concat([encodeFrameHeader(payload.length, typeof frame !== "string"), payload]);
}

function* cut(stream: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let start = 0;
  for (const length of lengths) {
    yield stream.subarray(start, start + length);
    start += length;
  }
  yield stream.subarray(start);
}

/** Sends values through one of the official streams. */
async function transform<T>(
  stream: ReturnType<typeof createPacketEncoderStream>,
  inputs: Iterable<unknown>,
): Promise<T[]> {
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

test.each([
  [0, false, "00"],
  [0, true, "80"],
  [1, false, "01"],
  [125, false, "7d"],
  [125, true, "fd"],
  [126, false, "7e 00 7e"],
  [126, true, "fe 00 7e"],
  [65_535, true, "fe ff ff"],
  [65_536, false, "7f 00 00 00 00 00 01 00 00"],
  [65_536, true, "ff 00 00 00 00 00 01 00 00"],
  [2 ** 32 - 1, false, "7f 00 00 00 00 ff ff ff ff"],
  [2 ** 32, false, "7f 00 00 00 01 00 00 00 00"],
  [Number.MAX_SAFE_INTEGER, true, "ff 00 1f ff ff ff ff ff ff"],
])("the header of %i bytes (binary: %s) is %s", (length, isBinary, digits) => {
  expect(encodeFrameHeader(length, isBinary)).toEqual(hex(digits));
});

test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("%d is no length", (length) => {
  expect(() => encodeFrameHeader(length, false)).toThrow(RangeError);
});

test("frames are text or bytes, as their headers say", () => {
  const { frames } = decodeAll([hex("06 34 68 65 6c 6c 6f 83 01 02 03 07 34 f0 9f 90 a2 c3 a9")]);
  expect(frames).toEqual(["4hello", hex("01 02 03"), "4🐢é"]);
});

test("a binary message may be empty", () => {
  const empty = Buffer.alloc(0);
  expect(decodeAll([hex("80"), hex("01 36 80 80"), hex("fe 00 00")])).toEqual({
    frames: [empty, "6", empty, empty, empty],
    error: undefined,
  });
});

test.each(["01 34", "7e 00 01 34", "7f 00 00 00 00 00 00 00 01 34"])(
  "the length in %s is read, though it may have a shorter form",
  (digits) => {
    expect(decodeAll([hex(digits)]).frames).toEqual(["4"]);
  },
);

test("a frame within one chunk is not copied", () => {
  const chunk = hex("01 34 82 01 02");
  const { frames } = decodeAll([chunk]);
  chunk[3] = 7;
  expect(frames[1]).toEqual(hex("07 02"));
});

test("a chunk may be part of a larger buffer", () => {
  const chunk = new Uint8Array(Uint8Array.of(0xff, 0x82, 1, 2, 0xff).buffer, 1, 3);
  expect(decodeAll([chunk]).frames).toEqual([hex("01 02")]);
});

test("a frame is handed over as soon as its last byte is there", () => {
  const decoder = new FrameDecoder(MAX_PAYLOAD);
  const pieces = ["", "7e", "00", "", "02", "34", "61 01", "36"];
  expect(pieces.map((piece) => decodeAll([hex(piece)], decoder).frames)).toEqual([
    [],
    [],
    [],
    [],
    [],
    [],
    ["4a"],
    ["6"],
  ]);
});

test("a payload of exactly the limit is accepted, one byte more is refused from the header on", () => {
  for (const limit of [1, 125, 126, 65_535, 65_536]) {
    const most = Buffer.alloc(limit, 7);
    expect(decodeAll([encodeFrame(most)], new FrameDecoder(limit)).frames).toEqual([most]);
    const { frames, error } = decodeAll(
      [hex("01 36"), encodeFrameHeader(limit + 1, true)],
      new FrameDecoder(limit),
    );
    expect(frames).toEqual(["6"]);
    expect(error).toMatchObject({ name: "PacketError", code: "ERR_PACKET_PAYLOAD" });
  }
});

test.each(["00 20 00 00 00 00 00 00", "00 20 00 00 00 00 00 01", "80 00 00 00 00 00 00 00"])(
  "a length of 0x%s is refused whatever the limit",
  (length) => {
    for (const limit of [MAX_PAYLOAD, Number.MAX_SAFE_INTEGER, 2 ** 63, Infinity]) {
      const { error } = decodeAll([hex("ff" + length)], new FrameDecoder(limit));
      expect(error).toMatchObject({ name: "PacketError", code: "ERR_PACKET_PAYLOAD" });
    }
  },
);

test("the highest length there can be is waited for if the limit allows it", () => {
  const header = encodeFrameHeader(Number.MAX_SAFE_INTEGER, true);
  const { frames, error } = decodeAll([header, Buffer.alloc(100)], new FrameDecoder(Infinity));
  expect({ frames, error }).toEqual({ frames: [], error: undefined });
});

test.each(["00", "7e 00 00", "7f 00 00 00 00 00 00 00 00"])(
  "the empty text %s is refused",
  (zero) => {
    const { frames, error } = decodeAll([hex("01 36" + zero + "01 36")]);
    expect(frames).toEqual(["6"]);
    expect(error).toMatchObject({ name: "PacketError", code: "ERR_PACKET_TYPE" });
  },
);

test("what arrives behind a violation is ignored", () => {
  const decoder = new FrameDecoder(MAX_PAYLOAD);
  expect(decodeAll([hex("00")], decoder).error).toBeInstanceOf(PacketError);
  expect(decodeAll([hex("01 36"), hex("00")], decoder)).toEqual({ frames: [], error: undefined });
});

test("what follows a frame that is the last one wanted is ignored, however bad", () => {
  const decoder = new FrameDecoder(MAX_PAYLOAD);
  const frames: RawData[] = [];
  decoder.push(hex("01 36 01 31 01 36 00"), (frame) => {
    frames.push(frame);
    return frame !== "1";
  });
  expect(frames).toEqual(["6", "1"]);
  expect(decodeAll([hex("01 36 00")], decoder)).toEqual({ frames: [], error: undefined });
});

test("an error of the receiver passes, and ends the decoding", () => {
  const decoder = new FrameDecoder(MAX_PAYLOAD);
  const failure = new Error("receiver");
  expect(() => {
    decoder.push(hex("01 36 01 36"), () => {
      throw failure;
    });
  }).toThrow(failure);
  expect(decodeAll([hex("01 36")], decoder).frames).toEqual([]);
});

test("many frames come out of one chunk", () => {
  const count = 50_000;
  const { frames } = decodeAll([Buffer.alloc(2 * count, hex("01 36"))]);
  expect(frames).toHaveLength(count);
});

test("a long frame may arrive byte by byte", () => {
  const frame = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => i * 7));
  const stream = encodeFrame(frame);
  const chunks = Array.from(stream, (_, i) => stream.subarray(i, i + 1));
  const { frames } = decodeAll(chunks, new FrameDecoder(frame.length));
  expect(frames).toHaveLength(1);
  expect(frame.equals(frames[0] as Buffer)).toBe(true);
});

test("a long frame may arrive in small and large pieces by turns", () => {
  const frame = Buffer.from(Array.from({ length: 99_999 }, (_, i) => i * 7));
  const lengths = Array.from({ length: 90 }, (_, i) => [1, 1024, 1023, 5000, 4095][i % 5] ?? 0);
  const { frames } = decodeAll(cut(encodeFrame(frame), lengths));
  expect(frames).toHaveLength(1);
  expect(frame.equals(frames[0] as Buffer)).toBe(true);
});

test("no memory is set aside for a frame that is only announced", () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 10 }, () => new FrameDecoder(100_000_000));
  for (const decoder of decoders) {
    decodeAll([encodeFrameHeader(100_000_000, true), Buffer.alloc(1)], decoder);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
});

const unit = fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), fc.constant("🐢"));
const packet: fc.Arbitrary<EnginePacket> = fc.oneof(
  fc.record({
    type: fc.constantFrom("open", "close", "ping", "pong", "message", "upgrade", "noop"),
    data: fc.option(fc.string({ unit, minLength: 1 }), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant("message" as const),
    data: fc
      .tuple(fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(125, 126, 65_535, 65_536)), fc.nat(255))
      .map(([length, byte]) => Buffer.alloc(length, byte)),
  }),
);
const lengths = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 5000 })));

/** Packets in a form that is compared fast, long buffers included. */
function outline(packets: readonly EnginePacket[]): unknown[] {
  return packets.map(({ type, data }) =>
    Buffer.isBuffer(data) ? [type, data.length, data.toString("latin1")] : [type, data],
  );
}

test("frames are encoded as by the official encoder, and decoded however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(packet), lengths, async (packets, cuts) => {
      const stream = Buffer.concat(packets.map((p) => encodeFrame(codecV4.encodePacket(p, true))));
      const theirs = await transform<Uint8Array>(createPacketEncoderStream(), packets);
      expect(stream.equals(Buffer.concat(theirs))).toBe(true);
      const { frames, error } = decodeAll(cut(stream, cuts));
      expect(error).toBeUndefined();
      const decoded = frames.map((frame) => codecV4.decodePacket(frame));
      expect(outline(decoded)).toEqual(outline(packets));
    }),
  );
});

test("frames are decoded by the official decoder, if there is something in them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(packet.filter(({ data }) => data?.length !== 0)),
      // The official decoder does not expect chunks of nothing.
      lengths.map((list) => list.filter((length) => length > 0)),
      async (packets, cuts) => {
        const frames = packets.map((p) => encodeFrame(codecV4.encodePacket(p, true)));
        const chunks = [...cut(Buffer.concat(frames), cuts)].filter(({ length }) => length > 0);
        const decoder = createPacketDecoderStream(MAX_PAYLOAD, "nodebuffer");
        const decoded = await transform<EnginePacket>(decoder, chunks);
        expect(outline(decoded)).toEqual(outline(packets));
      },
    ),
    // It copies one byte after the other.
    { numRuns: 30 },
  );
});

test("of a stream that is cut off at any byte, the complete frames are handed over", () => {
  const pieces: RawData[] = ["4é", Buffer.alloc(0), Buffer.alloc(130, 5), "2probe"];
  const stream = Buffer.concat(pieces.map(encodeFrame));
  const ends = pieces.map((_, i) => Buffer.concat(pieces.slice(0, i + 1).map(encodeFrame)).length);
  for (let end = 0; end <= stream.length; end++) {
    const complete = pieces.slice(0, ends.filter((other) => other <= end).length);
    const decoder = new FrameDecoder(MAX_PAYLOAD);
    expect(decodeAll([stream.subarray(0, end)], decoder)).toEqual({
      frames: complete,
      error: undefined,
    });
    // Nothing is lost at the cut either.
    expect(decodeAll([stream.subarray(end)], decoder).frames).toEqual(
      pieces.slice(complete.length),
    );
  }
});

test("arbitrary bytes are decoded alike in one chunk and in many, with nothing but packet errors", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), lengths, (bytes, cuts) => {
      const stream = Buffer.from(bytes);
      const whole = decodeAll([stream], new FrameDecoder(200));
      expect(whole.error === undefined || whole.error instanceof PacketError).toBe(true);
      expect(decodeAll(cut(stream, cuts), new FrameDecoder(200))).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});
