// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import type { Server } from "socket.io";
import { expect, test } from "vitest";
import { answerRoundTrips } from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { fix, type RunningServer, startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

// What the wire says when the state of connections is kept (section 2.15).

interface Hello {
  readonly client: RawClient;
  readonly sid: string;
  readonly pid: string;
  /** The packets that came before the answer to CONNECT. */
  readonly before: string[];
}

async function start(): Promise<RunningServer> {
  const server = await startServer({ connectionStateRecovery: {} });
  server.io.on("connection", answerRoundTrips);
  return server;
}

/** Connects, with what an earlier connection has left. */
async function hello({ port }: RunningServer, auth?: object): Promise<Hello> {
  const client = await RawClient.open(port);
  client.send(auth === undefined ? "40" : `40${JSON.stringify(auth)}`);
  const before: string[] = [];
  for (;;) {
    const frame = String(await client.next());
    if (frame.startsWith("40")) {
      return { client, before, ...(JSON.parse(frame.slice(2)) as { sid: string; pid: string }) };
    }
    before.push(frame);
  }
}

/** Cuts a connection; resolves when the server has noticed. */
async function lose(io: Server, { client, sid }: Hello): Promise<void> {
  client.cut();
  await until(() => !io.sockets.sockets.has(sid));
}

function offsetOf(frame: unknown): string {
  return (JSON.parse(String(frame).slice(2)) as unknown[]).at(-1) as string;
}

test("CONNECT is answered with a private id, events end in an offset (119)", async () => {
  const server = await start();
  const { client, sid, pid } = await hello(server);
  expect(pid).not.toBe(sid);
  server.io.emit("a", 1);
  const frame = String(await client.next());
  expect(frame).toMatch(/^42\["a",1,"[^"]+"\]$/);
});

test("missed events come before the answer to CONNECT, which has the same ids (120)", async () => {
  const server = await start();
  const first = await hello(server);
  server.io.emit("received", 0);
  const offset = offsetOf(await first.client.next());
  await lose(server.io, first);
  server.io.emit("missed", 1);
  server.io.to(first.sid).emit("missed", 2);
  const connected = received(server.io, "connection");
  const second = await hello(server, { pid: first.pid, offset });
  expect([second.sid, second.pid]).toEqual([first.sid, first.pid]);
  expect(second.before.map((frame) => JSON.parse(frame.slice(2)) as unknown[])).toEqual([
    ["missed", 1, expect.any(String)],
    ["missed", 2, expect.any(String)],
  ]);
  const [socket] = await connected;
  expect(socket).toMatchObject({ id: first.sid, recovered: true });
});

test("an unknown pid, and one of the wrong type, get a plain connection (125)", async () => {
  const server = await start();
  for (const auth of [
    { pid: "unknown", offset: "unknown" },
    { pid: 1, offset: [] },
  ]) {
    const { before, pid } = await hello(server, auth);
    expect(before).toEqual([]);
    expect(pid).not.toBe(auth.pid);
  }
});

test("who was disconnected by the server does not come back (121)", async () => {
  const server = await start();
  const first = await hello(server);
  server.io.emit("received");
  const offset = offsetOf(await first.client.next());
  server.io.disconnectSockets();
  await until(() => server.io.sockets.sockets.size === 0);
  const second = await hello(server, { pid: first.pid, offset });
  expect(second.sid).not.toBe(first.sid);
});

fix("a session is given to one client only, even while the old one lives (122)", async () => {
  const server = await start();
  const first = await hello(server);
  server.io.emit("received");
  const offset = offsetOf(await first.client.next());
  const [second] = await Promise.all([
    hello(server, { pid: first.pid, offset }),
    first.client.closed,
  ]);
  expect(second.sid).toBe(first.sid);
  expect(server.io.sockets.sockets.size).toBe(1);
  server.io.emit("to all");
  expect(await second.client.roundTrip()).toHaveLength(1);
});

fix("a client that knows no offset gets what was sent since it came (122)", async () => {
  const server = await start();
  server.io.emit("before");
  const first = await hello(server);
  await lose(server.io, first);
  server.io.emit("missed", Buffer.from([1]));
  const client = await RawClient.open(server.port);
  client.send(`40${JSON.stringify({ pid: first.pid })}`);
  expect(await client.next()).toMatch(/^451-\["missed",\{"_placeholder":true,"num":0\},/);
  expect(await client.next()).toEqual(Buffer.from([1]));
  expect(await client.next()).toBe(`40${JSON.stringify({ sid: first.sid, pid: first.pid })}`);
});

fix("a middleware can send before the answer to CONNECT (Q5)", async () => {
  const server = await start();
  server.io.use((socket, next) => {
    socket.emit("session", 1);
    next();
  });
  expect((await hello(server)).before).toEqual(['42["session",1]']);
});

fix("a parent namespace adds one offset for each child (123)", async () => {
  const server = await start();
  const parent = server.io.of(/^\/[ab]$/);
  parent.on("connection", answerRoundTrips);
  const clients = await Promise.all([RawClient.open(server.port), RawClient.open(server.port)]);
  await Promise.all([clients[0].join("/a"), clients[1].join("/b")]);
  parent.emit("room", 1);
  expect(await clients[0].next()).toMatch(/^42\/a,\["room",1,"[^"]+"\]$/);
  expect(await clients[1].next()).toMatch(/^42\/b,\["room",1,"[^"]+"\]$/);
});
