import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { awaitEnd, destroyAfter } from "../src/bounded-close.js";
import { TimerWheel } from "../src/timer-wheel.js";

class Closing {
  ended = false;
  destroyed = 0;

  destroy(): void {
    this.destroyed += 1;
    this.ended = true;
  }
}

test("what has ended is not waited for", async () => {
  const clock = new FakeClock();
  const closing = new Closing();
  closing.ended = true;
  expect(await awaitEnd(closing, 1000, new TimerWheel(clock))).toBe(true);
  expect(clock.pending).toBe(0);
});

test("what ends in time is not destroyed", async () => {
  const clock = new FakeClock();
  const closing = new Closing();
  const end = awaitEnd(closing, 1000, new TimerWheel(clock));
  clock.advance(500);
  closing.ended = true;
  clock.advance(300);
  expect(await end).toBe(true);
  expect(closing.destroyed).toBe(0);
});

test("what does not end in time is destroyed, once", async () => {
  const clock = new FakeClock();
  const closing = new Closing();
  const end = awaitEnd(closing, 1050, new TimerWheel(clock));
  clock.advance(1000);
  expect(closing.destroyed).toBe(0);
  clock.advance(2000);
  expect(await end).toBe(false);
  expect(closing.destroyed).toBe(1);
  expect(clock.pending).toBe(0);
});

test("of many, only those are destroyed that have not ended", () => {
  const clock = new FakeClock();
  const [ended, ending, stuck] = [new Closing(), new Closing(), new Closing()];
  ended.ended = true;
  destroyAfter([ended, ending, stuck], 1000, new TimerWheel(clock));
  ending.ended = true;
  clock.advance(900);
  expect(stuck.destroyed).toBe(0);
  clock.advance(400);
  expect([ended, ending, stuck].map(({ destroyed }) => destroyed)).toEqual([0, 0, 1]);
});

test("without anything left, there is no timer", () => {
  const clock = new FakeClock();
  const ended = new Closing();
  ended.ended = true;
  destroyAfter([ended], 1000, new TimerWheel(clock));
  expect(clock.pending).toBe(0);
});
