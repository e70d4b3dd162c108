import { io as connectNew, type Socket as NewClient } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { answerRoundTrips, collect, roundTrip as newRoundTrip } from "../support/clients.js";
import type { RunningServer } from "../support/subject.js";
import { received } from "../support/wait.js";
import { type Cell, CELLS, type Pair, pair, roundTrip, startOld } from "./clients.js";

/** An old client and two of version 4, one per transport, all of them in the room "all". */
interface Crowd {
  readonly server: RunningServer;
  readonly old: Pair;
  readonly modern: readonly NewClient[];
  /** What every client gets of `event`: the old one first. */
  readonly whatTheyGot: (send: () => void) => Promise<unknown[][][]>;
}

async function connectModern(port: number, transport: string): Promise<NewClient> {
  const client = connectNew(`http://127.0.0.1:${port}`, {
    transports: [transport],
    forceNew: true,
    reconnection: false,
  });
  onCleanup(() => client.disconnect());
  await received(client, "connect");
  return client;
}

async function crowd(cell: Cell): Promise<Crowd> {
  const server = await startOld();
  server.io.on("connection", (socket) => {
    void socket.join("all");
    answerRoundTrips(socket);
  });
  const modern = [
    await connectModern(server.port, "websocket"),
    await connectModern(server.port, "polling"),
  ];
  const old = await pair(server, cell);
  return {
    server,
    old,
    modern,
    async whatTheyGot(send) {
      const seen = [old.client, ...modern].map((client) => collect(client, "event"));
      send();
      await Promise.all([roundTrip(old.client), ...modern.map((client) => newRoundTrip(client))]);
      for (const client of [old.client, ...modern]) client.off("event");
      return seen;
    },
  };
}

describe.each(CELLS)("$name", (cell) => {
  test("a broadcast of text reaches clients of both protocols", async () => {
    const { server, whatTheyGot } = await crowd(cell);
    const expected = [["text", { a: [1] }]];
    const got = await whatTheyGot(() => server.io.to("all").emit("event", "text", { a: [1] }));
    expect(got).toEqual([expected, expected, expected]);
  });

  test("a broadcast of bytes reaches clients of both protocols", async () => {
    const { server, whatTheyGot } = await crowd(cell);
    const bytes = { small: Buffer.from([4, 0, 255]), large: Buffer.alloc(1000, 4) };
    const got = await whatTheyGot(() => server.io.to("all").emit("event", bytes, Buffer.alloc(0)));
    const expected = [[bytes, Buffer.alloc(0)]];
    expect(got).toEqual([expected, expected, expected]);
  });

  test("a burst of broadcasts and of messages for one keeps its order", async () => {
    const { server, old, whatTheyGot } = await crowd(cell);
    const got = await whatTheyGot(() => {
      server.io.emit("event", 1);
      server.io.emit("event", Buffer.from([2]));
      old.socket.emit("event", "for one");
      server.io.to("all").emit("event", Buffer.from([3]), Buffer.from([4]));
      server.io.emit("event", 5);
    });
    const forAll = [[1], [Buffer.from([2])], [Buffer.from([3]), Buffer.from([4])], [5]];
    const forOld = [...forAll.slice(0, 2), ["for one"], ...forAll.slice(2)];
    expect(got).toEqual([forOld, forAll, forAll]);
  });

  test("rooms are joined and left, and who sends can be left out", async () => {
    const { server, old, whatTheyGot } = await crowd(cell);
    await old.socket.join("old");
    const counts = async (send: () => void): Promise<number[]> =>
      (await whatTheyGot(send)).map((calls) => calls.length);
    expect(await counts(() => server.io.to("old").emit("event"))).toEqual([1, 0, 0]);
    expect(await counts(() => server.io.to(["old", "all"]).emit("event"))).toEqual([1, 1, 1]);
    expect(await counts(() => server.io.except("old").emit("event"))).toEqual([0, 1, 1]);
    expect(await counts(() => old.socket.broadcast.emit("event"))).toEqual([0, 1, 1]);
    expect(await counts(() => old.socket.to("all").emit("event"))).toEqual([0, 1, 1]);
    await old.socket.leave("old");
    expect(await counts(() => server.io.to("old").emit("event"))).toEqual([0, 0, 0]);
  });

  test("a broadcast collects the answers of clients of both protocols", async () => {
    const { server, old, modern } = await crowd(cell);
    const answer = (value: unknown) => (acknowledge: unknown) =>
      (acknowledge as (value: unknown) => void)(value);
    old.client.on("question", answer("old"));
    for (const client of modern) client.on("question", answer(Buffer.from([1])));
    const answers = await server.io.to("all").timeout(60_000).emitWithAck("question");
    expect(answers).toHaveLength(3);
    expect(answers).toEqual(expect.arrayContaining(["old", Buffer.from([1])]));
  });

  test("all sockets of a room can be listed, moved and disconnected", async () => {
    const { server, old } = await crowd(cell);
    const ids = (await server.io.in("all").fetchSockets()).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(ids).toContain(old.socket.id);
    server.io.in("all").socketsJoin("moved");
    expect(old.socket.rooms.has("moved")).toBe(true);
    const gone = received(old.client, "disconnect");
    server.io.in(old.socket.id).disconnectSockets();
    expect(await gone).toEqual(["io server disconnect"]);
    expect(await server.io.in("moved").fetchSockets()).toHaveLength(2);
  });
});
