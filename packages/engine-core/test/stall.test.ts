import { FakeClock } from "@jackfield/testkit";
import type { IncomingMessage } from "node:http";
import { codecV3, codecV4, type PacketCodec } from "@jackfield/parser";
import { expect, test } from "vitest";
import { Session } from "../src/session.js";
import { TimerWheel } from "../src/timer-wheel.js";
import { FakeTransport } from "./fake-transport.js";
import { makeSession } from "./fixtures.js";

/** A crowd of sessions with the default times, on a loop that can be blocked. */
function openCrowd(codec: PacketCodec) {
  const clock = new FakeClock();
  let blockedFor = 0;
  const blockable = {
    now: () => clock.now() + blockedFor,
    date: () => clock.date(),
    setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms),
  };
  const context = {
    ...makeSession().context,
    clock: blockable,
    scheduler: new TimerWheel(blockable),
  };
  const request = { socket: {} } as unknown as IncomingMessage;
  const peers = Array.from({ length: 100 }, (_, index) => {
    const transport = new FakeTransport();
    const session = new Session(context, { id: `${index}`, codec, transport, request });
    session.open();
    return { session, transport };
  });
  return {
    clock,
    peers,
    /** Time passes, and no timer runs meanwhile; then those that are due do, before any input. */
    block: (ms: number) => {
      blockedFor += ms;
      clock.advance(200);
    },
    states: () => new Set(peers.map(({ session }) => session.readyState)),
  };
}

test("clients whose pongs came while the loop was blocked for 30 s are kept (Q23)", () => {
  const { clock, peers, block, states } = openCrowd(codecV4);
  clock.advance(25_200);
  block(30_000);
  expect(states()).toEqual(new Set(["open"]));
  for (const { transport } of peers) transport.peer.onPacket({ type: "pong" });
  clock.advance(25_200);
  block(30_000);
  for (const { transport } of peers) transport.peer.onPacket({ type: "pong" });
  clock.advance(20_000);
  expect(states()).toEqual(new Set(["open"]));
});

test("clients of protocol 3 whose pings came while the loop was blocked are kept (Q23)", () => {
  const { clock, peers, block, states } = openCrowd(codecV3);
  clock.advance(24_000);
  block(30_000);
  expect(states()).toEqual(new Set(["open"]));
  for (const { transport } of peers) transport.peer.onPacket({ type: "ping" });
  clock.advance(44_000);
  expect(states()).toEqual(new Set(["open"]));
});

test("clients that stay silent are found after a stall as well", () => {
  const { clock, block, states } = openCrowd(codecV4);
  clock.advance(25_200);
  block(30_000);
  clock.advance(20_200);
  expect(states()).toEqual(new Set(["closed"]));
});

test("clients get a ping as soon as the loop runs again, before they give up (Q23)", () => {
  // The client gives up 45 s after the last ping; it was told so in the open packet.
  for (const start of [1000, 10_000, 14_000, 25_150, 30_000, 39_000]) {
    const { clock, peers, block } = openCrowd(codecV4);
    const [{ session, transport }] = peers as [(typeof peers)[number]];
    const pings: number[] = [];
    let answered = 0;
    let blocked = 0;
    const look = (): void => {
      session.flush();
      const count = transport.sent.flat().filter(({ type }) => type === "ping").length;
      while (pings.length < count) pings.push(clock.now() + blocked);
      if (pings.length > answered) transport.peer.onPacket({ type: "pong" });
      answered = pings.length;
    };
    const pass = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 100) {
        clock.advance(100);
        look();
      }
    };
    pass(start);
    blocked = 30_000;
    block(30_000);
    look();
    pass(60_000);
    const times = [0, ...pings];
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(1);
    expect(Math.max(...gaps)).toBeLessThan(45_000);
  }
});

test("a ping whose answer may have waited is sent again after a long stall, not after a short one", () => {
  for (const { ms, count } of [
    { ms: 5000, count: 1 },
    { ms: 10_000, count: 2 },
  ]) {
    const { clock, peers, block, states } = openCrowd(codecV4);
    clock.advance(25_200);
    block(ms);
    const [{ session, transport }] = peers as [(typeof peers)[number]];
    session.flush();
    expect(transport.sent.flat().filter(({ type }) => type === "ping")).toHaveLength(count);
    clock.advance(20_500);
    expect(states()).toEqual(new Set(["closed"]));
  }
});
