import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { Heartbeat } from "../src/heartbeat.js";
import { TimerWheel } from "../src/timer-wheel.js";

const options = { pingInterval: 25_000, pingTimeout: 20_000 };

test("a silent peer is pinged, then timed out (57)", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const log: string[] = [];
  new Heartbeat(wheel, options, {
    sendPing: () => log.push(`ping at ${clock.now()}`),
    onPingTimeout: () => log.push(`timeout at ${clock.now()}`),
  }).restart();
  clock.advance(100_000);
  expect(log).toEqual(["ping at 25000", "timeout at 45000"]);
  expect(wheel.size).toBe(0);
});

test("a pong starts the next interval", () => {
  const clock = new FakeClock();
  const pings: number[] = [];
  const heartbeat = new Heartbeat(new TimerWheel(clock), options, {
    sendPing: () => pings.push(clock.now()),
    onPingTimeout: () => expect.unreachable(),
  });
  heartbeat.restart();
  clock.advance(30_000);
  heartbeat.restart();
  clock.advance(30_000);
  heartbeat.stop();
  clock.advance(100_000);
  expect(pings).toEqual([25_000, 55_000]);
});
