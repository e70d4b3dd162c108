import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { createHeartbeat } from "../src/heartbeat.js";
import { TimerWheel } from "../src/timer-wheel.js";

const options = { pingInterval: 25_000, pingTimeout: 20_000 };

test("a silent peer is pinged, then timed out (57)", () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const log: string[] = [];
  createHeartbeat(4, wheel, options, {
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
  const heartbeat = createHeartbeat(4, new TimerWheel(clock), options, {
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

test("a client of protocol 3 pings, and has the interval and the timeout for it (58)", () => {
  const clock = new FakeClock();
  const timeouts: number[] = [];
  const heartbeat = createHeartbeat(3, new TimerWheel(clock), options, {
    sendPing: () => expect.unreachable(),
    onPingTimeout: () => timeouts.push(clock.now()),
  });
  heartbeat.restart();
  clock.advance(40_000);
  heartbeat.restart();
  clock.advance(100_000);
  expect(timeouts).toEqual([85_000]);
});

test("a packet gives a pong that is due its whole time once more, and only once (57)", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const heartbeat = createHeartbeat(4, new TimerWheel(clock), options, {
    sendPing: () => log.push(`ping at ${clock.now()}`),
    onPingTimeout: () => log.push(`timeout at ${clock.now()}`),
  });
  heartbeat.restart();
  clock.advance(20_000);
  heartbeat.onPacket();
  clock.advance(15_000);
  heartbeat.onPacket();
  clock.advance(15_000);
  heartbeat.onPacket();
  clock.advance(100_000);
  expect(log).toEqual(["ping at 25000", "timeout at 55000"]);
});
