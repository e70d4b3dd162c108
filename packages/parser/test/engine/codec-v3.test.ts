import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codecV3 } from "../../src/engine/codec-v3.js";
import type { EnginePacket, RawData } from "../../src/engine/packet.js";
import { PacketError } from "../../src/errors.js";

type OfficialPacket = { readonly type: string | undefined; readonly data?: RawData };
type OnEncoded = (encoded: RawData) => void;
type OnDecoded = (packet: OfficialPacket) => unknown;

interface OfficialParser {
  encodePacket(packet: EnginePacket, binary: boolean, utf8: boolean, callback: OnEncoded): void;
  decodePacket(data: RawData): OfficialPacket;
  encodePayload(packets: readonly EnginePacket[], binary: boolean, callback: OnEncoded): void;
  decodePayload(data: RawData, callback: OnDecoded): void;
}

// The `exports` of the package do not name the parser of this revision: only its path leads there.
const require = createRequire(import.meta.url);
const official = require(
  join(dirname(require.resolve("engine.io")), "parser-v3", "index.js"),
) as OfficialParser;

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

function decodeAll(payload: RawData): { packets: EnginePacket[]; error: unknown } {
  const packets: EnginePacket[] = [];
  try {
    codecV3.decodePayload(payload, (packet) => {
      packets.push(packet);
      return true;
    });
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: undefined };
}

function decodeOne(data: RawData): { packet?: EnginePacket; error?: unknown } {
  try {
    return { packet: codecV3.decodePacket(data) };
  } catch (error) {
    return { error };
  }
}

function officialPayload(packets: readonly EnginePacket[], supportsBinary: boolean): RawData {
  let payload: RawData = "";
  official.encodePayload(packets, supportsBinary, (encoded) => {
    payload = encoded;
  });
  return payload;
}

function officialDecodeAll(payload: RawData): OfficialPacket[] {
  const packets: OfficialPacket[] = [];
  official.decodePayload(payload, (packet) => {
    packets.push(packet);
  });
  return packets;
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
  ["4a\u001e\u20284b", { type: "message", data: "a\u001e\u20284b" }],
  ["5", { type: "upgrade" }],
  ["6", { type: "noop" }],
];

test("it is the codec of protocol 3", () => {
  expect(codecV3.protocol).toBe(3);
});

test.each(TEXTS)("%j is a packet in both directions", (text, packet) => {
  expect(codecV3.encodePacket(packet, true)).toBe(text);
  expect(codecV3.encodePacket(packet, false)).toBe(text);
  expect(codecV3.decodePacket(text)).toEqual(packet);
});

test("an empty message is encoded without data", () => {
  expect(codecV3.encodePacket({ type: "message", data: "" }, true)).toBe("4");
});

test("a binary message follows the byte of its type, and is not copied when it arrives", () => {
  const packet: EnginePacket = { type: "message", data: hex("01 02 ff") };
  expect(codecV3.encodePacket(packet, true)).toEqual(hex("04 01 02 ff"));
  const frame = hex("04 01 02 ff");
  const decoded = codecV3.decodePacket(frame);
  expect(decoded).toEqual(packet);
  frame[1] = 7;
  expect(decoded.data).toEqual(hex("07 02 ff"));
});

test("a binary message of no bytes is the byte of its type", () => {
  const packet: EnginePacket = { type: "message", data: Buffer.alloc(0) };
  expect(codecV3.encodePacket(packet, true)).toEqual(hex("04"));
  expect(codecV3.decodePacket(hex("04"))).toEqual(packet);
});

test("a binary message is b4 and base64 for a peer without binary support", () => {
  const packet: EnginePacket = { type: "message", data: hex("01 02 03 04") };
  expect(codecV3.encodePacket(packet, false)).toBe("b4AQIDBA==");
  expect(codecV3.decodePacket("b4AQIDBA==")).toEqual(packet);
});

test("base64 of nothing is a message of no bytes", () => {
  expect(codecV3.decodePacket("b4")).toEqual({ type: "message", data: Buffer.alloc(0) });
});

test.each(["", "7", "9", "a", "B", " 4", "-1", "\ud800", "b", "b2", "b7AAAA", "bAAAA"])(
  "%j is no packet",
  (text) => {
    expect(() => codecV3.decodePacket(text)).toThrow(
      expect.objectContaining({ name: "PacketError", code: "ERR_PACKET_TYPE" }),
    );
  },
);

test.each(["", "02", "07 00", "34 61", "ff"])("the bytes <%s> are no packet", (digits) => {
  expect(() => codecV3.decodePacket(hex(digits))).toThrow(
    expect.objectContaining({ name: "PacketError", code: "ERR_PACKET_TYPE" }),
  );
});

test("each packet of a payload follows its length in UTF-16 code units", () => {
  const packets: EnginePacket[] = [
    { type: "open", data: '{"sid":"abc"}' },
    { type: "message", data: "żółw" },
    { type: "message", data: "🐢" },
    { type: "message", data: "\ud800" },
    { type: "message", data: "3:4ab" },
    { type: "noop" },
  ];
  const payload = '14:0{"sid":"abc"}5:4żółw3:4🐢2:4\ud8006:43:4ab1:6';
  expect(codecV3.encodePayload(packets, true)).toBe(payload);
  expect(codecV3.encodePayload(packets, false)).toBe(payload);
  expect(decodeAll(payload)).toEqual({ packets, error: undefined });
});

test("a payload for a peer without binary support has bytes as base64", () => {
  const packets: EnginePacket[] = [
    { type: "message", data: "hi" },
    { type: "message", data: hex("01 02 03 04") },
  ];
  expect(codecV3.encodePayload(packets, false)).toBe("3:4hi10:b4AQIDBA==");
  expect(decodeAll("3:4hi10:b4AQIDBA==")).toEqual({ packets, error: undefined });
});

test("a payload with bytes is binary for a peer that takes it, its text UTF-8", () => {
  const packets: EnginePacket[] = [
    { type: "message", data: "hé" },
    { type: "message", data: hex("00 ff") },
    { type: "message", data: "\ufeff🐢12345" },
    { type: "noop" },
    { type: "message", data: Buffer.alloc(0) },
  ];
  const payload = hex(
    "00 04 ff 34 68 c3 a9" +
      "01 03 ff 04 00 ff" +
      "00 01 03 ff 34 ef bb bf f0 9f 90 a2 31 32 33 34 35" +
      "00 01 ff 36" +
      "01 01 ff 04",
  );
  expect(codecV3.encodePayload(packets, true)).toEqual(payload);
  expect(decodeAll(payload)).toEqual({ packets, error: undefined });
});

test("bytes may be base64 within a binary payload", () => {
  expect(decodeAll(Buffer.from("\x00\x06\u00ffb4AAE=", "latin1"))).toEqual({
    packets: [{ type: "message", data: hex("00 01") }],
    error: undefined,
  });
});

test("lone surrogates become U+FFFD in a binary payload, in whichever way they were encoded", () => {
  const replaced = { type: "message", data: "a\ufffd\ufffdb" };
  const bytes: EnginePacket = { type: "message", data: Buffer.alloc(0) };
  const payload = codecV3.encodePayload([{ type: "message", data: "a\udc22\ud83db" }, bytes], true);
  expect(decodeAll(payload).packets[0]).toEqual(replaced);
  expect(decodeAll(hex("00 09 ff 34 61 ed a0 bd ed b0 a2 62")).packets).toEqual([replaced]);
});

test.each(["80", "c3", "c0 80", "e0 80 80", "ed a0", "ed a0 7f", "f4 90 80 80", "ed a0 bd ff"])(
  "the bytes <%s> are no text",
  (digits) => {
    const content = Buffer.concat([hex("34"), hex(digits)]);
    const header = [0x00, content.length, 0xff];
    const payload = Buffer.concat([hex("00 01 ff 36"), Buffer.from(header), content]);
    const { packets, error } = decodeAll(payload);
    expect(packets).toEqual([{ type: "noop" }]);
    expect(error).toMatchObject({ name: "PacketError", code: "ERR_PACKET_PAYLOAD" });
  },
);

test("no packets are written as a packet of length 0, which is none when it arrives", () => {
  expect(codecV3.encodePayload([], true)).toBe("0:");
  expect(codecV3.encodePayload([], false)).toBe("0:");
  expect(decodeAll("0:")).toEqual({ packets: [], error: undefined });
  expect(decodeAll("0:2:4a0:").packets).toEqual([{ type: "message", data: "a" }]);
});

test("text that looks like UTF-8 encoded twice is left as it is", () => {
  expect(decodeAll("3:4Ã©").packets).toEqual([{ type: "message", data: "Ã©" }]);
});

test.each(["", Buffer.alloc(0)])("an empty payload is an error", (payload) => {
  const { packets, error } = decodeAll(payload);
  expect(packets).toEqual([]);
  expect(error).toMatchObject({ name: "PacketError", code: "ERR_PACKET_TYPE" });
});

const BAD_TEXTS = [
  "4a", // no length at all
  ":4a",
  ":1:6",
  "2", // no colon
  "3:4a", // truncated
  "-2:4a",
  "+2:4a",
  "2.0:4a",
  "1e0:6",
  "0x1:6",
  " 1:6",
  "1 :6",
  "NaN:4a",
  "Infinity:4a",
  "9007199254740993:4a",
  "18446744073709551617:6", // 1, if 64 bits were all that counts
  "9".repeat(400) + ":4a", // Infinity as a number
  "٢:4a", // a decimal digit, but none of ASCII
  "1:7", // unknown type
  "2:b2",
];

test.each(BAD_TEXTS)("behind good packets, %j ends a payload of text", (bad) => {
  const { packets, error } = decodeAll("2:4a1:6" + bad);
  expect(packets).toEqual([{ type: "message", data: "a" }, { type: "noop" }]);
  expect(error).toBeInstanceOf(PacketError);
});

const BAD_BYTES = [
  "00", // ends before the length
  "00 01", // ends within the length
  "00 ff 36", // no length
  "00 02 ff 34", // truncated
  "01 01 ff",
  "02 01 ff 04", // neither text nor bytes
  "30 31 ff 36", // ASCII digits
  "00 31 ff 36",
  "00 0a ff 34 61 61 61 61 61 61 61 61 61", // a digit of value 10
  "00 fe 01 ff 36",
  "00 00 ff", // a packet of nothing
  "01 00 ff",
  "00 01 ff 37", // unknown type
  "00 01 ff 04", // a type that is no digit
  "01 01 ff 34", // a type that is a digit
  "01 01 ff 02", // bytes in another packet than a message
  "00 02 ff 62 32",
  "00" + "09".repeat(400) + "ff 36",
  "00 09 00 00 07 01 09 09 02 05 04 07 04 00 09 09 03 ff 36", // above 2^53
];

test.each(BAD_BYTES)("behind good packets, <%s> ends a binary payload", (bad) => {
  const { packets, error } = decodeAll(
    Buffer.concat([hex("00 02 ff 34 61 01 02 ff 04 07"), hex(bad)]),
  );
  expect(packets).toEqual([
    { type: "message", data: "a" },
    { type: "message", data: hex("07") },
  ]);
  expect(error).toBeInstanceOf(PacketError);
});

test("zeros in front of a length change nothing", () => {
  expect(decodeAll("0".repeat(1000) + "2:4a").packets).toEqual([{ type: "message", data: "a" }]);
  expect(decodeAll(hex("00" + "00".repeat(1000) + "02 ff 34 61")).packets).toEqual([
    { type: "message", data: "a" },
  ]);
});

test("decoding stops when a packet is not wanted, so that what follows may be bad", () => {
  for (const payload of ["2:4a1:1x", hex("00 02 ff 34 61 00 01 ff 31 77")]) {
    const types: string[] = [];
    codecV3.decodePayload(payload, ({ type }) => {
      types.push(type);
      return type !== "close";
    });
    expect(types).toEqual(["message", "close"]);
  }
});

test("an error of the receiver ends the decoding, and is not taken for one of the payload", () => {
  const failure = new Error("receiver");
  for (const payload of ["2:4a2:4b", hex("00 02 ff 34 61 00 02 ff 34 62")]) {
    expect(() =>
      codecV3.decodePayload(payload, () => {
        throw failure;
      }),
    ).toThrow(failure);
  }
});

// UTF-16 code units of every kind, so that surrogates are paired as well as alone.
const unit = fc.oneof(
  fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom("a", "7", ":", "é", "🐢", "\ud83d", "\udc22", "\u2028", "\ufeff", "\0", "\u00ff"),
);
const text = fc.string({ unit });
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const textPacket: fc.Arbitrary<EnginePacket> = fc.record(
  {
    type: fc.constantFrom("open", "close", "ping", "pong", "message", "upgrade", "noop"),
    data: fc.string({ unit, minLength: 1 }),
  },
  { requiredKeys: ["type"] },
);
const packet: fc.Arbitrary<EnginePacket> = fc.oneof(
  textPacket,
  fc.record({ type: fc.constant("message" as const), data: bytes }),
);
const payloads = fc.array(packet, { minLength: 1, maxLength: 8 });

/** What remains of packets in an encoding that cannot carry lone surrogates. */
function wellFormed(packets: readonly EnginePacket[]): EnginePacket[] {
  return packets.map(({ type, data }) => ({
    type,
    data: typeof data === "string" ? Buffer.from(data).toString() : data,
  }));
}

test("packets are encoded as by the official parser, and decoded to what they were", () => {
  fc.assert(
    fc.property(packet, fc.boolean(), (original, supportsBinary) => {
      const encoded = codecV3.encodePacket(original, supportsBinary);
      official.encodePacket(original, supportsBinary, false, (theirs) => {
        expect(encoded).toEqual(theirs);
      });
      expect(official.decodePacket(encoded)).toEqual(original);
      expect(codecV3.decodePacket(encoded)).toEqual(original);
    }),
  );
});

test("a message of all byte values survives in every encoding", () => {
  const original: EnginePacket = {
    type: "message",
    data: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  };
  for (const supportsBinary of [true, false]) {
    const encoded = codecV3.encodePacket(original, supportsBinary);
    expect(codecV3.decodePacket(encoded)).toEqual(original);
    expect(official.decodePacket(encoded)).toEqual(original);
    const payload = codecV3.encodePayload([original, original], supportsBinary);
    expect(payload).toEqual(officialPayload([original, original], supportsBinary));
    expect(decodeAll(payload)).toEqual({ packets: [original, original], error: undefined });
    expect(officialDecodeAll(payload)).toEqual([original, original]);
  }
});

test("payloads are encoded as by the official parser, and decoded to what they were", () => {
  fc.assert(
    fc.property(payloads, fc.boolean(), (packets, supportsBinary) => {
      const payload = codecV3.encodePayload(packets, supportsBinary);
      expect(payload).toEqual(officialPayload(packets, supportsBinary));
      const expected = typeof payload === "string" ? packets : wellFormed(packets);
      expect(decodeAll(payload)).toEqual({ packets: expected, error: undefined });
      expect(officialDecodeAll(payload)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("bytes are taken for text within a binary payload as by the official parser", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 3 }).map((array) => Buffer.from(array)),
    text.map((value) => Buffer.from(value)),
    fc
      .tuple(fc.nat({ max: 0x3f }), fc.nat({ max: 0x3f }))
      .map(([a, b]) => Buffer.from([0xed, 0x80 | a, 0x80 | b])),
  );
  fc.assert(
    fc.property(fc.constantFrom("4", "2", "b4"), fc.array(piece), (type, pieces) => {
      const content = Buffer.concat([Buffer.from(type), ...pieces]);
      const length = Buffer.from(String(content.length), "latin1").map((code) => code - 0x30);
      const payload = Buffer.concat([hex("00"), length, hex("ff"), content]);
      const [theirs] = officialDecodeAll(payload);
      const { packets, error } = decodeAll(payload);
      const isBad = theirs?.type === "error";
      expect(packets).toEqual(isBad ? [] : [theirs]);
      expect(error instanceof PacketError ? error.code : error).toBe(
        isBad ? "ERR_PACKET_PAYLOAD" : undefined,
      );
    }),
    { numRuns: 500 },
  );
});

/** The length of the packets in an encoding of the same kind as the payload. */
function lengthOf(packets: readonly EnginePacket[], payload: RawData): number {
  if (typeof payload === "string") return codecV3.encodePayload(packets, false).length;
  const marker: EnginePacket = { type: "message", data: Buffer.alloc(0) };
  return codecV3.encodePayload([...packets, marker], true).length - "01 01 ff 04".split(" ").length;
}

test("of a payload that is cut off, the packets before the cut are handed over", () => {
  fc.assert(
    fc.property(payloads, fc.boolean(), (packets, supportsBinary) => {
      const payload = codecV3.encodePayload(packets, supportsBinary);
      const whole = decodeAll(payload).packets;
      const ends = packets.map((_, i) => lengthOf(packets.slice(0, i + 1), payload));
      for (let cut = 1; cut < payload.length; cut++) {
        const { packets: got, error } = decodeAll(payload.slice(0, cut));
        expect(got).toEqual(whole.slice(0, ends.filter((end) => end <= cut).length));
        expect(error instanceof PacketError).toBe(!ends.includes(cut));
      }
    }),
    { numRuns: 50 },
  );
});

test("whatever arrives, nothing but packet errors is thrown", () => {
  const header = fc.constantFrom("1:", "2:", "0", ":", "b4", "4", "99999999999999999999:");
  const texts = fc.array(fc.oneof(text, header)).map((pieces) => pieces.join(""));
  const marks = fc.constantFrom("00 01 ff", "01 02 ff", "00", "01", "ff", "34", "00 09 09 ff");
  const binaries = fc.array(fc.oneof(bytes, marks.map(hex))).map((pieces) => Buffer.concat(pieces));
  fc.assert(
    fc.property(fc.oneof(texts, binaries), (payload) => {
      const { packets, error } = decodeAll(payload);
      expect(error === undefined || error instanceof PacketError).toBe(true);
      const size = packets.reduce((total, { data }) => total + 1 + (data?.length ?? 0), 0);
      expect(size).toBeLessThanOrEqual(payload.length);
      const { error: packetError } = decodeOne(payload);
      expect(packetError === undefined || packetError instanceof PacketError).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test.each([false, true])("a payload of very many packets is decoded (binary: %s)", (isBinary) => {
  const count = 200_000;
  const packets: EnginePacket[] = Array.from({ length: count }, () => ({ type: "noop" as const }));
  if (isBinary) packets[0] = { type: "message", data: Buffer.alloc(1) };
  const payload = codecV3.encodePayload(packets, true);
  expect(Buffer.isBuffer(payload)).toBe(isBinary);
  let received = 0;
  codecV3.decodePayload(payload, () => ++received > 0);
  expect(received).toBe(count);
});

test("a length of very many digits is refused", () => {
  const digits = 1_000_000;
  expect(decodeAll("9".repeat(digits) + ":4a").error).toBeInstanceOf(PacketError);
  expect(decodeAll("9".repeat(digits)).error).toBeInstanceOf(PacketError);
  expect(decodeAll(Buffer.alloc(digits, 9)).error).toBeInstanceOf(PacketError);
  expect(decodeAll(Buffer.alloc(digits, 0)).error).toBeInstanceOf(PacketError);
});
