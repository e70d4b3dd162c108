import fc from "fast-check";
import { expect, test } from "vitest";
import { codecV4 } from "../../src/engine/codec-v4.js";
import type { EnginePacket, RawData } from "../../src/engine/packet.js";
import { PacketError } from "../../src/errors.js";

function decodeAll(payload: RawData): { packets: EnginePacket[]; error: unknown } {
  const packets: EnginePacket[] = [];
  try {
    codecV4.decodePayload(payload, (packet) => {
      packets.push(packet);
      return true;
    });
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: undefined };
}

const TEXTS: [string, EnginePacket][] = [
  ['0{"sid":"abc"}', { type: "open", data: '{"sid":"abc"}' }],
  ["1", { type: "close" }],
  ["2", { type: "ping" }],
  ["2probe", { type: "ping", data: "probe" }],
  ["3probe", { type: "pong", data: "probe" }],
  ["4", { type: "message" }],
  ["4hello", { type: "message", data: "hello" }],
  ["4żółw 🐢", { type: "message", data: "żółw 🐢" }],
  ["5", { type: "upgrade" }],
  ["6", { type: "noop" }],
];

test("it is the codec of protocol 4", () => {
  expect(codecV4.protocol).toBe(4);
});

test.each(TEXTS)("%j is a packet in both directions", (text, packet) => {
  expect(codecV4.encodePacket(packet, true)).toBe(text);
  expect(codecV4.decodePacket(text)).toEqual(packet);
});

test("an empty message is encoded without data", () => {
  expect(codecV4.encodePacket({ type: "message", data: "" }, true)).toBe("4");
});

test("a binary message is its bare bytes, and no copy of them", () => {
  const data = Buffer.from("0102", "hex");
  expect(codecV4.encodePacket({ type: "message", data }, true)).toBe(data);
  expect(codecV4.decodePacket(data)).toEqual({ type: "message", data });
  expect(codecV4.decodePacket(data).data).toBe(data);
});

test("a binary message is base64 for a peer without binary support", () => {
  const data = Buffer.from("01020304", "hex");
  expect(codecV4.encodePacket({ type: "message", data }, false)).toBe("bAQIDBA==");
  expect(codecV4.decodePacket("bAQIDBA==")).toEqual({ type: "message", data });
});

test("base64 of nothing is a message of no bytes", () => {
  expect(codecV4.decodePacket("b")).toEqual({ type: "message", data: Buffer.alloc(0) });
});

test.each(["", "7", "9", "a", "B", " 4", "-1", "\u001e", "\ud800"])("%j is no packet", (text) => {
  expect(() => codecV4.decodePacket(text)).toThrow(
    expect.objectContaining({ name: "PacketError", code: "ERR_PACKET_TYPE" }),
  );
});

test("the packets of a payload are joined by U+001E, bytes are base64 in any case", () => {
  const packets: EnginePacket[] = [
    { type: "message", data: "hi" },
    { type: "message", data: Buffer.from("01020304", "hex") },
    { type: "noop" },
  ];
  const payload = "4hi\u001ebAQIDBA==\u001e6";
  expect(codecV4.encodePayload(packets, true)).toBe(payload);
  expect(codecV4.encodePayload(packets, false)).toBe(payload);
  expect(decodeAll(payload)).toEqual({ packets, error: undefined });
});

test("a payload of one packet has no separator", () => {
  expect(codecV4.encodePayload([{ type: "ping" }], true)).toBe("2");
  expect(decodeAll("2").packets).toEqual([{ type: "ping" }]);
});

test("a payload of bytes is UTF-8 text", () => {
  expect(decodeAll(Buffer.from("4żółw\u001e4🐢"))).toEqual({
    packets: [
      { type: "message", data: "żółw" },
      { type: "message", data: "🐢" },
    ],
    error: undefined,
  });
});

test.each(["", Buffer.alloc(0)])("an empty payload is an error", (payload) => {
  const { packets, error } = decodeAll(payload);
  expect(packets).toEqual([]);
  expect(error).toMatchObject({ code: "ERR_PACKET_TYPE" });
});

test.each(["4a\u001e4b\u001e9\u001e4c", "4a\u001e4b\u001e", "4a\u001e4b\u001e\u001e4c"])(
  "the packets before the bad one of %j are handed over, those behind it are not",
  (payload) => {
    const { packets, error } = decodeAll(payload);
    expect(packets.map((packet) => packet.data)).toEqual(["a", "b"]);
    expect(error).toBeInstanceOf(PacketError);
  },
);

test("decoding stops when a packet is not wanted, so that what follows may be bad", () => {
  const types: string[] = [];
  codecV4.decodePayload("4a\u001e1\u001e9", ({ type }) => {
    types.push(type);
    return type !== "close";
  });
  expect(types).toEqual(["message", "close"]);
});

test("an error of the receiver ends the decoding, and is not taken for one of the payload", () => {
  const failure = new Error("receiver");
  expect(() =>
    codecV4.decodePayload("4a\u001e4b", () => {
      throw failure;
    }),
  ).toThrow(failure);
});

const message = fc.record({
  type: fc.constant("message" as const),
  data: fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("\u001e")),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
});
const bare = fc.record({
  type: fc.constantFrom("open", "close", "ping", "pong", "upgrade", "noop"),
});
const packet: fc.Arbitrary<EnginePacket> = fc.oneof(message, bare);

test("every packet is decoded to what was encoded", () => {
  fc.assert(
    fc.property(packet, fc.boolean(), (original, supportsBinary) => {
      expect(codecV4.decodePacket(codecV4.encodePacket(original, supportsBinary))).toEqual(
        original,
      );
    }),
  );
});

test("every payload is decoded to what was encoded", () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1 }), (packets) => {
      expect(decodeAll(codecV4.encodePayload(packets, false)).packets).toEqual(packets);
    }),
  );
});

test("whatever arrives, the pieces before the first bad one are handed over", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("4a", "2probe", "bAA==", "9", ""),
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join("\u001e")),
      (payload) => {
        const pieces = payload.split("\u001e");
        const bad = pieces.findIndex((text) => !/^[0-6b]/.test(text));
        const { packets, error } = decodeAll(payload);
        expect(packets).toHaveLength(bad === -1 ? pieces.length : bad);
        expect(error instanceof PacketError).toBe(bad !== -1);
      },
    ),
  );
});

test("arbitrary bytes throw nothing but packet errors", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const { error } = decodeAll(Buffer.from(bytes));
      expect(error === undefined || error instanceof PacketError).toBe(true);
    }),
  );
});

test("a payload of very many packets is decoded", () => {
  const count = 200_000;
  const payload = codecV4.encodePayload(
    Array.from({ length: count }, () => ({ type: "noop" as const })),
    true,
  );
  let received = 0;
  codecV4.decodePayload(payload, () => ++received > 0);
  expect(received).toBe(count);
});
