import { createServer } from "node:http";
import { Server } from "@jackfield/engine-core";
import { Server as SocketIoServer } from "@jackfield/socketio";
import {
  FakeClock,
  pollingHandshake,
  RawConnection,
  rawRequest,
  RawWebSocket,
} from "@jackfield/testkit";
import { Socket as EngineClient } from "engine.io-client";
import { io as connectClient } from "socket.io-client";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { closeHttp, listenOn } from "../support/subject.js";
import { first, received, until, type Emitter } from "../support/wait.js";
import type { Session } from "@jackfield/engine-core";
import {
  openStalledWebSocket,
  openWebSocket,
  POLLING,
  requestWithoutReading,
  startHost,
  WEBSOCKET,
} from "./host.js";

const MIB = 1024 * 1024;

test("a server that drains refuses new sessions, and those it has go on", async () => {
  const host = await startHost();
  const { session, client } = await openWebSocket(host);
  const polling = await pollingHandshake(host.port);
  expect(host.engine.draining).toBe(false);
  host.engine.drain();
  expect(host.engine.draining).toBe(true);

  const answer = await rawRequest({ port: host.port, path: POLLING });
  expect(answer.status).toBe(503);
  expect(answer.header("retry-after")).toBe("1");
  expect(answer.header("connection")).toBe("close");
  const outcome = await RawWebSocket.attempt({ port: host.port, path: WEBSOCKET });
  expect(outcome).toMatchObject({ name: "refused", response: { status: 503 } });
  expect(host.refusalNames()).toEqual(["DRAINING", "DRAINING"]);

  session.send("still here");
  expect(await client.nextText()).toBe("4still here");
  const { sid } = polling.open;
  const upgrade = await RawWebSocket.connect({ port: host.port, path: `${WEBSOCKET}&sid=${sid}` });
  onCleanup(() => upgrade.destroy());
  upgrade.send("2probe");
  expect(await upgrade.nextText()).toBe("3probe");
  expect((await polling.poll()).body).toBe("6");
  upgrade.send("5");
  await until(() => host.engine.clients[sid]?.upgraded === true);
});

test("a handshake that was being decided when draining began is refused", async () => {
  let allow: ((allowed: boolean) => void) | undefined;
  const host = await startHost({
    allowRequest: () => new Promise<boolean>((resolve) => (allow = resolve)),
  });
  const pending = rawRequest({ port: host.port, path: POLLING });
  await until(() => allow !== undefined);
  host.engine.drain();
  allow?.(true);
  expect((await pending).status).toBe(503);
  expect(host.engine.clientsCount).toBe(0);
});

test.each(["websocket", "polling"] as const)(
  "a %s client gets what waits before closeWithin closes, and comes back",
  async (transport) => {
    const httpServer = createServer();
    const io = new SocketIoServer(httpServer);
    onCleanup(() => io.close());
    const port = await listenOn(httpServer, 0);
    const client = connectClient(`http://127.0.0.1:${port}`, {
      transports: [transport],
      reconnectionDelay: 1,
    });
    onCleanup(() => client.disconnect());
    const socket = await first<{ conn: unknown; emit(event: string, ...args: unknown[]): void }>(
      io,
      "connection",
    );
    const heard: unknown[] = [];
    client.on("last", (text: string) => heard.push(text.length));
    const disconnected = received(client, "disconnect");
    const reconnected = received(client.io as Emitter, "reconnect");
    socket.emit("last", "x".repeat(4 * MIB));
    // One cast: the session of our engine.
    const ended = await (socket.conn as Session).closeWithin(60_000);
    expect(ended).toBe(true);
    const [reason] = await disconnected;
    expect(reason).toBe("transport close");
    expect(heard).toEqual([4 * MIB]);
    await reconnected;
  },
);

test("closeWithin cuts a WebSocket client that does not read", async () => {
  const host = await startHost();
  const { session, socket } = await openStalledWebSocket(host);
  for (let count = 0; count < 12; count += 1) session.send("x".repeat(MIB));
  const gone = received(socket, "close");
  expect(await session.closeWithin(200)).toBe(false);
  expect(session.readyState).toBe("closed");
  socket.resume();
  await gone;
});

test("closeWithin cuts a polling client that does not poll, or does not read", async () => {
  const host = await startHost({ httpCompression: false });
  const opened = first<Session>(host.engine, "connection");
  await pollingHandshake(host.port);
  const session = await opened;
  session.send("unheard");
  expect(await session.closeWithin(200)).toBe(false);
  expect(session.readyState).toBe("closed");

  const openedToo = first<Session>(host.engine, "connection");
  const polling = await pollingHandshake(host.port);
  const reading = await openedToo;
  const socket = requestWithoutReading(host.port, polling.target);
  const gone = received(socket, "close");
  await until(() => reading.transport.writable);
  for (let count = 0; count < 12; count += 1) reading.send("x".repeat(MIB));
  await until(() => reading.writeBuffer.length === 0);
  expect(await reading.closeWithin(200)).toBe(false);
  socket.resume();
  await gone;
});

test("an answer that is not read is cut 30 s after its session", async () => {
  const clock = new FakeClock();
  const host = await startHost({ httpCompression: false }, { clock });
  const opened = first<Session>(host.engine, "connection");
  const polling = await pollingHandshake(host.port);
  const session = await opened;
  const socket = requestWithoutReading(host.port, polling.target);
  await until(() => session.transport.writable);
  for (let count = 0; count < 12; count += 1) session.send("x".repeat(MIB));
  await until(() => session.writeBuffer.length === 0);
  await polling.post("1");
  expect(session.readyState).toBe("closed");
  clock.advance(29_000);
  await rawRequest({ port: host.port, path: POLLING });
  expect(session.transport.bufferedBytes).toBeGreaterThan(0);
  clock.advance(2_000);
  await until(() => session.transport.bufferedBytes === 0);
  const gone = received(socket, "close");
  socket.resume();
  await gone;
  expect(socket.bytesRead).toBeLessThan(12 * MIB);
});

test("an HTTP server closes soon after its engine, whatever its clients do (Q22)", async () => {
  const httpServer = createServer();
  const engine = new Server({ httpCompression: false }).attach(httpServer);
  const port = await listenOn(httpServer, 0);
  const host = { engine, httpServer, port, refusals: [], refusalNames: () => [] };
  // One reads nothing, one answers no close frame, one reads no poll, one sends half a body.
  const { session } = await openStalledWebSocket(host);
  for (let count = 0; count < 12; count += 1) session.send("x".repeat(MIB));
  const deaf = await RawWebSocket.connect({ port, path: WEBSOCKET, answersClose: false });
  const opened = first<Session>(engine, "connection");
  const polling = await pollingHandshake(port);
  const polled = await opened;
  requestWithoutReading(port, polling.target);
  await until(() => polled.transport.writable);
  for (let count = 0; count < 12; count += 1) polled.send("x".repeat(MIB));
  await until(() => polled.writeBuffer.length === 0);
  const posting = await pollingHandshake(port);
  const half = new RawConnection(port);
  half.write(
    `POST ${posting.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n4ha`,
  );
  await rawRequest({ port, path: "/engine.io/?EIO=4&transport=none" });

  engine.close();
  await closeHttp(httpServer);
  expect(engine.clientsCount).toBe(0);
  await deaf.closed;
  await half.closed;
});

test("clients that close their ends are not cut when the engine closes", async () => {
  const host = await startHost();
  const { client } = await openWebSocket(host);
  const official = new EngineClient(`http://127.0.0.1:${host.port}`, { transports: ["polling"] });
  const closed = first(official, "close");
  const polling = await first<Session>(host.engine, "connection");
  await first(official, "open");
  await until(() => polling.transport.writable);
  host.engine.close();
  expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
  expect(await closed).toBe("transport close");
});
