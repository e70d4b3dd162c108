import {
  connect as connectTcp,
  createServer,
  type AddressInfo,
  type Socket as Tcp,
} from "node:net";
import type { DrainOptions, DrainResult } from "@jackfield/socketio";
import type { Server } from "socket.io";
import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { CELLS, collect, connect, ready } from "../support/clients.js";
import { range } from "../support/range.js";
import { RawClient } from "../support/raw-clients.js";
import { type RunningServer, startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

const MODERN = CELLS.filter(({ modern }) => modern);

/** What the official server lacks. */
interface Drainable {
  readonly draining: boolean;
  drain(options?: DrainOptions): Promise<DrainResult>;
}

function drainable({ io }: RunningServer): Drainable {
  return io as unknown as Drainable;
}

/** A port behind which one server takes the place of another. */
async function startBalancer(first: number): Promise<{ port: number; sendTo(port: number): void }> {
  let target = first;
  const sockets = new Set<Tcp>();
  const keep = (socket: Tcp): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((near) => {
    const far = connectTcp(target, "127.0.0.1");
    keep(near);
    keep(far);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onCleanup(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sendTo(next) {
      target = next;
    },
  };
}

/** Connects clients, spread over the transports, that come back when they are let go. */
function crowd(port: number, size: number): Promise<Socket[]> {
  return Promise.all(
    range(size).map((index) => {
      const cell = MODERN[index % MODERN.length];
      if (cell === undefined) throw new Error("there are no clients");
      return ready(connect(port, cell, { reconnection: true }), cell);
    }),
  );
}

/** Makes the server work when it is asked to; the result counts the requests. */
function work(io: Server): { begun: number } {
  const count = { begun: 0 };
  io.on("connection", (socket) => {
    socket.on("work", (ms: number, done: (result: string) => void) => {
      count.begun += 1;
      setTimeout(() => done("done"), ms);
    });
  });
  return count;
}

describe("drain()", () => {
  test("clients get everything that was sent, and come back to another server", async () => {
    const [old, next] = [await startServer(), await startServer()];
    const count = work(old.io);
    const balancer = await startBalancer(old.port);
    const clients = await crowd(balancer.port, 60);
    const seen = clients.map((client) => collect(client, "n"));
    const reasons = clients.map((client) => collect(client, "disconnect"));
    const answers = clients.map((client) => client.timeout(10_000).emitWithAck("work", 50));
    await until(() => count.begun === clients.length);
    for (const number of range(20)) old.io.emit("n", number);
    const back = clients.map((client) =>
      received(client, "disconnect").then(() => received(client, "connect")),
    );
    const result = await drainable(old).drain({ batch: 20, interval: 20, timeout: 10_000 });
    balancer.sendTo(next.port);
    await Promise.all(back);
    expect(result).toEqual({ released: 60, cut: 0, lostAcks: 0 });
    expect(await Promise.all(answers)).toEqual(clients.map(() => "done"));
    expect(seen).toEqual(clients.map(() => range(20).map((number) => [number])));
    expect(reasons.map(([first]) => first?.[0])).toEqual(clients.map(() => "transport close"));
    expect(next.io.sockets.sockets.size).toBe(60);
    expect(old.io.sockets.sockets.size).toBe(0);
    expect(old.httpServer.listening).toBe(true);
  });

  test("new clients are refused while those that are there go on", async () => {
    const server = await startServer();
    const count = work(server.io);
    const refused: unknown[] = [];
    server.io.engine.on("connection_error", (error: { code: number }) => refused.push(error.code));
    const [client] = await crowd(server.port, 1);
    const answer = client?.timeout(10_000).emitWithAck("work", 200);
    await until(() => count.begun === 1);
    const drained = drainable(server).drain({ timeout: 10_000 });
    expect(drainable(server).draining).toBe(true);
    const response = await fetch(
      `http://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=polling`,
    );
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).not.toBeNull();
    await expect(RawClient.open(server.port)).rejects.toThrow("503");
    expect(refused).toHaveLength(2);
    expect(await answer).toBe("done");
    expect(await drained).toMatchObject({ released: 1, lostAcks: 0 });
  });

  test("a client that does not read is cut, and nobody waits for it any longer", async () => {
    const server = await startServer();
    const slow = await RawClient.open(server.port);
    await slow.join();
    slow.pause();
    server.io.emit("large", Buffer.alloc(8 * 1024 * 1024));
    const result = await drainable(server).drain({ timeout: 500 });
    expect(result).toEqual({ released: 0, cut: 1, lostAcks: 0 });
    expect(server.io.engine.clientsCount).toBe(0);
  });

  test("a session that was kept is recovered after the drain of an earlier client", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const kept: string[] = [];
    const { adapter } = server.io.of("/");
    const persist = adapter.persistSession.bind(adapter);
    adapter.persistSession = (session) => {
      kept.push(session.sid);
      return persist(session);
    };
    const client = await RawClient.open(server.port);
    const sid = await client.join();
    await drainable(server).drain({ timeout: 1000 });
    await client.closed;
    expect(kept).toEqual([sid]);
  });
});
