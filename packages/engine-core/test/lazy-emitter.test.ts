import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { LazyEmitter } from "../src/lazy-emitter.js";

class Thing extends LazyEmitter<{ ready: [value: number] }> {}

test("it is an EventEmitter without a table of listeners", () => {
  const thing = new Thing();
  expect(thing).toBeInstanceOf(EventEmitter);
  expect(Object.keys(thing)).toEqual([]);
  expect(thing.emit("ready", 1)).toBe(false);
  expect(thing.listenerCount("ready")).toBe(0);
});

test("listeners of one object are not those of another", async () => {
  const [left, right] = [new Thing(), new Thing()];
  const heard: number[] = [];
  left.on("ready", (value) => heard.push(value));
  right.emit("ready", 1);
  const next = once(left, "ready");
  left.emit("ready", 2);
  left.removeAllListeners();
  left.emit("ready", 3);
  expect(heard).toEqual([2]);
  expect(await next).toEqual([2]);
});
