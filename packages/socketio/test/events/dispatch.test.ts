import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { callHandler, dispatch, watchAdapter } from "../../src/events/dispatch.js";
import { settled } from "../harness.js";

class Scope extends EventEmitter {
  readonly failures: unknown[][] = [];

  handlerFailed(...failure: unknown[]): void {
    this.failures.push(failure);
  }
}

test("all listeners are called with the emitter as this", () => {
  const scope = new Scope();
  const calls: unknown[] = [];
  scope.on("a", function listener(this: unknown, ...args: unknown[]) {
    calls.push(this === scope, args);
  });
  scope.once("a", () => calls.push("once"));
  dispatch(scope, "a", [1, 2], "listener");
  dispatch(scope, "a", [], "listener");
  expect(calls).toEqual([true, [1, 2], "once", true, []]);
});

test("a listener that throws stops neither the others nor the caller", () => {
  const scope = new Scope();
  const error = new Error("oops");
  let isReached = false;
  scope.on("a", () => {
    throw error;
  });
  scope.on("a", () => {
    isReached = true;
  });
  dispatch(scope, "a", [], "listener");
  expect(isReached).toBe(true);
  expect(scope.failures).toEqual([[error, "listener", "a"]]);
});

test("the rejection of an async listener is reported", async () => {
  const scope = new Scope();
  const error = new Error("oops");
  scope.on("a", () => Promise.reject(error));
  dispatch(scope, "a", [], "listener");
  await settled();
  expect(scope.failures).toEqual([[error, "listener", "a"]]);
});

test("an error event that nobody hears is no error (K21)", () => {
  const scope = new Scope();
  dispatch(scope, "error", [new Error("unheard")], "listener");
  expect(scope.failures).toEqual([]);
});

test("more arguments than a call can have are a failure, not a crash (Q21)", () => {
  const scope = new Scope();
  const args = Array.from({ length: 1_000_000 }, () => 0);
  scope.on("a", () => {});
  dispatch(scope, "a", args, "listener");
  callHandler(scope, () => {}, args, ["acknowledgement"]);
  expect(scope.failures.map(([error]) => error)).toEqual([
    expect.any(RangeError),
    expect.any(RangeError),
  ]);
});

test("a promise that an adapter returns is watched", async () => {
  const scope = new Scope();
  const error = new Error("broker is gone");
  watchAdapter(scope, Promise.reject(error));
  watchAdapter(scope, undefined);
  await settled();
  expect(scope.failures).toEqual([[error, "adapter"]]);
});
