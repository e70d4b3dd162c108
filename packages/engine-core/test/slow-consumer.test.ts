import { expect, test } from "vitest";
import { SlowConsumerError } from "../src/errors.js";
import type { ServerOptions } from "../src/options.js";
import type { SlowConsumerFunction } from "../src/slow-consumer.js";
import { openSession, tick } from "./fixtures.js";

const KIB = "x".repeat(1024);

/** A session whose peer does not read, with the closings that it tells of. */
function openStalled(options: ServerOptions) {
  const made = openSession(options);
  made.transport.writable = false;
  const closings: [string, Error | undefined][] = [];
  made.session.on("close", (reason, description) => closings.push([reason, description]));
  return { ...made, closings };
}

test("a session at its bound is closed, and what waited is freed", async () => {
  const { session, closings, context, transport } = openStalled({ maxBufferedBytes: 4500 });
  for (let count = 0; count < 4; count += 1) session.send(KIB);
  expect(session.bufferedBytes).toBe(4096);
  expect(session.readyState).toBe("open");
  session.send(KIB);
  expect(session.bufferedBytes).toBe(0);
  expect(session.writeBuffer).toEqual([]);
  expect(closings).toEqual([]);
  session.send(KIB);
  await tick();
  expect(closings).toEqual([["transport error", expect.any(SlowConsumerError)]]);
  expect(closings[0]?.[1]).toMatchObject({
    code: "ERR_SLOW_CONSUMER",
    bufferedBytes: 4096,
    bufferedPackets: 4,
    maxBufferedBytes: 4500,
  });
  expect(session.readyState).toBe("closed");
  expect(context.counters).toEqual({ slowConsumers: 1, droppedMessages: 0 });
  expect(transport.sent).toEqual([]);
});

test("the connection is cut, not closed in good order", async () => {
  const { session, transport } = openStalled({ maxBufferedBytes: 100 });
  session.send("a");
  session.send("b");
  await tick();
  expect(transport.log.at(-1)).toBe("destroy");
});

/** The same, after a message of which the transport still holds some bytes. */
async function openHolding(bytes: number, options: ServerOptions) {
  const made = openSession(options);
  made.transport.bufferedBytes = bytes;
  made.session.send("x");
  await tick();
  made.transport.writable = false;
  return made;
}

test("what the transport holds counts", async () => {
  const { session } = await openHolding(1900, { maxBufferedBytes: 2000 });
  session.send("a".repeat(36));
  expect(session.readyState).toBe("open");
  session.send("");
  await tick();
  expect(session.readyState).toBe("closed");
});

test("what the transport has got rid of does not count", async () => {
  const { session, transport } = await openHolding(1900, { maxBufferedBytes: 2000 });
  transport.bufferedBytes = 900;
  session.send("a".repeat(1036));
  expect(session.readyState).toBe("open");
  session.send("");
  await tick();
  expect(session.readyState).toBe("closed");
});

test("empty messages do not wait without a bound", async () => {
  const { session } = openStalled({ maxBufferedBytes: 6400 });
  for (let count = 0; count < 100; count += 1) session.send("");
  expect(session.writeBuffer).toHaveLength(100);
  session.send("");
  expect(session.writeBuffer).toHaveLength(0);
  await tick();
  expect(session.readyState).toBe("closed");
});

test("messages that many sessions share count as well", async () => {
  const { session } = openStalled({ maxBufferedBytes: 2000 });
  const message = { type: "message", data: KIB, options: undefined, frame: undefined } as const;
  session.sendPrepared({ ...message });
  session.sendPrepared({ ...message });
  await tick();
  expect(session.readyState).toBe("closed");
});

test("a burst is judged by what waits, also while the peer reads", async () => {
  const { session, transport } = openSession({ maxBufferedBytes: 5000 });
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 4; count += 1) session.send(KIB);
    await tick();
  }
  expect(session.readyState).toBe("open");
  expect(transport.sent.flat()).toHaveLength(40);
});

test("one message that is larger than the bound reaches a peer that reads", async () => {
  const { session, transport } = openSession({ maxBufferedBytes: 1600 });
  session.send("header");
  session.send("x".repeat(5000));
  await tick();
  expect(transport.sent.flat().map(({ data }) => data?.length)).toEqual([6, 5000]);
});

test("one message that is larger than the bound is too much behind others", async () => {
  const { session } = openSession({ maxBufferedBytes: 1600 });
  session.send("x".repeat(500));
  session.send("x".repeat(5000));
  await tick();
  expect(session.readyState).toBe("closed");
});

test("a message that is smaller than the bound never takes a session over it", async () => {
  const { session } = openSession({ maxBufferedBytes: 1600 });
  session.send("x".repeat(20));
  session.send("x".repeat(1590));
  expect(session.bufferedBytes).toBe(0);
  await tick();
  expect(session.readyState).toBe("closed");
});

test("the packets of the protocol are never refused", async () => {
  const { session, clock } = openStalled({ maxBufferedBytes: 100 });
  session.send("a");
  clock.advance(25_100);
  expect(session.writeBuffer.map(({ type }) => type)).toEqual(["message", "ping"]);
  expect(session.readyState).toBe("open");
});

test("Infinity is no bound", () => {
  const { session } = openStalled({ maxBufferedBytes: Infinity });
  for (let count = 0; count < 100; count += 1) session.send("x".repeat(1_000_000));
  expect(session.bufferedBytes).toBe(100_000_000);
});

test("a callback of a message that was dropped is not called", async () => {
  const verdicts: SlowConsumerFunction = () => "drop";
  const { session, transport } = openStalled({ maxBufferedBytes: 100, slowConsumer: verdicts });
  const called: string[] = [];
  session.send("taken", () => called.push("taken"));
  session.send("dropped", () => called.push("dropped"));
  transport.writable = true;
  transport.peer.onReady();
  transport.finishWriting();
  expect(called).toEqual(["taken"]);
});

test("a function that drops keeps the session, and nothing grows", () => {
  const asked: unknown[] = [];
  const slowConsumer: SlowConsumerFunction = (session, backlog) => {
    asked.push([session.id, backlog]);
    return "drop";
  };
  const { session, context } = openStalled({ maxBufferedBytes: 4500, slowConsumer });
  for (let count = 0; count < 1000; count += 1) session.send(KIB);
  expect(session.readyState).toBe("open");
  expect(session.bufferedBytes).toBe(4096);
  expect(context.counters).toEqual({ slowConsumers: 0, droppedMessages: 996 });
  expect(asked[0]).toEqual([
    "sid",
    { bufferedBytes: 4096 + 4 * 64, messageBytes: 1024, maxBufferedBytes: 4500 },
  ]);
});

test("a function can keep messages up to twice the bound", async () => {
  let most = 0;
  const { session, closings, context } = openStalled({
    maxBufferedBytes: 10_000,
    slowConsumer: () => "keep",
  });
  for (let count = 0; count < 100; count += 1) {
    session.send(KIB);
    most = Math.max(most, session.bufferedBytes);
  }
  await tick();
  expect(most).toBe(18 * 1024);
  expect(closings.map(([reason]) => reason)).toEqual(["transport error"]);
  expect(context.counters.slowConsumers).toBe(1);
});

test("a function can disconnect", async () => {
  const { session } = openStalled({ maxBufferedBytes: 100, slowConsumer: () => "disconnect" });
  session.send("a");
  session.send("b");
  await tick();
  expect(session.readyState).toBe("closed");
});

const failure = new Error("mine");

test.each<[string, () => unknown, unknown[]]>([
  [
    "throws",
    () => {
      throw failure;
    },
    [failure],
  ],
  ["gives no verdict", () => undefined, [expect.any(TypeError)]],
  ["rejects", () => Promise.reject(failure), [expect.any(TypeError), failure]],
])("a function that %s is reported, and the session closed", async (_name, policy, expected) => {
  const slowConsumer = policy as SlowConsumerFunction;
  const { session, errors } = openStalled({ maxBufferedBytes: 100, slowConsumer });
  session.send("a");
  session.send("b");
  await tick();
  await tick();
  expect(errors).toEqual(expected);
  expect(session.readyState).toBe("closed");
});

test.each(["keep", "disconnect"] as const)("a function may close, and say %s", async (verdict) => {
  const made = openStalled({
    maxBufferedBytes: 100,
    slowConsumer: () => {
      made.session.destroy();
      return verdict;
    },
  });
  made.session.send("a");
  made.session.send("b");
  await tick();
  expect(made.closings).toEqual([["forced close", undefined]]);
  expect(made.session.writeBuffer).toEqual([]);
});

test("volatile packets may wait up to a sixteenth of the bound", async () => {
  const { session } = openStalled({ maxBufferedBytes: 16_000, slowConsumer: "drop-volatile" });
  session.send("x".repeat(800));
  expect(session.writable).toBe(true);
  session.send("x".repeat(100));
  expect(session.writable).toBe(false);
  session.send("x".repeat(14_000));
  expect(session.readyState).toBe("open");
  session.send(KIB);
  await tick();
  expect(session.readyState).toBe("closed");
  expect(session.writable).toBe(false);
});

test("an answer to pings that wait already is not repeated", () => {
  const { session, transport } = openStalled({ maxBufferedBytes: 100 });
  Object.defineProperty(session, "protocol", { value: 3 });
  for (let count = 0; count < 100; count += 1) transport.peer.onPacket({ type: "ping" });
  expect(session.writeBuffer.map(({ type }) => type)).toEqual(["pong"]);
  transport.writable = true;
  transport.peer.onPacket({ type: "ping" });
  expect(session.writeBuffer).toHaveLength(2);
});

test("destroy closes at once, whatever waits", () => {
  const { session, transport, closings } = openStalled({});
  session.send("a");
  session.destroy();
  expect(closings).toEqual([["forced close", undefined]]);
  expect(transport.log.at(-1)).toBe("destroy");
});

test("closeWithin sends what waits, and cuts a peer that does not read", async () => {
  const reading = openSession();
  reading.transport.writable = false;
  reading.session.send("last words");
  const read = reading.session.closeWithin(1000);
  expect(reading.session.readyState).toBe("closing");
  reading.transport.writable = true;
  reading.transport.peer.onReady();
  reading.clock.advance(300);
  expect(await read).toBe(true);
  expect(reading.transport.sent).toEqual([[{ type: "message", data: "last words" }]]);
  expect(reading.transport.log).not.toContain("destroy");

  const stalled = openStalled({});
  stalled.session.send("last words");
  const cut = stalled.session.closeWithin(1000);
  stalled.clock.advance(900);
  expect(stalled.closings).toEqual([]);
  stalled.clock.advance(400);
  expect(await cut).toBe(false);
  expect(stalled.closings).toEqual([["forced close", undefined]]);
  expect(stalled.transport.log.at(-1)).toBe("destroy");
});
