import fc from "fast-check";
import { expect, test } from "vitest";
import type { RawData } from "../../src/engine/packet.js";
import { PacketError } from "../../src/errors.js";
import { Decoder } from "../../src/socket/decoder.js";
import { MAX_DECODED_DEPTH } from "../../src/socket/nesting.js";
import { PacketType, type SocketPacket } from "../../src/socket/packet.js";
import { hostilePiece } from "./arbitraries.js";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR } = PacketType;

const A = Buffer.from("a");
const B = Buffer.from("b");

function decode(...pieces: RawData[]): SocketPacket | undefined {
  const decoder = new Decoder();
  let packet: SocketPacket | undefined;
  for (const data of pieces) packet = decoder.push(data);
  return packet;
}

test.each<[string, SocketPacket]>([
  ["0", { type: CONNECT, nsp: "/" }],
  ['0{"token":"x"}', { type: CONNECT, nsp: "/", data: { token: "x" } }],
  ["0/admin", { type: CONNECT, nsp: "/admin" }],
  ["0/admin,", { type: CONNECT, nsp: "/admin" }],
  ["0/admin?x=1,{}", { type: CONNECT, nsp: "/admin?x=1", data: {} }],
  ["0/,{}", { type: CONNECT, nsp: "/", data: {} }],
  ["1", { type: DISCONNECT, nsp: "/" }],
  ["1/admin,", { type: DISCONNECT, nsp: "/admin" }],
  ['2["a"]', { type: EVENT, nsp: "/", data: ["a"] }],
  ['2["a",1,{"b":[null]}]', { type: EVENT, nsp: "/", data: ["a", 1, { b: [null] }] }],
  ['20["a"]', { type: EVENT, nsp: "/", data: ["a"], id: 0 }],
  ['2007["a"]', { type: EVENT, nsp: "/", data: ["a"], id: 7 }],
  ['2/admin,456["a"]', { type: EVENT, nsp: "/admin", data: ["a"], id: 456 }],
  ['29007199254740991["a"]', { type: EVENT, nsp: "/", data: ["a"], id: 9007199254740991 }],
  ["3/admin,456[]", { type: ACK, nsp: "/admin", data: [], id: 456 }],
  ['31["a",null]', { type: ACK, nsp: "/", data: ["a", null], id: 1 }],
  ['4{"message":"no"}', { type: CONNECT_ERROR, nsp: "/", data: { message: "no" } }],
  ['4/admin,"no"', { type: CONNECT_ERROR, nsp: "/admin", data: "no" }],
])("%j is a packet", (text, packet) => {
  expect(decode(text)).toEqual(packet);
});

test.each<[string, SocketPacket]>([
  ["2[0,1]", { type: EVENT, nsp: "/", data: [0, 1] }],
  ["2", { type: EVENT, nsp: "/" }],
  ["2/admin,12", { type: EVENT, nsp: "/admin", id: 12 }],
  ['2["error"]', { type: EVENT, nsp: "/", data: ["error"] }],
  ["3", { type: ACK, nsp: "/" }],
  ["4", { type: CONNECT_ERROR, nsp: "/" }],
  ["05{}", { type: CONNECT, nsp: "/", data: {}, id: 5 }],
  // White space is JSON, but no id.
  ['2 ["a"]', { type: EVENT, nsp: "/", data: ["a"] }],
  ['21 ["a"]', { type: EVENT, nsp: "/", data: ["a"], id: 1 }],
])("the oddity %j is accepted", (text, packet) => {
  expect(decode(text)).toEqual(packet);
});

test.each(["7", "9[]", "8/admin,", "a", "", " ", "-1", "٢", "\ud800"])(
  "%j has an unknown type",
  (text) => {
    expect(() => decode(text)).toThrow(
      expect.objectContaining({
        code: "ERR_PACKET_TYPE",
        message: `unknown packet type ${/^\d/.test(text) ? text.charAt(0) : "NaN"}`,
      }),
    );
  },
);

test.each([
  "0[]",
  "0null",
  '0"token"',
  "01.5",
  "0false",
  "0{",
  "1{}",
  "1[]",
  "1null",
  "2[]",
  "2{}",
  '2"a"',
  "2[null]",
  "2[true]",
  "2[{}]",
  '2["connect"]',
  '2["connect_error"]',
  '2["disconnect"]',
  '2["disconnecting"]',
  '2["newListener"]',
  '2["removeListener"]',
  '2["\\u0063onnect"]',
  '2["a"',
  '2["a"]x',
  '2["a"]["b"]',
  "2a",
  "2-1[]",
  '21 2["a"]',
  '2\u00a0["a"]',
  '2/admin["a",1]',
  "3{}",
  '3"a"',
  "3null",
  "4[]",
  "4null",
])("%j has an invalid payload", (text) => {
  expect(() => decode(text)).toThrow(
    expect.objectContaining({ code: "ERR_PACKET_PAYLOAD", message: "invalid payload" }),
  );
});

test.each(["29007199254740992[]", "2/admin,99999999999999999999999", `3${"9".repeat(400)}[]`])(
  "%j has an id that could not be sent back",
  (text) => {
    expect(() => decode(text)).toThrow(
      expect.objectContaining({ code: "ERR_PACKET_PAYLOAD", message: "illegal id" }),
    );
  },
);

test("the cause of an invalid payload is kept", () => {
  expect(() => decode("2[")).toThrow(expect.objectContaining({ cause: expect.any(SyntaxError) }));
});

test.each([
  "5",
  "5-",
  '5-["a"]',
  '5["a"]',
  "51",
  '51["a"]',
  '51e0-["a"]',
  '50x1-["a"]',
  '5 1-["a"]',
  '51 -["a"]',
  '5+1-["a"]',
  '51.0-["a"]',
  '5/admin,1-["a"]',
  "6",
  "6-[]",
  "6Infinity-[]",
])("%j has an illegal number of attachments", (text) => {
  expect(() => decode(text)).toThrow(
    expect.objectContaining({ code: "ERR_PACKET_ATTACHMENTS", message: "Illegal attachments" }),
  );
});

test("a packet is returned with its last attachment", () => {
  const decoder = new Decoder();
  const text =
    '52-/admin,7["a",{"_placeholder":true,"num":1},{"b":[{"_placeholder":true,"num":0}]}]';
  expect(decoder.push(text)).toBeUndefined();
  expect(decoder.push(A)).toBeUndefined();
  expect(decoder.push(B)).toEqual({
    type: EVENT,
    nsp: "/admin",
    data: ["a", B, { b: [A] }],
    id: 7,
  });
  expect(decoder.push('2["c"]')).toEqual({ type: EVENT, nsp: "/", data: ["c"] });
});

test("a binary acknowledgement becomes an acknowledgement", () => {
  expect(decode('61-7[{"_placeholder":true,"num":0}]', A)).toEqual({
    type: ACK,
    nsp: "/",
    data: [A],
    id: 7,
  });
});

test("attachments are not copied", () => {
  const data = decode('51-["a",{"_placeholder":true,"num":0}]', A)?.data;
  expect(Array.isArray(data) && data[1] === A).toBe(true);
});

test("attachments of foreign engines become Buffers", () => {
  const decoder = new Decoder();
  decoder.push('51-["a",{"_placeholder":true,"num":0}]');
  // The type says Buffer, but an engine that somebody else wrote may pass on other bytes.
  const packet = decoder.push(new Uint8Array([97]) as Buffer);
  expect(packet?.data).toEqual(["a", A]);
});

test("an attachment that nothing refers to is dropped", () => {
  expect(decode('51-["a"]', A)).toEqual({ type: EVENT, nsp: "/", data: ["a"] });
  expect(decode("51-", A)).toEqual({ type: EVENT, nsp: "/" });
});

test.each(['50-["a"]', '500-["a"]'])(
  "%j has no attachments, is returned at once, and leaves nothing behind",
  (text) => {
    const decoder = new Decoder();
    expect(decoder.push(text)).toEqual({ type: EVENT, nsp: "/", data: ["a"] });
    expect(decoder.push('2["b"]')).toEqual({ type: EVENT, nsp: "/", data: ["b"] });
    expect(() => decoder.push(A)).toThrow("got binary data when not reconstructing a packet");
  },
);

test("a packet may have ten attachments by default", () => {
  expect(new Decoder().push('510-["a"]')).toBeUndefined();
  expect(() => new Decoder().push('511-["a"]')).toThrow(
    expect.objectContaining({ code: "ERR_PACKET_ATTACHMENTS", message: "too many attachments" }),
  );
  expect(() => new Decoder().push(`5${"9".repeat(400)}-["a"]`)).toThrow("too many attachments");
});

test("the number of attachments can be limited otherwise", () => {
  expect(new Decoder({ maxAttachments: 11 }).push('511-["a"]')).toBeUndefined();
  expect(() => new Decoder({ maxAttachments: 0 }).push('51-["a"]')).toThrow("too many attachments");
  expect(new Decoder({ maxAttachments: 0 }).push('50-["a"]')).toMatchObject({ data: ["a"] });
});

test.each(["1", "-1", "0.5", '"0"', "null"])(
  "a placeholder with the number %s is illegal",
  (num) => {
    expect(() => decode(`51-["a",{"_placeholder":true,"num":${num}}]`, A)).toThrow(
      expect.objectContaining({ code: "ERR_PACKET_ATTACHMENTS", message: "illegal attachments" }),
    );
  },
);

test("placeholders in text packets are data", () => {
  expect(decode('2["a",{"_placeholder":true,"num":0}]')?.data).toEqual([
    "a",
    { _placeholder: true, num: 0 },
  ]);
});

test("text in the place of an attachment is refused", () => {
  const decoder = new Decoder();
  decoder.push('51-["a",{"_placeholder":true,"num":0}]');
  expect(() => decoder.push('2["b"]')).toThrow(
    expect.objectContaining({
      code: "ERR_PACKET_ORDER",
      message: "got plaintext data when reconstructing a packet",
    }),
  );
});

test("an attachment that no packet has announced is refused", () => {
  expect(() => decode(A)).toThrow(
    expect.objectContaining({
      code: "ERR_PACKET_ORDER",
      message: "got binary data when not reconstructing a packet",
    }),
  );
});

test.each<unknown>([undefined, null, 999, {}])("%j is neither text nor bytes", (data) => {
  const decoder = new Decoder();
  decoder.push('51-["a"]');
  expect(() => decoder.push(data as string)).toThrow(
    expect.objectContaining({ code: "ERR_PACKET_TYPE", message: `Unknown type: ${typeof data}` }),
  );
  expect(decoder.push('2["b"]')).toMatchObject({ data: ["b"] });
});

test("a destroyed decoder has forgotten the packet it was at", () => {
  const decoder = new Decoder();
  decoder.push('51-["a"]');
  decoder.destroy();
  expect(decoder.push('2["b"]')).toMatchObject({ data: ["b"] });
});

test("a reviver changes what is decoded", () => {
  const decoder = new Decoder({
    reviver: (_key, value) => (typeof value === "number" ? value + 1 : value),
  });
  expect(decoder.push('2["a",1]')?.data).toEqual(["a", 2]);
});

test("an error of a reviver makes the payload invalid", () => {
  const cause = new Error("reviver");
  const decoder = new Decoder({
    reviver: () => {
      throw cause;
    },
  });
  expect(() => decoder.push('2["a"]')).toThrow(
    expect.objectContaining({ code: "ERR_PACKET_PAYLOAD", cause }),
  );
});

test("what a reviver returns is searched for placeholders without end or harm", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const decoder = new Decoder({ reviver: (_key, value) => (value === 1 ? circular : value) });
  decoder.push('51-["a",1]');
  expect(() => decoder.push(A)).toThrow("illegal attachments");

  const frozen = new Decoder({
    reviver: (key, value) => (key === "" ? Object.freeze(value) : value),
  });
  frozen.push('51-["a",{"_placeholder":true,"num":0}]');
  expect(() => frozen.push(A)).toThrow(PacketError);
});

test("keys of prototypes are data", () => {
  const packet = decode(
    '51-["a",{"__proto__":{"polluted":{"_placeholder":true,"num":0}},"constructor":1}]',
    A,
  );
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(JSON.stringify(packet?.data)).toBe(
    '["a",{"__proto__":{"polluted":{"type":"Buffer","data":[97]}},"constructor":1}]',
  );
});

test("a payload may nest a thousand levels, and no more", () => {
  const inside = MAX_DECODED_DEPTH - 1;
  const accepted = `2["a",${"[".repeat(inside)}${"]".repeat(inside)}]`;
  expect(decode(accepted)).toMatchObject({ type: EVENT });
  for (const deep of [
    `2["a",${"[".repeat(inside + 1)}${"]".repeat(inside + 1)}]`,
    `2["a",${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}]`,
    `0${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    `51-["a",${"[".repeat(1_000_000)}{"_placeholder":true,"num":0}${"]".repeat(1_000_000)}]`,
  ]) {
    expect(() => decode(deep)).toThrow(
      expect.objectContaining({ code: "ERR_PACKET_PAYLOAD", message: "invalid payload" }),
    );
  }
});

test("the limit of the depth holds with a reviver, too", () => {
  const decoder = new Decoder({ reviver: (_key, value) => value });
  const deep = `2["a",${"[".repeat(1500)}${"]".repeat(1500)}]`;
  expect(() => decoder.push(deep)).toThrow("invalid payload");
});

/** What a piece leads to; errors of any other kind are thrown. */
function outcome(decoder: Decoder, data: RawData): SocketPacket | PacketError | undefined {
  try {
    return decoder.push(data);
  } catch (error) {
    if (error instanceof PacketError) return error;
    throw error;
  }
}

test("whatever arrives, nothing but packet errors is thrown", () => {
  const types = new Set<number>([CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR]);
  fc.assert(
    fc.property(fc.array(hostilePiece), (pieces) => {
      const decoder = new Decoder();
      for (const data of pieces) {
        const result = outcome(decoder, data);
        const type = result === undefined || result instanceof PacketError ? EVENT : result.type;
        expect(types).toContain(type);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a decoder that has thrown takes the next text as a packet", () => {
  fc.assert(
    fc.property(fc.array(hostilePiece), hostilePiece, (pieces, last) => {
      const decoder = new Decoder();
      for (const data of pieces) outcome(decoder, data);
      fc.pre(outcome(decoder, last) instanceof PacketError);
      expect(decoder.push('2["next"]')).toEqual({ type: EVENT, nsp: "/", data: ["next"] });
    }),
  );
});
