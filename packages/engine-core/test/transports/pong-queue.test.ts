import { expect, test } from "vitest";
import { PongQueue } from "../../src/transports/pong-queue.js";
import { FakeStream } from "../fake-stream.js";

function answer(queue: PongQueue, count: number): void {
  for (let index = 1; index <= count; index += 1) queue.answer(Buffer.from([index]));
}

/** The payloads of the pongs that the peer has got. */
function payloads(stream: FakeStream): number[] {
  return [...stream.output].filter((_, index) => index % 3 === 2);
}

test("up to 16 pings are answered, whenever the peer reads", async () => {
  const stream = new FakeStream();
  stream.isBlocked = true;
  answer(new PongQueue(stream), 16);
  expect(stream.output).toHaveLength(0);
  await stream.unblock();
  expect(payloads(stream)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
});

test("of more pings, the last is answered", async () => {
  const stream = new FakeStream();
  const queue = new PongQueue(stream);
  stream.isBlocked = true;
  answer(queue, 100);
  await stream.unblock();
  expect(payloads(stream)).toEqual([...Array.from({ length: 16 }, (_, i) => i + 1), 100]);
  queue.answer(Buffer.from([200]));
  expect(payloads(stream).at(-1)).toBe(200);
});

test("a stream that fails or ends is left alone", async () => {
  const failing = new FakeStream().on("error", () => {});
  failing.isBlocked = true;
  answer(new PongQueue(failing), 20);
  failing.destroy(new Error("gone"));
  const ending = new FakeStream();
  ending.isBlocked = true;
  answer(new PongQueue(ending), 20);
  ending.end();
  await ending.unblock();
  expect(failing.output).toHaveLength(0);
  expect(payloads(ending)).toHaveLength(16);
});
