import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { AckCollector } from "../src/ack-collector.js";
import { AckTimeoutError } from "../src/errors.js";

function collect(): { clock: FakeClock; collector: AckCollector; done: unknown[][] } {
  const clock = new FakeClock();
  const done: unknown[][] = [];
  const collector = new AckCollector({
    clock,
    timeout: 100,
    onDone: (...args) => void done.push(args),
  });
  return { clock, collector, done };
}

test("it is complete when all servers have counted and all clients have answered (B5)", () => {
  const { collector, done, clock } = collect();
  collector.addClientCount(2);
  collector.addResponse("a");
  collector.expectServers(2);
  collector.addResponse("b");
  expect(done).toEqual([]);
  collector.addClientCount(1);
  collector.addResponse("c");
  expect(done).toEqual([[null, ["a", "b", "c"]]]);
  expect(clock.pending).toBe(0);
});

test("nobody to ask is complete with no responses", () => {
  const { collector, done } = collect();
  collector.addClientCount(0);
  collector.expectServers(1);
  expect(done).toEqual([[null, []]]);
});

test("a timeout comes with the responses so far (behaviour 113)", () => {
  const { collector, done, clock } = collect();
  collector.expectServers(1);
  collector.addClientCount(2);
  collector.addResponse("a");
  clock.advance(100);
  collector.addResponse("late");
  expect(done).toHaveLength(1);
  const error = done[0]?.[0];
  expect(error).toBeInstanceOf(AckTimeoutError);
  expect(error).toMatchObject({ code: "ERR_ACK_TIMEOUT", message: "operation has timed out" });
});

test("a cancelled collector says nothing", () => {
  const { collector, done, clock } = collect();
  collector.cancel();
  collector.expectServers(1);
  collector.addClientCount(0);
  clock.advance(1000);
  expect(done).toEqual([]);
});
