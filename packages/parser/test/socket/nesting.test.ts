import { expect, test } from "vitest";
import {
  isNestedTooDeeply,
  MAX_DECODED_DEPTH,
  MAX_ENCODED_DEPTH,
} from "../../src/socket/nesting.js";

function isRefused(json: string): boolean {
  return isNestedTooDeeply(JSON.parse(json), json.length);
}

function nestedArrays(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

function nestedObjects(levels: number): string {
  return '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
}

test("as many levels as allowed are accepted, one more is not", () => {
  expect(isRefused(nestedArrays(MAX_DECODED_DEPTH))).toBe(false);
  expect(isRefused(nestedArrays(MAX_DECODED_DEPTH + 1))).toBe(true);
  expect(isRefused(nestedObjects(MAX_DECODED_DEPTH))).toBe(false);
  expect(isRefused(nestedObjects(MAX_DECODED_DEPTH + 1))).toBe(true);
});

test("what comes before the deep place does not hide it", () => {
  expect(isRefused(`[[1,{"a":[]}],"]]]",${nestedArrays(MAX_DECODED_DEPTH)}]`)).toBe(true);
  expect(isRefused(`{"x":{},"__proto__":${nestedObjects(MAX_DECODED_DEPTH)}}`)).toBe(true);
});

test("size alone is no depth", () => {
  expect(isRefused(JSON.stringify(Array.from({ length: 5000 }, () => [{ a: [] }])))).toBe(false);
  expect(isRefused(JSON.stringify("[".repeat(5000)))).toBe(false);
});

test("what can be received can be wrapped and sent on", () => {
  expect(MAX_ENCODED_DEPTH).toBeGreaterThan(MAX_DECODED_DEPTH);
});
