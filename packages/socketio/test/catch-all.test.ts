import { expect, test } from "vitest";
import { append, prepend, without } from "../src/catch-all.js";

const first = (): void => {};
const second = (): void => {};

test("listeners are kept in order", () => {
  expect(append(append(undefined, first), second)).toEqual([first, second]);
  expect(prepend(append(undefined, first), second)).toEqual([second, first]);
});

test("a list in use never changes", () => {
  const list = append(undefined, first);
  append(list, second);
  prepend(list, second);
  without(list, first);
  expect(list).toEqual([first]);
});

test("only the first occurrence is removed", () => {
  const list = append(append(append(undefined, first), second), first);
  expect(without(list, first)).toEqual([second, first]);
});

test("nothing remains of an empty list", () => {
  expect(without(append(undefined, first), first)).toBeUndefined();
  expect(without(append(append(undefined, first), second))).toBeUndefined();
  expect(without(undefined, first)).toBeUndefined();
});

test("an unknown listener is ignored", () => {
  const list = append(undefined, first);
  expect(without(list, second)).toBe(list);
});
