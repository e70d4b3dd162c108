import { expect, test } from "vitest";
import { systemClock } from "../src/clock.js";

test("a timer calls back once, a cancelled one does not", async () => {
  const called: string[] = [];
  systemClock.setTimeout(() => called.push("cancelled"), 1).cancel();
  await new Promise<void>((resolve) => {
    systemClock.setTimeout(() => {
      called.push("kept");
      resolve();
    }, 2);
    // Timers of the clock do not keep the process alive; this test has to.
    const alive = setInterval(() => called.includes("kept") && clearInterval(alive), 1);
  });
  expect(called).toEqual(["kept"]);
});

test("time goes forward, and the date is the wall's", () => {
  const before = systemClock.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  expect(systemClock.date()).toBeInstanceOf(Date);
});
