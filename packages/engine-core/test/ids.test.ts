import { expect, test } from "vitest";
import { IdSource } from "../src/ids.js";

/** More than one pool of random bytes holds. */
const MANY = 1000;

function ids(count: number, source = new IdSource()): string[] {
  return Array.from({ length: count }, () => source.next());
}

test("an id is 20 characters that a URL takes as they are (24)", () => {
  for (const id of ids(MANY)) expect(id).toMatch(/^[A-Za-z0-9_-]{20}$/);
});

test("ten thousand ids are ten thousand different ones (24)", () => {
  expect(new Set(ids(10_000)).size).toBe(10_000);
});

test("two sources have no id in common", () => {
  expect(new Set([...ids(MANY), ...ids(MANY)]).size).toBe(2 * MANY);
});

test("one id does not tell the next: no character stays the same, or has few values", () => {
  const all = ids(10 * MANY);
  for (let at = 0; at < 20; at += 1) {
    expect(new Set(all.map((id) => id[at])).size).toBe(64);
  }
});
