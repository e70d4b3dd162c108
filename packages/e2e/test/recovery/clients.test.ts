// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { CELLS, collect, connect, ready } from "../support/clients.js";
import { type Proxy, startProxy } from "../support/proxy.js";
import { fix, type RunningServer, startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

// Recovery as the clients of the official package live it, over a network that fails.

const MODERN = CELLS.filter(({ modern }) => modern);

function cellOf(transport: string): (typeof MODERN)[number] {
  const cell = MODERN.find((each) => each.transport === transport);
  if (cell === undefined) throw new Error(`there is no client for ${transport}`);
  return cell;
}

interface Scene {
  readonly server: RunningServer;
  readonly proxy: Proxy;
  readonly client: Socket;
}

async function scene(cell: (typeof CELLS)[number]): Promise<Scene> {
  const server = await startServer({ connectionStateRecovery: {} });
  const proxy = await startProxy(server.port);
  const client = connect(proxy.port, cell, { reconnection: true });
  await ready(client, cell);
  return { server, proxy, client };
}

/**
 * Breaks the network; resolves when the client has noticed. The server may take as long as its
 * heartbeat for that: between two polls there is no connection that could break.
 */
async function breakDown({ proxy, client }: Scene): Promise<void> {
  proxy.cut();
  await until(() => !client.connected);
}

async function comeBack({ proxy, client }: Scene): Promise<void> {
  const connected = received(client, "connect");
  proxy.mend();
  await connected;
}

test("over WebSocket, a client recovers what it missed, in order (120)", async () => {
  const all = await scene(cellOf("websocket"));
  const { server, client } = all;
  const seen = collect(client, "n");
  server.io.emit("n", 0);
  await until(() => seen.length === 1);
  await breakDown(all);
  await until(() => server.io.sockets.sockets.size === 0);
  server.io.emit("n", 1);
  await comeBack(all);
  expect(client.recovered).toBe(true);
  expect(seen.map(([number]) => number)).toEqual([0, 1]);
});

describe.each(MODERN)("$name", (cell) => {
  fix("a client recovers before the server has noticed, and misses nothing (122)", async () => {
    const all = await scene(cell);
    const { server, client } = all;
    const seen = collect(client, "n");
    const { id } = client;
    server.io.emit("n", 0);
    await until(() => seen.length === 1);
    await breakDown(all);
    for (let number = 1; number <= 50; number += 1) {
      server.io.emit("n", number);
    }
    await comeBack(all);
    expect(client.recovered).toBe(true);
    expect(client.id).toBe(id);
    server.io.emit("n", 51);
    await until(() => seen.length === 52);
    expect(seen.map(([number]) => number)).toEqual(Array.from({ length: 52 }, (_, n) => n));
  });

  fix("it recovers again and again, having received nothing at first (122)", async () => {
    const all = await scene(cell);
    const { server, client } = all;
    const seen = collect(client, "n");
    const ids = new Set([client.id]);
    for (let turn = 0; turn < 3; turn += 1) {
      await breakDown(all);
      server.io.emit("n", turn);
      await comeBack(all);
      ids.add(client.id);
    }
    await until(() => seen.length === 3);
    expect(seen.map(([number]) => number)).toEqual([0, 1, 2]);
    expect(ids.size).toBe(1);
  });

  fix("a volatile event that ends in a text does not cost what was missed (119b)", async () => {
    const all = await scene(cell);
    const { server, client } = all;
    const seen = collect(client, "n");
    const volatile = received(client, "tick");
    server.io.emit("n", 0);
    await until(() => seen.length === 1);
    const [socket] = server.io.sockets.sockets.values();
    await until(() => socket?.conn.transport.writable === true);
    server.io.volatile.emit("tick", "text");
    await volatile;
    await breakDown(all);
    server.io.emit("n", 1);
    await comeBack(all);
    expect(client.recovered).toBe(true);
    expect(seen.map(([number]) => number)).toEqual([0, 1]);
  });
});

test("bytes and acknowledgements work as before", async () => {
  const { server, client } = await scene(cellOf("websocket"));
  client.on("ask", (bytes: Buffer, answer: (bytes: Buffer) => void) => answer(bytes));
  const [socket] = server.io.sockets.sockets.values();
  const answers = await Promise.all([
    socket?.emitWithAck("ask", Buffer.from([1])),
    server.io.timeout(10_000).emitWithAck("ask", Buffer.from([2])),
  ]);
  expect(answers).toEqual([Buffer.from([1]), [Buffer.from([2])]]);
});
