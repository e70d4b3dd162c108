import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { CELLS, collect, type Cell, pair, type Pair, roundTrip } from "../support/clients.js";
import { type RunningServer, startServer } from "../support/subject.js";
import { rejection } from "../support/wait.js";

interface Crowd {
  readonly server: RunningServer;
  readonly pairs: Pair[];
  /** Which of the clients got `event`, after everything sent until now has arrived. */
  readonly whoGot: (send: () => void) => Promise<number[]>;
}

/** Four clients; 0 and 1 are in room "a", 1 and 2 in room "b", 3 in none. */
async function crowd(cell: Cell): Promise<Crowd> {
  const server = await startServer();
  const pairs = await Promise.all([0, 1, 2, 3].map(() => pair(server, cell)));
  const [zero, one, two] = pairs.map(({ socket }) => socket);
  await zero?.join("a");
  await one?.join(["a", "b"]);
  await two?.join("b");
  return {
    server,
    pairs,
    async whoGot(send) {
      const seen = pairs.map(({ client }) => collect(client, "event"));
      send();
      await Promise.all(pairs.map(({ client }) => roundTrip(client)));
      for (const { client } of pairs) {
        client.off("event");
      }
      return seen.flatMap((calls, index) => calls.map(() => index));
    },
  };
}

/** A member of the crowd. */
function member(pairs: Pair[], index: number): Pair {
  const found = pairs[index];
  if (found === undefined) {
    throw new RangeError(`the crowd has no member ${index}`);
  }
  return found;
}

/** The numbers of the clients that answered, in order. */
function sorted(answers: unknown): number[] {
  return (answers as number[]).toSorted((one, other) => one - other);
}

function answer(client: Socket, value: unknown): void {
  client.on("question", (acknowledge: (value: unknown) => void) => acknowledge(value));
}

describe.each(CELLS)("$name", (cell) => {
  test("the server reaches all, rooms, unions of rooms, and all except rooms", async () => {
    const { server, pairs, whoGot } = await crowd(cell);
    const { io } = server;
    const id = member(pairs, 3).socket.id;
    expect(await whoGot(() => io.emit("event"))).toEqual([0, 1, 2, 3]);
    expect(await whoGot(() => io.sockets.emit("event"))).toEqual([0, 1, 2, 3]);
    expect(await whoGot(() => io.to("a").emit("event"))).toEqual([0, 1]);
    expect(await whoGot(() => io.in("b").emit("event"))).toEqual([1, 2]);
    expect(await whoGot(() => io.to("a").to("b").emit("event"))).toEqual([0, 1, 2]);
    expect(await whoGot(() => io.to(["a", "b"]).emit("event"))).toEqual([0, 1, 2]);
    expect(await whoGot(() => io.to("nobody").emit("event"))).toEqual([]);
    expect(await whoGot(() => io.to(id).emit("event"))).toEqual([3]);
    expect(await whoGot(() => io.except("a").emit("event"))).toEqual([2, 3]);
    expect(await whoGot(() => io.except(["a", id]).emit("event"))).toEqual([2]);
    expect(await whoGot(() => io.to("a").except("b").emit("event"))).toEqual([0]);
    expect(await whoGot(() => io.local.emit("event"))).toEqual([0, 1, 2, 3]);
    expect(await whoGot(() => io.local.to("a").compress(false).emit("event"))).toEqual([0, 1]);
  });

  test("a socket reaches all but itself, and rooms but itself", async () => {
    const { pairs, whoGot } = await crowd(cell);
    const { socket } = member(pairs, 1);
    expect(await whoGot(() => socket.broadcast.emit("event"))).toEqual([0, 2, 3]);
    expect(await whoGot(() => socket.to("a").emit("event"))).toEqual([0]);
    expect(await whoGot(() => socket.in("b").emit("event"))).toEqual([2]);
    expect(await whoGot(() => socket.to(["a", "b"]).emit("event"))).toEqual([0, 2]);
    expect(await whoGot(() => socket.except("a").emit("event"))).toEqual([2, 3]);
    expect(await whoGot(() => socket.broadcast.to("a").emit("event"))).toEqual([0]);
    expect(await whoGot(() => socket.local.emit("event"))).toEqual([0, 2, 3]);
    expect(await whoGot(() => socket.emit("event"))).toEqual([1]);
  });

  test("a socket that leaves a room is no longer reached through it", async () => {
    const { server, pairs, whoGot } = await crowd(cell);
    const { client, socket } = member(pairs, 1);
    expect(socket.rooms).toEqual(new Set([socket.id, "a", "b"]));
    await socket.leave("a");
    expect(socket.rooms).toEqual(new Set([socket.id, "b"]));
    expect(await whoGot(() => server.io.to("a").emit("event"))).toEqual([0]);
    client.disconnect();
    await roundTrip(member(pairs, 0).client);
    expect(await server.io.in("a").fetchSockets()).toHaveLength(1);
  });

  test("binary is broadcast", async () => {
    const { server, pairs, whoGot } = await crowd(cell);
    const seen = pairs.map(({ client }) => collect(client, "event"));
    const got = await whoGot(() => server.io.to("a").emit("event", { part: Buffer.from("bytes") }));
    expect(got).toEqual([0, 1]);
    for (const calls of seen.slice(0, 2)) {
      const [[value]] = calls as [[{ part: Uint8Array }]];
      expect(Buffer.from(value.part).toString()).toBe("bytes");
    }
  });

  test("a broadcast collects the answers of all clients", async () => {
    const { server, pairs } = await crowd(cell);
    for (const [index, { client }] of pairs.entries()) {
      answer(client, index);
    }
    const { io } = server;
    const all = await new Promise<unknown[]>((resolve) => {
      io.timeout(60_000).emit("question", (...args: unknown[]) => resolve(args));
    });
    expect(all[0]).toBeNull();
    expect(sorted(all[1])).toEqual([0, 1, 2, 3]);
    const room = await io.to("b").timeout(60_000).emitWithAck("question");
    expect(sorted(room)).toEqual([1, 2]);
    const { socket } = member(pairs, 0);
    const others = await socket.broadcast.timeout(60_000).emitWithAck("question");
    expect(sorted(others)).toEqual([1, 2, 3]);
    expect(await io.to("nobody").timeout(60_000).emitWithAck("question")).toEqual([]);
  });
});

test("a broadcast that not all answer fails with the answers it got", async () => {
  await Promise.all(
    CELLS.map(async (cell) => {
      const { server, pairs } = await crowd(cell);
      answer(member(pairs, 2).client, "two");
      // Long enough for the one answer to come in on a slow machine.
      const error = await rejection(server.io.to("b").timeout(1000).emitWithAck("question"));
      expect(error.message).toBe("operation has timed out");
      expect((error as Error & { responses: unknown[] }).responses).toEqual(["two"]);
    }),
  );
});
