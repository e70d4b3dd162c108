import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { LazyEmitter } from "../../src/events/typed-emitter.js";

class Lazy extends LazyEmitter {}

test("a lazy emitter is an EventEmitter", () => {
  expect(new Lazy()).toBeInstanceOf(EventEmitter);
});

test("a lazy emitter has no table of listeners before its first listener", () => {
  const lazy = new Lazy();
  expect(Object.keys(lazy)).toEqual([]);
  lazy.on("a", () => {});
  expect(Object.keys(lazy)).toContain("_events");
});

test("the methods of an emitter work without listeners", () => {
  const lazy = new Lazy();
  expect(lazy.emit("a")).toBe(false);
  expect(lazy.eventNames()).toEqual([]);
  expect(lazy.listenerCount("a")).toBe(0);
  expect(lazy.rawListeners("a")).toEqual([]);
  expect(lazy.off("a", () => {})).toBe(lazy);
  expect(lazy.removeAllListeners()).toBe(lazy);
  expect(lazy.getMaxListeners()).toBe(EventEmitter.defaultMaxListeners);
});

test("lazy emitters do not share listeners", async () => {
  const [first, second] = [new Lazy(), new Lazy()];
  const event = once(first, "a");
  expect(second.emit("a")).toBe(false);
  expect(first.emit("a", 1)).toBe(true);
  expect(await event).toEqual([1]);
});
