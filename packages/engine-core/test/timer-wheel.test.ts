import { FakeClock } from "@jackfield/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadline, TimerWheel } from "../src/timer-wheel.js";

class Alarm extends Deadline {
  readonly #ring: () => void;

  constructor(ring: () => void) {
    super();
    this.#ring = ring;
  }

  override expire(): void {
    this.#ring();
  }
}

test("ten thousand deadlines share one timer", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  for (let count = 0; count < 10_000; count += 1) wheel.arm(new Alarm(() => {}), 25_000);
  expect(clock.pending).toBe(1);
  expect(wheel.size).toBe(10_000);
});

test("arming again moves the deadline", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rings: number[] = [];
  const alarm = new Alarm(() => rings.push(clock.now()));
  wheel.arm(alarm, 1_000);
  clock.advance(900);
  wheel.arm(alarm, 1_000);
  clock.advance(5_000);
  expect(rings).toEqual([1_900]);
});

test("a deadline that is disarmed by another one of the same tick does not expire", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rings: string[] = [];
  const second = new Alarm(() => rings.push("second"));
  const third = new Alarm(() => rings.push("third"));
  const first = new Alarm(() => {
    rings.push("first");
    wheel.disarm(second);
  });
  for (const alarm of [first, second, third]) wheel.arm(alarm, 500);
  clock.advance(5_000);
  expect(rings).toEqual(["first", "third"]);
  expect(wheel.size).toBe(0);
});

test("a deadline may be armed again while it expires", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rings: number[] = [];
  const alarm: Alarm = new Alarm(() => {
    rings.push(clock.now());
    if (rings.length < 3) wheel.arm(alarm, 1_000);
  });
  wheel.arm(alarm, 1_000);
  clock.advance(10_000);
  expect(rings).toEqual([1_000, 2_000, 3_000]);
});

test("a one-shot timer expires once, or not at all when it is cancelled", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rings: string[] = [];
  wheel.after(1_000, { expire: () => rings.push("kept") });
  wheel.after(1_000, { expire: () => rings.push("cancelled") }).cancel();
  clock.advance(5_000);
  expect(rings).toEqual(["kept"]);
});

test("the wheel runs no timer when nothing is pending", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  wheel.arm(new Alarm(() => {}), 1_000);
  clock.advance(5_000);
  expect(clock.pending).toBe(0);
});

test("a deadline never expires early, nor later than two ticks", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200_000), fc.nat(5_000)), { maxLength: 40 }), (jobs) => {
      const clock = new FakeClock();
      const wheel = new TimerWheel(clock, { tickMs: 100, slotCount: 64 });
      let worst = 0;
      let early = 0;
      for (const [ms, gap] of jobs) {
        const due = clock.now() + ms;
        const alarm = new Alarm(() => {
          early = Math.max(early, due - clock.now());
          worst = Math.max(worst, clock.now() - due);
        });
        wheel.arm(alarm, ms);
        clock.advance(gap);
      }
      clock.advance(300_000);
      expect(wheel.size).toBe(0);
      expect(early).toBe(0);
      expect(worst).toBeLessThanOrEqual(200);
    }),
  );
});

test("timers that come late do not slow the wheel down", () => {
  // A clock whose every timer comes 50 ms late, as on a busy machine.
  const clock = new FakeClock();
  const wheel = new TimerWheel({
    now: () => clock.now(),
    date: () => clock.date(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms + 50),
  });
  let rangAt = 0;
  wheel.arm(new Alarm(() => (rangAt = clock.now())), 25_000);
  clock.advance(60_000);
  expect(rangAt).toBeGreaterThanOrEqual(25_000);
  expect(rangAt).toBeLessThanOrEqual(25_200);
});

test("time stands still while the event loop is blocked", () => {
  const clock = new FakeClock();
  let stall = 0;
  const wheel = new TimerWheel({
    now: () => clock.now() + stall,
    date: () => clock.date(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
  });
  let rang = false;
  wheel.arm(new Alarm(() => (rang = true)), 20_000);
  clock.advance(1_000);
  stall = 60_000;
  clock.advance(18_000);
  expect(rang).toBe(false);
  clock.advance(1_300);
  expect(rang).toBe(true);
});

test("a deadline that throws does not stop the others", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rings: string[] = [];
  const failing = new Alarm(() => {
    throw new Error("mine");
  });
  wheel.arm(failing, 500);
  wheel.arm(new Alarm(() => rings.push("same tick")), 500);
  wheel.arm(new Alarm(() => rings.push("later")), 2_000);
  expect(() => clock.advance(1_000)).toThrow("mine");
  clock.advance(3_000);
  expect(rings).toEqual(["same tick", "later"]);
});
