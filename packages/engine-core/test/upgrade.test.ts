import { PacketError } from "@jackfield/parser";
import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { TransportError } from "../src/errors.js";
import { UpgradeProbe } from "../src/upgrade.js";
import { FakeTransport } from "./fake-transport.js";

function makeProbe() {
  const clock = new FakeClock();
  const candidate = new FakeTransport("websocket");
  const log: string[] = [];
  const probe = new UpgradeProbe(
    {
      onProbe: () => log.push("probe"),
      releasePoll: () => log.push(`release at ${clock.now()}`),
      onUpgrade: () => log.push("upgrade"),
      onUpgradeFailed: () => log.push("failed"),
    },
    candidate,
    clock,
    { upgradeTimeout: 10_000 },
  );
  return { probe, candidate, clock, log };
}

test("a probe is answered, and polls are released every 100 ms until the upgrade (49)", () => {
  const { candidate, clock, log } = makeProbe();
  candidate.peer.onPacket({ type: "ping", data: "probe" });
  expect(candidate.sent).toEqual([[{ type: "pong", data: "probe" }]]);
  clock.advance(250);
  candidate.peer.onPacket({ type: "upgrade" });
  clock.advance(20_000);
  expect(log).toEqual(["probe", "release at 100", "release at 200", "upgrade"]);
  expect(clock.pending).toBe(0);
});

test("an upgrade without a probe is accepted (50)", () => {
  const { candidate, log } = makeProbe();
  candidate.peer.onPacket({ type: "upgrade" });
  expect(log).toEqual(["upgrade"]);
});

test.each([
  ["any other packet", (c: FakeTransport) => c.peer.onPacket({ type: "message", data: "a" })],
  ["a ping without the word", (c: FakeTransport) => c.peer.onPacket({ type: "ping" })],
  ["the end of the candidate", (c: FakeTransport) => c.peer.onClose()],
  [
    "an error of the candidate",
    (c: FakeTransport) => c.peer.onError(new TransportError("ERR_TRANSPORT_CONNECTION", "x")),
  ],
  ["garbage", (c: FakeTransport) => c.peer.onParseError(new PacketError("ERR_PACKET_TYPE", "x"))],
])("%s ends the attempt, and only the attempt (50, 53)", (_name, fail) => {
  const { candidate, clock, log } = makeProbe();
  fail(candidate);
  candidate.peer.onPacket({ type: "upgrade" });
  clock.advance(20_000);
  expect(log).toEqual(["failed"]);
  expect(candidate.log).toEqual(["close"]);
  expect(clock.pending).toBe(0);
});

test("an attempt that takes too long closes the candidate (53)", () => {
  const { candidate, clock, log } = makeProbe();
  clock.advance(10_000);
  expect(log).toEqual(["failed"]);
  expect(candidate.log).toEqual(["close"]);
});

test("a cancelled attempt says nothing", () => {
  const { probe, candidate, clock, log } = makeProbe();
  candidate.peer.onPacket({ type: "ping", data: "probe" });
  probe.cancel();
  clock.advance(20_000);
  expect(log).toEqual(["probe"]);
  expect(candidate.log).toEqual(["close"]);
});
