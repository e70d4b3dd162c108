import { createAdapter } from "@socket.io/redis-streams-adapter";
import type { ServerOptions } from "socket.io";
import { beforeEach, expect, test } from "vitest";
import { useRedis } from "../adapters/brokers.js";
import { connectRedis } from "../adapters/redis-kits.js";
import { onCleanup } from "../support/cleanup.js";
import { RawClient } from "../support/raw-clients.js";
import { type RunningServer, startServer } from "../support/subject.js";
import { until } from "../support/wait.js";

// The published adapter that restores sessions on any server of a cluster.

const redis = useRedis();
let clusters = 0;
let servers: [RunningServer, RunningServer];

async function startNode(streamName: string): Promise<RunningServer> {
  const connection = await connectRedis("redis", redis);
  const adapter = createAdapter(connection.client, {
    streamName,
    sessionKeyPrefix: `${streamName}:session:`,
    heartbeatInterval: 100,
    blockTimeInMs: 50,
  }) as unknown as ServerOptions["adapter"];
  const server = await startServer({ adapter, connectionStateRecovery: {} });
  onCleanup(async () => {
    await server.close();
    await connection.close();
  });
  return server;
}

beforeEach(async () => {
  const streamName = `recovery-${(clusters += 1)}`;
  servers = [await startNode(streamName), await startNode(streamName)];
  const adapters = servers.map(({ io }) => io.of("/").adapter);
  for (const adapter of adapters) {
    while ((await adapter.serverCount()) < 2) await new Promise((resolve) => setImmediate(resolve));
  }
});

/** Connects, and resolves with the frames until the answer to CONNECT, and the ids in this. */
async function join(
  { port }: RunningServer,
  auth: object = {},
): Promise<{ client: RawClient; sid: string; pid: string; before: string[] }> {
  const client = await RawClient.open(port);
  client.send(`40${JSON.stringify(auth)}`);
  const before: string[] = [];
  for (;;) {
    const frame = String(await client.next());
    if (frame.startsWith("40")) {
      return { client, before, ...(JSON.parse(frame.slice(2)) as { sid: string; pid: string }) };
    }
    before.push(frame);
  }
}

const argumentsOf = (frame: unknown): unknown[] => JSON.parse(String(frame).slice(2)) as unknown[];

test("a client that comes back to another server gets its state and what it missed (A18, A20)", async () => {
  const [one, other] = servers;
  const first = await join(one);
  const socket = one.io.sockets.sockets.get(first.sid);
  await socket?.join("room");
  socket?.emit("direct", 1);
  const direct = argumentsOf(await first.client.next());
  expect(direct.slice(0, 2)).toEqual(["direct", 1]);
  const offset = direct.at(-1);
  first.client.cut();
  await until(() => one.io.sockets.sockets.size === 0);
  one.io.to("room").emit("missed", 1);
  other.io.to(first.sid).emit("missed", 2);
  other.io.to("elsewhere").emit("not meant");
  // A socket of a cluster hears its broadcasts from the broker: then these are in the stream.
  const witness = await join(other);
  other.io.emit("witnessed");
  await witness.client.next();

  const second = await join(other, { pid: first.pid, offset });
  expect([second.sid, second.pid]).toEqual([first.sid, first.pid]);
  const missed = second.before.map(argumentsOf);
  expect(missed.map(([event, number]) => [event, number])).toEqual(
    expect.arrayContaining([
      ["missed", 1],
      ["missed", 2],
    ]),
  );
  expect(missed.map(([event]) => event)).not.toContain("not meant");
  const restored = other.io.sockets.sockets.get(first.sid);
  expect(restored?.recovered).toBe(true);
  expect(restored?.rooms.has("room")).toBe(true);
});

test("a session is restored by one server only (122)", async () => {
  const [one, other] = servers;
  const first = await join(one);
  one.io.emit("received");
  const offset = argumentsOf(await first.client.next()).at(-1);
  first.client.cut();
  await until(() => one.io.sockets.sockets.size === 0);
  const both = await Promise.all([
    join(one, { pid: first.pid, offset }),
    join(other, { pid: first.pid, offset }),
  ]);
  expect(both.filter(({ sid }) => sid === first.sid)).toHaveLength(1);
});

test("forged recovery data get a plain connection (125)", async () => {
  const [one] = servers;
  for (const auth of [{ pid: "x", offset: "1-1" }, { pid: "x", offset: "x" }, { pid: "x" }]) {
    const { before, pid } = await join(one, auth);
    expect(before).toEqual([]);
    expect(pid).not.toBe("x");
  }
});
