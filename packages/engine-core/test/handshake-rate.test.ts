import { expect, test } from "vitest";
import { HandshakeLimiter } from "../src/handshake-rate.js";

test("a burst is let in, then one handshake per interval", () => {
  const limiter = new HandshakeLimiter({ perSecond: 2, burst: 3 });
  expect([0, 0, 0, 0].map(() => limiter.take("a", 1000))).toEqual([0, 0, 0, 500]);
  expect(limiter.take("a", 1400)).toBe(100);
  expect(limiter.take("a", 1500)).toBe(0);
  expect(limiter.take("a", 1500)).toBe(500);
});

test("who is refused pays nothing for it", () => {
  const limiter = new HandshakeLimiter({ perSecond: 1, burst: 1 });
  limiter.take("a", 0);
  for (let attempt = 0; attempt < 100; attempt += 1) limiter.take("a", 500);
  expect(limiter.take("a", 1000)).toBe(0);
});

test("after a pause, there is one burst and not more", () => {
  const limiter = new HandshakeLimiter({ perSecond: 10, burst: 2 });
  limiter.take("a", 0);
  expect([0, 0, 0].map(() => limiter.take("a", 1_000_000))).toEqual([0, 0, 100]);
});

test("one address does not use up the tokens of another", () => {
  const limiter = new HandshakeLimiter({ perSecond: 1, burst: 1 });
  expect(limiter.take("a", 0)).toBe(0);
  expect(limiter.take("b", 0)).toBe(0);
});

test("the table does not grow: who has been quiet for the longest is forgotten", () => {
  const limiter = new HandshakeLimiter({ perSecond: 1, burst: 2 }, 3);
  for (const address of ["a", "b", "b", "c", "c", "a", "d"]) limiter.take(address, 0);
  expect(limiter.size).toBe(3);
  expect([limiter.take("a", 0), limiter.take("c", 0)]).toEqual([1000, 1000]);
  expect(limiter.take("b", 0)).toBe(0);
  for (let number = 0; number < 1000; number += 1) limiter.take(`e${number}`, 0);
  expect(limiter.size).toBe(3);
});
