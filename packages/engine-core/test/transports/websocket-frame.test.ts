import type { Writable } from "node:stream";
import { codecV4 } from "@jackfield/parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as ws from "ws";
import type { OutgoingPacket } from "../../src/codec.js";
import { asciiFrames, encodeFrame, encodeFrames } from "../../src/transports/websocket-frame.js";

function hex(packet: OutgoingPacket, supportsBinary = true): string {
  return encodeFrame(packet, codecV4, supportsBinary).toString("hex");
}

// One cast: the types of `ws` leave out the class that it exports.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
};

/** Reads frames as `ws` reads those of a client, unmasked. */
function readFrames(bytes: Buffer): Promise<(string | Buffer)[]> {
  return new Promise((resolve, reject) => {
    const messages: (string | Buffer)[] = [];
    const receiver = new Receiver({ isServer: false });
    receiver.on("message", (data: Buffer, isBinary: boolean) =>
      messages.push(isBinary ? data : data.toString()),
    );
    receiver.on("error", reject);
    receiver.on("finish", () => resolve(messages));
    receiver.end(bytes);
  });
}

test("a short text message has two bytes of header and its type", () => {
  expect(hex({ type: "message", data: "hello" })).toBe("81063468656c6c6f");
});

test("a message without data is its type alone", () => {
  expect(hex({ type: "message", data: "" })).toBe("810134");
});

test("other packets are encoded by the codec", () => {
  expect(hex({ type: "ping" })).toBe("810132");
  expect(hex({ type: "pong", data: "probe" })).toBe("81063370726f6265");
});

test("bytes are a binary frame without a type (62)", () => {
  expect(hex({ type: "message", data: Buffer.from([1, 2, 3]) })).toBe("8203010203");
});

test("a client without binary support gets base64 text (62)", () => {
  expect(hex({ type: "message", data: Buffer.from([1, 2, 3]) }, false)).toBe("81056241514944");
});

test.each([
  [124, 2],
  [125, 4],
  [65_534, 4],
  [65_535, 10],
])("a message of %i characters has %i bytes of header", (length, header) => {
  const frame = encodeFrame({ type: "message", data: "a".repeat(length) }, codecV4, true);
  expect(frame.length).toBe(header + 1 + length);
});

test("several packets stand one behind the other, encoded before or now", () => {
  const shared: OutgoingPacket = {
    type: "message",
    data: "b",
    frame: Buffer.from("810234FF", "hex"),
  };
  const buffer = encodeFrames(
    [{ type: "message", data: "a" }, shared, { type: "message", data: Buffer.from([9]) }],
    codecV4,
    true,
  );
  expect(buffer.toString("hex")).toBe("81023461810234ff820109");
});

/** Text and bytes apart; vitest compares long buffers slowly. */
function inShort(data: string | Buffer): string {
  return typeof data === "string" ? `text ${data}` : `bytes ${data.toString("hex")}`;
}

test("a peer reads from the frames exactly what was sent", async () => {
  const message = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.integer({ min: 0, max: 70_000 }).map((length) => "é".repeat(length)),
    fc.uint8Array({ maxLength: 70_000 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (messages) => {
      const packets = messages.map((data): OutgoingPacket => ({ type: "message", data }));
      const expected = messages.map((data) =>
        typeof data === "string" ? `4${Buffer.from(data).toString()}` : data,
      );
      const read = await readFrames(encodeFrames(packets, codecV4, true));
      expect(read.map(inShort)).toEqual(expected.map(inShort));
    }),
    { numRuns: 50 },
  );
});

test("messages of ASCII can be a text with a character for each byte", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 300 });
  fc.assert(
    fc.property(fc.array(ascii, { minLength: 1, maxLength: 5 }), (texts) => {
      const packets = texts.map((data): OutgoingPacket => ({ type: "message", data }));
      const frames = Buffer.from(asciiFrames(packets) ?? "", "latin1");
      expect(frames).toEqual(encodeFrames(packets, codecV4, true));
    }),
  );
});

test.each([124, 125, 126, 127, 128, 254, 255, 256, 383, 384, 511, 512, 16_255])(
  "a message of %d characters of ASCII is such a text, alone and with another",
  (length) => {
    const long: OutgoingPacket = { type: "message", data: "x".repeat(length) };
    const short: OutgoingPacket = { type: "message", data: "a" };
    const alone = Buffer.from(asciiFrames([long]) ?? "", "latin1");
    expect(alone).toEqual(encodeFrames([long], codecV4, true));
    const both = Buffer.from(asciiFrames([short, long]) ?? "", "latin1");
    expect(both).toEqual(encodeFrames([short, long], codecV4, true));
  },
);

test.each<[string, OutgoingPacket]>([
  ["beyond ASCII", { type: "message", data: "é" }],
  ["beyond Latin-1", { type: "message", data: "€" }],
  ["bytes", { type: "message", data: Buffer.from("a") }],
  ["another packet", { type: "ping" }],
  ["a frame that is there already", { type: "message", data: "a", frame: Buffer.from("a") }],
  ["a long message", { type: "message", data: "a".repeat(16_380) }],
])("%s is no such text", (_what, packet) => {
  const short: OutgoingPacket = { type: "message", data: "a" };
  expect(asciiFrames([short])).toBe("\x81\x024a");
  expect(asciiFrames([packet])).toBeUndefined();
  expect(asciiFrames([short, packet])).toBeUndefined();
});
