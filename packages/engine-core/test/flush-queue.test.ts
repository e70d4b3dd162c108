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

/** Has nothing in common with others. */
function flushable(onTickEnd: () => unknown): Flushable {
  return { bufferedBytes: 0, onTickEnd, handOver: () => false };
}
