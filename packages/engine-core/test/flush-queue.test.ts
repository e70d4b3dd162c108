import { Writable, type Duplex } from "node:stream";
import { expect, test } from "vitest";
import { type Flushable, FlushQueue } from "../src/flush-queue.js";
import { tick } from "./fixtures.js";

test("everything is flushed at the end of the tick, in order", async () => {
  const log: string[] = [];
  const queue = new FlushQueue();
  queue.add(flushable(() => log.push("first")));
  queue.add(flushable(() => log.push("second")));
  log.push("end of code");
  await tick();
  expect(log).toEqual(["end of code", "first", "second"]);
});

test("what is added during a flush is flushed after it", async () => {
  const log: string[] = [];
  const queue = new FlushQueue();
  queue.add(
    flushable(() => {
      queue.add(flushable(() => log.push("added")));
      log.push("adding");
    }),
  );
  queue.add(flushable(() => log.push("other")));
  await tick();
  await tick();
  expect(log).toEqual(["adding", "other", "added"]);
});

test("what is added while a chunk is read is flushed when the chunk is read", async () => {
  const log: string[] = [];
  const queue = new FlushQueue();
  queue.add(flushable(() => log.push("before")));
  queue.onChunkStart();
  queue.add(flushable(() => log.push("answer")));
  log.push("read");
  queue.onChunkEnd();
  expect(log).toEqual(["read", "before", "answer"]);
  queue.add(flushable(() => log.push("after")));
  await tick();
  expect(log).toEqual(["read", "before", "answer", "after"]);
});

test("what sessions have in common leaves in order, and before a listener hears of anything", async () => {
  const log: string[] = [];
  const queue = new FlushQueue();
  for (let index = 0; index < 20; index += 1) queue.add(sharing(`shared ${index}`, log));
  queue.add(flushable(() => log.push("by itself")));
  queue.add(sharing("last", log));
  await tick();
  expect(log).toEqual([
    ...Array.from({ length: 20 }, (_, index) => `shared ${index}`),
    "by itself",
    "last",
  ]);
});

test("where somebody wants to hear of every flush, nothing is written without telling", async () => {
  const log: string[] = [];
  const listeners = { flush: 0, drain: 1 };
  const queue = new FlushQueue({ listenerCount: (event) => listeners[event] });
  const add = (): void => {
    for (const name of ["a", "b"]) queue.add(sharing(name, log));
  };
  add();
  await tick();
  expect(log).toEqual(["told of a", "told of b"]);
  listeners.drain = 0;
  add();
  await tick();
  expect(log.slice(2)).toEqual(["a", "b"]);
});

test("the packets of a run are not kept", async () => {
  const queue = new FlushQueue();
  const [before, packet] = [[], { type: "message", data: "a", frame: undefined } as const];
  const after = queue.shared.extend(before, packet);
  queue.add(flushable(() => {}));
  await tick();
  expect(queue.shared.extend(before, packet)).not.toBe(after);
});

/** Has something to write that others write, too. */
function sharing(name: string, log: string[]): Flushable {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      log.push(name);
      done();
    },
  });
  return {
    bufferedBytes: 1,
    onTickEnd: () => log.push(`told of ${name}`),
    handOver(writes) {
      writes.add({ onFull() {}, onThrown() {} }, stream as Duplex, name);
      return true;
    },
  };
}

/** Has nothing in common with others. */
function flushable(onTickEnd: () => unknown): Flushable {
  return { bufferedBytes: 0, onTickEnd, handOver: () => false };
}
