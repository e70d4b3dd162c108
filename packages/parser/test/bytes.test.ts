import { expect, test } from "vitest";
import { isBlob, isBytes, toBuffer } from "../src/bytes.js";

const memory = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;

test.each([
  ["a Buffer", Buffer.from("a")],
  ["a Uint8Array", new Uint8Array(memory)],
  ["a Float64Array", new Float64Array(memory)],
  ["a DataView", new DataView(memory)],
  ["an ArrayBuffer", memory],
  ["a view on shared memory", new Uint8Array(new SharedArrayBuffer(2))],
  ["an empty Buffer", Buffer.alloc(0)],
])("%s is bytes", (_name, value) => {
  expect(isBytes(value)).toBe(true);
});

test.each([
  ["a string", "bytes"],
  ["an array", [1, 2]],
  ["an object with the members of a Buffer", { type: "Buffer", data: [1] }],
  ["a Blob", new Blob(["a"])],
  ["null", null],
  ["undefined", undefined],
  ["a number", 1],
])("%s is no bytes", (_name, value) => {
  expect(isBytes(value)).toBe(false);
});

test("a Blob is a blob, bytes are none", () => {
  expect(isBlob(new Blob(["a"]))).toBe(true);
  expect(isBlob(Buffer.from("a"))).toBe(false);
  expect(isBlob({ size: 1, type: "" })).toBe(false);
});

test("a Buffer is returned as it is", () => {
  const buffer = Buffer.from("a");
  expect(toBuffer(buffer)).toBe(buffer);
});

test.each([
  ["a view on a part of the memory", new Uint16Array(memory, 2, 2), "03040506"],
  ["a DataView", new DataView(memory, 7), "08"],
  ["an ArrayBuffer", memory, "0102030405060708"],
])("%s becomes a Buffer on the same memory", (_name, bytes, hex) => {
  const buffer = toBuffer(bytes);
  expect(buffer.toString("hex")).toBe(hex);
  expect(buffer.buffer).toBe(memory);
});
