import fc from "fast-check";
import { expect, test } from "vitest";
import { Encoder } from "../../src/socket/encoder.js";
import { PacketType, type SocketPacket } from "../../src/socket/packet.js";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;

const encoder = new Encoder();
const A = Buffer.from("a");
const B = Buffer.from("b");

test.each<[string, SocketPacket]>([
  ["0", { type: CONNECT, nsp: "/" }],
  ['0{"sid":"abc"}', { type: CONNECT, nsp: "/", data: { sid: "abc" } }],
  ['0/admin,{"sid":"abc"}', { type: CONNECT, nsp: "/admin", data: { sid: "abc" } }],
  ["1", { type: DISCONNECT, nsp: "/" }],
  ["1/admin,", { type: DISCONNECT, nsp: "/admin" }],
  ['2["a"]', { type: EVENT, nsp: "/", data: ["a"] }],
  ['2["a",1,true,null,"b"]', { type: EVENT, nsp: "/", data: ["a", 1, true, null, "b"] }],
  ['2["a",{"b":[]}]', { type: EVENT, nsp: "/", data: ["a", { b: [] }] }],
  ['20["a"]', { type: EVENT, nsp: "/", data: ["a"], id: 0 }],
  ['2/admin,456["a"]', { type: EVENT, nsp: "/admin", data: ["a"], id: 456 }],
  ["3", { type: ACK, nsp: "/" }],
  ["312[]", { type: ACK, nsp: "/", data: [], id: 12 }],
  ['3/admin,456["b"]', { type: ACK, nsp: "/admin", data: ["b"], id: 456 }],
  ['4{"message":"no"}', { type: CONNECT_ERROR, nsp: "/", data: { message: "no" } }],
  ['4/admin,"no"', { type: CONNECT_ERROR, nsp: "/admin", data: "no" }],
  ['2["a"]', { type: EVENT, nsp: "", data: ["a"] }],
  ["2", { type: EVENT, nsp: "/", data: null }],
])("%j is one text", (text, packet) => {
  expect(encoder.encode(packet)).toEqual([text]);
});

test("members that an adapter has made null are left out", () => {
  const packet: object = { type: EVENT, nsp: null, data: ["a"], id: null };
  expect(encoder.encode(packet as SocketPacket)).toEqual(['2["a"]']);
});

test("an event with bytes becomes a binary event with attachments", () => {
  expect(
    encoder.encode({ type: EVENT, nsp: "/", data: ["a", A, { b: new Uint8Array([1]).buffer }] }),
  ).toEqual([
    '52-["a",{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]',
    A,
    Buffer.from([1]),
  ]);
});

test("an acknowledgement with bytes becomes a binary acknowledgement", () => {
  expect(encoder.encode({ type: ACK, nsp: "/admin", data: [A], id: 456 })).toEqual([
    '61-/admin,456[{"_placeholder":true,"num":0}]',
    A,
  ]);
});

test("bytes in other packets are JSON", () => {
  expect(encoder.encode({ type: CONNECT, nsp: "/", data: { a: A } })).toEqual([
    '0{"a":{"type":"Buffer","data":[97]}}',
  ]);
});

test("a packet of a binary type is judged by its data alone", () => {
  expect(encoder.encode({ type: BINARY_EVENT, nsp: "/", data: ["a"] })).toEqual(['2["a"]']);
  expect(encoder.encode({ type: BINARY_ACK, nsp: "/", data: [1], id: 2 })).toEqual(["32[1]"]);
  expect(encoder.encode({ type: BINARY_ACK, nsp: "/", data: [A], id: 2 })).toEqual([
    '61-2[{"_placeholder":true,"num":0}]',
    A,
  ]);
});

test("attachments share the memory of the data", () => {
  expect(encoder.encode({ type: EVENT, nsp: "/", data: ["a", A] })[1]).toBe(A);
});

test("neither the packet nor its data is changed", () => {
  const data = Object.freeze(["a", Object.freeze({ a: A, b: [B] })]);
  const packet: SocketPacket = Object.freeze({ type: EVENT, nsp: "/", data, id: 1 });
  encoder.encode(packet);
  expect(packet).toEqual({ type: EVENT, nsp: "/", data: ["a", { a: A, b: [B] }], id: 1 });
});

test("bytes that a toJSON leaves out make no binary packet", () => {
  const data = ["a", { a: A, toJSON: () => "text" }, { toJSON: () => ({ b: 1 }), a: A }];
  expect(encoder.encode({ type: EVENT, nsp: "/", data })).toEqual(['2["a","text",{"b":1}]']);
});

test("bytes that only a toJSON returns are attachments", () => {
  const data = ["a", { toJSON: () => ({ b: [A] }) }];
  expect(encoder.encode({ type: EVENT, nsp: "/", data })).toEqual([
    '51-["a",{"b":[{"_placeholder":true,"num":0}]}]',
    A,
  ]);
});

test("data that has no JSON is left out", () => {
  expect(encoder.encode({ type: EVENT, nsp: "/", data: () => 1 })).toEqual(["2"]);
});

test("a replacer sees primitives, objects and placeholders, but no bytes", () => {
  const seen: unknown[] = [];
  const replacing = new Encoder({
    replacer: (_key, value) => {
      seen.push(value);
      return value === 1 ? "one" : value;
    },
  });
  expect(replacing.encode({ type: EVENT, nsp: "/", data: ["a", 1] })).toEqual(['2["a","one"]']);
  expect(replacing.encode({ type: EVENT, nsp: "/", data: ["a", { b: A }] })).toEqual([
    '51-["a",{"b":{"_placeholder":true,"num":0}}]',
    A,
  ]);
  expect(seen).not.toContain(A);
});

test("circular data is an error of the emitter", () => {
  const data: unknown[] = ["a"];
  data.push({ data });
  expect(() => encoder.encode({ type: EVENT, nsp: "/", data })).toThrow(TypeError);
  data.unshift(A);
  expect(() => encoder.encode({ type: EVENT, nsp: "/", data })).toThrow(TypeError);
});

test.each<[string, unknown]>([
  ["a BigInt", 1n],
  ["a BigInt in an object", { a: 1n }],
  ["a Blob", new Blob(["a"])],
])("%s is an error of the emitter", (_name, value) => {
  expect(() => encoder.encode({ type: EVENT, nsp: "/", data: ["a", value] })).toThrow(TypeError);
});

test("primitives are encoded exactly as JSON.stringify does", () => {
  const primitive = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom(
        "a",
        '"',
        "\\",
        "\n",
        "\u0000",
        "\u007f",
        "\u2028",
        "\ud83d",
        "\ude00",
        "ż",
      ),
    }),
    fc.double(),
    fc.integer(),
    fc.constantFrom(-0, 1e21, 1e-7, Number.MAX_VALUE),
    fc.boolean(),
    fc.constantFrom(null, undefined, Symbol("a"), () => 1),
  );
  fc.assert(
    fc.property(fc.array(primitive), (data) => {
      expect(encoder.encode({ type: EVENT, nsp: "/", data })).toEqual([`2${JSON.stringify(data)}`]);
    }),
  );
});

test.each([
  ["a plain id", { sid: "a-B_9" }],
  ["an id to be escaped", { sid: 'a"b' }],
  ["an id beyond ASCII", { sid: "ä\ud800" }],
  ["an empty id", { sid: "" }],
  ["an id that is a number", { sid: 1 }],
  ["two ids", { sid: "a", pid: "b" }],
  ["two ids in the other order", { pid: "b", sid: "a" }],
  ["no id", {}],
  ["an id and nothing", { sid: "a", pid: undefined }],
  ["an inherited id", Object.create({ sid: "a" })],
  ["an id that is not listed", Object.defineProperty({}, "sid", { value: "a" })],
  ["a method that says what the JSON is", { sid: "a", toJSON: () => ({ b: 1 }) }],
  ["a class", new (class extends Array {})()],
])("data with %s is encoded as JSON.stringify does", (_what, data: unknown) => {
  expect(encoder.encode({ type: CONNECT, nsp: "/", data })).toEqual([`0${JSON.stringify(data)}`]);
});
