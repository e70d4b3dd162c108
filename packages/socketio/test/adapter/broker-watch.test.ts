import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { BrokerWatch } from "../../src/adapter/broker-watch.js";
import { settled } from "../harness.js";

function setUp() {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const watch = new BrokerWatch({ handlerFailed: (error) => errors.push(error) }, clock);
  return { clock, errors, watch };
}

test("of many failures the first is told, and the next one after a success", async () => {
  const { errors, watch } = setUp();
  for (const text of ["one", "two"]) watch.watch(Promise.reject(new Error(text)));
  await settled();
  expect(errors).toEqual([new Error("one")]);
  watch.watch(Promise.resolve());
  await settled();
  watch.watch(Promise.reject(new Error("three")));
  await settled();
  expect(errors).toEqual([new Error("one"), new Error("three")]);
});

test("a broker that does not answer for five seconds is told of once", async () => {
  const { clock, errors, watch } = setUp();
  let answer: (() => void) | undefined;
  watch.watch(
    new Promise<void>((resolve) => {
      answer = resolve;
    }),
  );
  clock.advance(4999);
  expect(errors).toEqual([]);
  clock.advance(20_000);
  expect(errors).toEqual([expect.objectContaining({ code: "ERR_CLUSTER_TIMEOUT" })]);
  answer?.();
  await settled();
  expect(clock.pending).toBe(0);
});

test("a busy broker that answers is no stalled one", async () => {
  const { clock, errors, watch } = setUp();
  watch.watch(new Promise(() => {}));
  for (let round = 0; round < 5; round++) {
    clock.advance(2500);
    watch.watch(Promise.resolve());
    await settled();
  }
  expect(errors).toEqual([]);
});

test("after close() nobody is told, and no timer is left", async () => {
  const { clock, errors, watch } = setUp();
  watch.watch(new Promise(() => {}));
  watch.close();
  watch.watch(Promise.reject(new Error("gone")));
  await settled();
  clock.advance(10_000);
  expect({ errors, pending: clock.pending }).toEqual({ errors: [], pending: 0 });
});
