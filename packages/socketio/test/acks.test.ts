import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { Acks, PendingAck } from "../src/acks.js";
import { noop } from "./harness.js";

function pendingAck(): { ack: PendingAck; settled: unknown[][] } {
  const settled: unknown[][] = [];
  return {
    settled,
    ack: new PendingAck((error, args) => void settled.push([error?.message, args])),
  };
}

test("a pending acknowledgement settles once", () => {
  const { ack, settled } = pendingAck();
  ack.settle(null, [1]);
  ack.settle(new Error("late"), []);
  expect(settled).toEqual([[undefined, [1]]]);
});

test("a timed acknowledgement fails and is removed when the time is over", () => {
  const clock = new FakeClock();
  const acks = new Acks();
  const { ack, settled } = pendingAck();
  acks.addTimed(7, ack, { ms: 100, clock });
  clock.advance(99);
  expect(settled).toEqual([]);
  clock.advance(1);
  expect(settled).toEqual([["operation has timed out", []]]);
  expect(acks.size).toBe(0);
});

test("an answer stops the timer", () => {
  const clock = new FakeClock();
  const acks = new Acks();
  const { ack } = pendingAck();
  acks.addTimed(7, ack, { ms: 100, clock });
  acks.take(7);
  ack.settle(null, []);
  expect(clock.pending).toBe(0);
});

test("an acknowledgement can be taken once", () => {
  const acks = new Acks();
  acks.set(1, noop);
  expect(acks.take(1)).toBe(noop);
  expect(acks.take(1)).toBeUndefined();
});

test("failing all settles those that want to know and drops the functions (behaviour 105)", () => {
  const acks = new Acks();
  const { ack, settled } = pendingAck();
  let called = false;
  acks.set(1, ack);
  acks.set(2, () => {
    called = true;
  });
  acks.failAll(new Error("gone"));
  expect(settled).toEqual([["gone", []]]);
  expect(called).toBe(false);
  expect(acks.size).toBe(0);
});
