import { expect, test } from "vitest";
import { generateId } from "../src/ids.js";

test("an id is 20 characters that a URL takes as they are (24)", () => {
  for (let count = 0; count < 100; count += 1) {
    expect(generateId()).toMatch(/^[A-Za-z0-9_-]{20}$/);
  }
});

test("ten thousand ids are ten thousand different ones (24)", () => {
  const ids = Array.from({ length: 10_000 }, () => generateId());
  expect(new Set(ids).size).toBe(10_000);
});

test("one id does not tell the next", () => {
  // The 12 bytes that make up the first 16 characters are random.
  const beginnings = Array.from({ length: 1000 }, () => generateId().slice(0, 16));
  expect(new Set(beginnings).size).toBe(1000);
});
