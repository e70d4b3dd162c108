import { expect, test } from "vitest";
// @ts-expect-error -- plain JavaScript, which has a configuration of its own
import { compare, emptyAccount } from "../src/account.mjs";

const sent = [1, 2, 3, 4];

test("what arrives once and in order is clean", () => {
  expect(compare(sent, sent, true)).toEqual({ ...emptyAccount(), sent: 4, received: 4 });
});

test.each([
  ["a gap", [1, 2, 4], { received: 3, lost: 1 }],
  ["a missing end", [1, 2], { received: 2, lost: 2 }],
  ["a double", [1, 2, 2, 3, 4], { received: 4, duplicated: 1 }],
  ["a swap", [1, 3, 2, 4], { received: 4, reordered: 1 }],
  ["a stranger", [1, 9, 2, 3, 4], { received: 4, foreign: 1 }],
])("%s in a complete stream is counted", (...[, received, expected]) => {
  expect(compare(sent, received, true)).toEqual({ ...emptyAccount(), sent: 4, ...expected });
});

test("of a stream that was cut the end may be missing, and nothing else", () => {
  const account = { ...emptyAccount(), sent: 4 };
  expect(compare(sent, [1, 2], false)).toEqual({ ...account, received: 2, cut: 2 });
  expect(compare(sent, [1, 3], false)).toEqual({ ...account, received: 2, cut: 1, lost: 1 });
  expect(compare(sent, [], false)).toEqual({ ...account, cut: 4 });
});
