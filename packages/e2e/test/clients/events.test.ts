import { describe, expect, test } from "vitest";
import { CELLS, collect, pair, roundTrip } from "../support/clients.js";
import { startServer } from "../support/subject.js";
import { received, rejection } from "../support/wait.js";

const SENT = [
  null,
  true,
  false,
  0,
  -1.5,
  1e21,
  "",
  "text",
  [],
  [1, [2, [3]]],
  {},
  { a: { b: [null, { c: "d" }] }, "key with space": 1 },
  undefined,
  Number.NaN,
  new Date(0),
  { toJSON: () => "converted" },
  { kept: 1, dropped: undefined },
  '42["not a packet"]',
  { _placeholder: true, num: 0 },
];

// What JSON makes of it.
const ARRIVED = [
  ...SENT.slice(0, 12),
  null,
  null,
  "1970-01-01T00:00:00.000Z",
  "converted",
  { kept: 1 },
  '42["not a packet"]',
  { _placeholder: true, num: 0 },
];

describe.each(CELLS)("$name", (cell) => {
  test("the client sends arguments of every kind and the acknowledgement returns them", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const arrived = received(socket, "kinds");
    socket.on("kinds", (...args: unknown[]) => {
      const acknowledge = args.pop() as (...values: unknown[]) => void;
      acknowledge(...args);
    });
    const answer = await new Promise<unknown[]>((resolve) => {
      client.emit("kinds", ...SENT, (...values: unknown[]) => resolve(values));
    });
    expect((await arrived).slice(0, -1)).toEqual(ARRIVED);
    expect(answer).toEqual(ARRIVED);
  });

  test("the server sends arguments of every kind and the acknowledgement returns them", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const arrived = received(client, "kinds");
    client.on("kinds", (...args: unknown[]) => {
      const acknowledge = args.pop() as (...values: unknown[]) => void;
      acknowledge(...args);
    });
    const answer = await new Promise<unknown[]>((resolve) => {
      socket.emit("kinds", ...SENT, (...values: unknown[]) => resolve(values));
    });
    expect((await arrived).slice(0, -1)).toEqual(ARRIVED);
    expect(answer).toEqual(ARRIVED);
  });

  test("an event without arguments arrives without arguments", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = collect(socket, "bare");
    const onClient = collect(client, "bare");
    client.emit("bare");
    socket.emit("bare");
    await roundTrip(client);
    expect(onServer).toEqual([[]]);
    expect(onClient).toEqual([[]]);
  });

  test("send() emits a message event in both directions", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = collect(socket, "message");
    const onClient = collect(client, "message");
    client.send("from the client", 1);
    socket.send("from the server", 2);
    socket.write("written", 3);
    await roundTrip(client);
    expect(onServer).toEqual([["from the client", 1]]);
    expect(onClient).toEqual([
      ["from the server", 2],
      ["written", 3],
    ]);
  });

  test("an event name may be any string that is not reserved", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    for (const name of ["", "with space", "__proto__", "constructor", "é\u{1f600}", "connection"]) {
      const onServer = collect(socket, name);
      const onClient = collect(client, name);
      client.emit(name, 1);
      socket.emit(name, 2);
      await roundTrip(client);
      expect([name, onServer, onClient]).toEqual([name, [[1]], [[2]]]);
    }
  });

  test("reserved event names cannot be emitted by the server", async () => {
    const { socket } = await pair(await startServer(), cell);
    for (const name of ["connect", "connect_error", "disconnect", "disconnecting"]) {
      expect(() => socket.emit(name)).toThrow(`"${name}" is a reserved event name`);
    }
  });

  test("once() and off() on the server's socket stop the delivery", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const calls: unknown[] = [];
    const listener = (value: unknown): void => {
      calls.push(value);
    };
    socket.once("event", (value: unknown) => calls.push(["once", value]));
    socket.on("event", listener);
    client.emit("event", 1);
    client.emit("event", 2);
    await roundTrip(client);
    socket.off("event", listener);
    client.emit("event", 3);
    await roundTrip(client);
    expect(calls).toEqual([["once", 1], 1, 2]);
  });

  test("an acknowledgement is delivered once however often it is called", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    socket.on("question", (acknowledge: (value: number) => void) => {
      acknowledge(1);
      acknowledge(2);
    });
    const answers: unknown[] = [];
    client.emit("question", (value: unknown) => answers.push(value));
    await roundTrip(client);
    expect(answers).toEqual([1]);
  });

  test("acknowledgements that overtake one another reach the right callback", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const held: (() => void)[] = [];
    socket.on("question", (value: number, acknowledge: (value: number) => void) => {
      held.push(() => acknowledge(value * 10));
    });
    const answers: unknown[] = [];
    for (const value of [1, 2, 3]) {
      client.emit("question", value, (answer: unknown) => answers.push([value, answer]));
    }
    await roundTrip(client);
    for (const release of held.toReversed()) {
      release();
    }
    await roundTrip(client);
    expect(answers).toEqual([
      [3, 30],
      [2, 20],
      [1, 10],
    ]);
  });

  test("the server's timeout() gives the answer after a null error, or an error", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    client.on("question", (acknowledge: (...values: unknown[]) => void) => acknowledge("a", "b"));
    const answered = await new Promise((resolve) => {
      socket.timeout(60_000).emit("question", (...args: unknown[]) => resolve(args));
    });
    expect(answered).toEqual([null, "a", "b"]);
    const unanswered = await new Promise<unknown[]>((resolve) => {
      socket.timeout(1).emit("unanswered", (...args: unknown[]) => resolve(args));
    });
    expect(unanswered).toHaveLength(1);
    expect((unanswered[0] as Error).message).toBe("operation has timed out");
  });

  test("the server's emitWithAck() resolves with the first value and rejects on timeout", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    client.on("question", (value: number, acknowledge: (...values: unknown[]) => void) => {
      acknowledge(value + 1, "ignored");
    });
    expect(await socket.emitWithAck("question", 1)).toBe(2);
    expect(await socket.timeout(60_000).emitWithAck("question", 2)).toBe(3);
    const error = await rejection(socket.timeout(1).emitWithAck("unanswered"));
    expect(error.message).toBe("operation has timed out");
  });

  test("the client's timeout() and emitWithAck() are answered", async (context) => {
    context.skip(!cell.modern, `socket.io-client ${cell.client} does not have it`);
    const { client, socket } = await pair(await startServer(), cell);
    socket.on("question", (value: number, acknowledge: (value: number) => void) => {
      acknowledge(value + 1);
    });
    expect(await client.emitWithAck("question", 1)).toBe(2);
    expect(await client.timeout(60_000).emitWithAck("question", 2)).toBe(3);
    const error = await rejection(client.timeout(1).emitWithAck("unanswered"));
    expect(error.message).toBe("operation has timed out");
    const args = await new Promise<unknown[]>((resolve) => {
      client.timeout(60_000).emit("question", 3, (...values: unknown[]) => resolve(values));
    });
    expect(args).toEqual([null, 4]);
  });

  test("an answer that comes after the timeout is ignored", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const question = received(client, "question");
    const calls: unknown[][] = [];
    await new Promise<void>((resolve) => {
      socket.timeout(1).emit("question", (...args: unknown[]) => {
        calls.push(args);
        resolve();
      });
    });
    const [acknowledge] = (await question) as [(value: string) => void];
    acknowledge("late");
    await roundTrip(client);
    expect(calls).toHaveLength(1);
  });

  test("volatile events of the client reach the server", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await roundTrip(client);
    const arrived = received(socket, "volatile");
    // The client drops it while its transport is busy, so it is sent until one gets through.
    const timer = setInterval(() => client.volatile.emit("volatile", 1), 1);
    expect(await arrived).toEqual([1]);
    clearInterval(timer);
  });
});
