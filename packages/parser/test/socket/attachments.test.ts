import { expect, test } from "vitest";
import { mayHoldBytes, restoreAttachments, takeAttachments } from "../../src/socket/attachments.js";

const A = Buffer.from("a");
const B = Buffer.from("b");

function take(data: unknown): { json: unknown; attachments: Buffer[] } {
  const attachments: Buffer[] = [];
  return { json: takeAttachments(data, attachments), attachments };
}

function nested(levels: number, inside: unknown): unknown {
  let data = inside;
  for (let i = 0; i < levels; i++) data = i % 2 === 0 ? [data] : { data };
  return data;
}

class Point {
  x = 1;
  buffer = A;
  get ignored(): Buffer {
    return B;
  }
}

test.each<[string, unknown]>([
  ["a Buffer", A],
  ["an ArrayBuffer in an array", [1, new ArrayBuffer(1)]],
  ["a view in an object", { a: { b: new Int32Array(1) } }],
  ["a view in an object without prototype", Object.assign(Object.create(null), { a: A })],
  ["a class instance that holds a Buffer", new Point()],
  ["a toJSON that returns bytes", { toJSON: () => A }],
  ["a toJSON that returns what holds bytes", { toJSON: () => ({ a: [A] }) }],
])("%s may hold bytes", (_name, data) => {
  expect(mayHoldBytes(data)).toBe(true);
});

test.each<[string, unknown]>([
  ["a string", "a"],
  ["undefined", undefined],
  ["null", null],
  ["a function", () => A],
  ["plain data", { a: [1, null, { b: "c" }], d: undefined }],
  ["a Date", new Date(0)],
  ["a Map", new Map([["a", A]])],
  ["an inherited member", Object.create({ a: A })],
  ["a class member that is not its own", Object.create(Point.prototype)],
  ["a toJSON that leaves the bytes out", { toJSON: () => "text", a: A }],
  [
    "a toJSON of a class",
    new (class {
      a = A;
      toJSON() {
        return { b: 1 };
      }
    })(),
  ],
])("%s holds no bytes", (_name, data) => {
  expect(mayHoldBytes(data)).toBe(false);
});

test("placeholders are numbered depth first, in the order of the members", () => {
  const view = new Uint8Array([1]);
  const { json, attachments } = take(["e", { z: { y: A }, a: [B, "x"] }, view]);
  expect(JSON.stringify(json)).toBe(
    '["e",{"z":{"y":{"_placeholder":true,"num":0}},"a":[{"_placeholder":true,"num":1},"x"]},' +
      '{"_placeholder":true,"num":2}]',
  );
  expect(attachments).toEqual([A, B, Buffer.from([1])]);
});

test("data is not mutated, and only the branches with bytes are copied", () => {
  const plain = { deep: [1] };
  const data = Object.freeze(["e", plain, Object.freeze({ plain, a: A })]);
  const { json } = take(data);
  expect(data).toEqual(["e", { deep: [1] }, { plain: { deep: [1] }, a: A }]);
  expect(json).not.toBe(data);
  expect((json as unknown[])[1]).toBe(plain);
  expect((json as [unknown, unknown, { plain: unknown }])[2].plain).toBe(plain);
});

test("data without bytes is returned as it is", () => {
  const data = ["e", { a: [1] }, new Date(0), new Map()];
  expect(take(data)).toEqual({ json: data, attachments: [] });
  expect(take(data).json).toBe(data);
});

test("a toJSON is called once, and not again on its result", () => {
  let calls = 0;
  const data = {
    a: A,
    toJSON() {
      calls++;
      return this;
    },
  };
  const { json, attachments } = take([data]);
  expect(JSON.stringify(json)).toBe('[{"a":{"_placeholder":true,"num":0}}]');
  expect(attachments).toEqual([A]);
  expect(calls).toBe(1);
});

test("bytes that a toJSON leaves out are not sent", () => {
  const { json, attachments } = take([{ a: A, toJSON: () => ({ b: 1 }) }]);
  expect(JSON.stringify(json)).toBe('[{"b":1}]');
  expect(attachments).toEqual([]);
});

test("a class instance is encoded by its own members", () => {
  const { json } = take([new Point()]);
  expect(JSON.stringify(json)).toBe('[{"x":1,"buffer":{"_placeholder":true,"num":0}}]');
});

test("holes of an array become null, as in JSON", () => {
  // oxlint-disable-next-line no-sparse-arrays -- the hole is the point
  expect(JSON.stringify(take([1, , A]).json)).toBe('[1,null,{"_placeholder":true,"num":0}]');
});

test("a __proto__ member is data, not the prototype of the copy", () => {
  const { json } = take([JSON.parse('{"__proto__":{"a":1},"b":2}'), A]);
  expect(JSON.stringify(json)).toBe('[{"__proto__":{"a":1},"b":2},{"_placeholder":true,"num":0}]');
  const evil: unknown = Object.defineProperty({ a: A }, "__proto__", {
    value: B,
    enumerable: true,
  });
  const taken = take(evil).json;
  expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
  expect(JSON.stringify(taken)).toBe(
    '{"a":{"_placeholder":true,"num":0},"__proto__":{"_placeholder":true,"num":1}}',
  );
});

test.each<[string, unknown]>([
  ["a Blob", [new Blob(["a"])]],
  ["a File", { file: new File(["a"], "a.txt") }],
  ["a Blob behind a toJSON", { toJSON: () => new Blob(["a"]) }],
])("%s is refused, for its bytes cannot be read now", (_name, data) => {
  expect(() => mayHoldBytes(data)).toThrow(TypeError);
  expect(() => take(data)).toThrow("cannot encode a Blob");
});

test("circular data is refused", () => {
  const array: unknown[] = [1];
  array.push({ array });
  expect(() => mayHoldBytes(array)).toThrow("circular");
  array.push(A);
  expect(() => take(array)).toThrow("circular");
});

test("a toJSON that never ends is refused", () => {
  const endless = { toJSON: (): unknown => ({ next: endless }) };
  expect(() => mayHoldBytes(endless)).toThrow(TypeError);
  expect(() => take(endless)).toThrow(TypeError);
});

test("1200 levels are encoded, one more is refused", () => {
  expect(mayHoldBytes(nested(1200, 1))).toBe(false);
  expect(take(nested(1200, A)).attachments).toEqual([A]);
  expect(() => mayHoldBytes(nested(1202, 1))).toThrow(TypeError);
  expect(() => take(nested(1202, A))).toThrow(TypeError);
});

test("attachments take the place of their placeholders", () => {
  const data: unknown = JSON.parse(
    '["e",{"a":{"_placeholder":true,"num":1}},[{"_placeholder":true,"num":0}],' +
      '{"_placeholder":true,"num":1},null,{"_placeholder":false,"num":7}]',
  );
  expect(restoreAttachments(data, [A, B])).toEqual([
    "e",
    { a: B },
    [A],
    B,
    null,
    { _placeholder: false, num: 7 },
  ]);
});

test("a __proto__ member takes an attachment without touching any prototype", () => {
  const data: unknown = JSON.parse('[{"__proto__":{"_placeholder":true,"num":0}}]');
  const [member] = restoreAttachments(data, [A]) as [object];
  expect(Object.getPrototypeOf(member)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(member, "__proto__")?.value).toBe(A);
});

test.each(["-1", "1", "0.5", '"0"', "null", '"length"', "[0]", "1e9", "true"])(
  "a placeholder with the number %s is refused",
  (num) => {
    const data: unknown = JSON.parse(`["e",{"_placeholder":true,"num":${num}}]`);
    expect(() => restoreAttachments(data, [A])).toThrow(
      expect.objectContaining({ code: "ERR_PACKET_ATTACHMENTS", message: "illegal attachments" }),
    );
  },
);

test("a placeholder without a number is refused", () => {
  expect(() => restoreAttachments([{ _placeholder: true }], [A])).toThrow("illegal attachments");
});
