import { createServer } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { Server as SocketIoServer } from "@jackfield/socketio";
import type { Session } from "@jackfield/engine-core";
import { pollingHandshake } from "@jackfield/testkit";
import { io as connectClient } from "socket.io-client";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { RawClient } from "../support/raw-clients.js";
import { listenOn } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";
import {
  openStalledWebSocket,
  openWebSocket,
  POLLING,
  requestWithoutReading,
  startHost,
} from "./host.js";

const MIB = 1024 * 1024;
const BOUND = 16 * MIB;
const CHUNK = "x".repeat(MIB);
/** 1 GiB. */
const CHUNKS = 1024;

/** Sends 1 GiB, as fast as the loop turns, and returns the most that ever waited. */
async function sendGigabyte(session: Session): Promise<number> {
  let most = 0;
  for (let count = 0; count < CHUNKS; count += 1) {
    session.send(CHUNK);
    most = Math.max(most, session.bufferedBytes);
    await turn();
    most = Math.max(most, session.bufferedBytes);
  }
  return most;
}

test("a WebSocket client that never reads costs at most the bound of 1 GiB sent to it", async () => {
  const host = await startHost();
  const { session, socket } = await openStalledWebSocket(host);
  const closed = received(session, "close");
  const gone = received(socket, "close");
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(BOUND);
  const [reason, description] = await closed;
  expect(reason).toBe("transport error");
  expect(description).toMatchObject({ code: "ERR_SLOW_CONSUMER", maxBufferedBytes: BOUND });
  expect((description as { bufferedBytes: number }).bufferedBytes).toBeGreaterThan(BOUND - 2 * MIB);
  expect(session.bufferedBytes).toBe(0);
  expect(host.engine.counters.slowConsumers).toBe(1);
  expect(host.engine.clientsCount).toBe(0);
  // The connection is gone as well, with what the kernel did not take.
  socket.resume();
  await gone;
});

test("a polling client that never polls costs at most the bound of 1 GiB sent to it", async () => {
  const host = await startHost();
  const opened = first<Session>(host.engine, "connection");
  await pollingHandshake(host.port);
  const session = await opened;
  const closed = received(session, "close");
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(BOUND);
  expect(await closed).toEqual([
    "transport error",
    expect.objectContaining({ code: "ERR_SLOW_CONSUMER" }),
  ]);
  expect(host.engine.clientsCount).toBe(0);
});

test("a polling client that polls and reads no answer costs at most the bound", async () => {
  const host = await startHost({ httpCompression: false });
  const opened = first<Session>(host.engine, "connection");
  const polling = await pollingHandshake(host.port);
  const session = await opened;
  const closed = received(session, "close");
  const sockets = [requestWithoutReading(host.port, polling.target)];
  await until(() => session.transport.writable);
  for (let count = 0; count < 12; count += 1) session.send(CHUNK);
  await until(() => session.writeBuffer.length === 0);
  sockets.push(requestWithoutReading(host.port, polling.target));
  // A request that is answered tells that the poll sent before it has arrived, too.
  await fetch(`http://127.0.0.1:${host.port}${POLLING}`);
  const gone = sockets.map((socket) => received(socket, "close"));
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(BOUND);
  const [reason, description] = await closed;
  expect(reason).toBe("transport error");
  expect(description).toMatchObject({ code: "ERR_SLOW_CONSUMER" });
  for (const socket of sockets) socket.resume();
  await Promise.all(gone);
  // What the kernel had not taken of the first answer was dropped.
  expect(sockets[0]?.bytesRead).toBeLessThan(12 * MIB);
});

test("a second poll waits for the first answer to be read", async () => {
  const host = await startHost({ httpCompression: false });
  const opened = first<Session>(host.engine, "connection");
  const polling = await pollingHandshake(host.port);
  const session = await opened;
  const unread = requestWithoutReading(host.port, polling.target);
  await until(() => session.transport.writable);
  for (let count = 0; count < 12; count += 1) session.send(CHUNK);
  await until(() => session.writeBuffer.length === 0);
  const inFlight = session.bufferedBytes;
  expect(inFlight).toBeGreaterThan(12 * MIB - 1);
  session.send("second");
  const second = polling.startPoll();
  // A request that is answered tells that the poll sent before it has arrived, too.
  await fetch(`http://127.0.0.1:${host.port}${POLLING}`);
  session.send("third");
  await turn();
  expect(session.writeBuffer).toHaveLength(2);
  unread.resume();
  expect((await second.response).body).toBe("4second\u001e4third");
  expect(session.bufferedBytes).toBe(0);
});

test("compressed messages count as well", async () => {
  const host = await startHost({
    perMessageDeflate: { threshold: 2 ** 40 },
    maxBufferedBytes: BOUND,
  });
  const { session } = await openStalledWebSocket(host);
  const closed = received(session, "close");
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(BOUND);
  expect((await closed)[0]).toBe("transport error");
});

test("a function that drops lets nothing grow, and the client reads on where it was", async () => {
  const host = await startHost({ maxBufferedBytes: 4 * MIB, slowConsumer: () => "drop" });
  const { session } = await openStalledWebSocket(host);
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(4 * MIB);
  expect(session.readyState).toBe("open");
  expect(host.engine.counters.slowConsumers).toBe(0);
  expect(host.engine.counters.droppedMessages).toBeGreaterThan(CHUNKS - 64);
});

test("a function that keeps is overruled at twice the bound", async () => {
  const host = await startHost({ maxBufferedBytes: 4 * MIB, slowConsumer: () => "keep" });
  const { session } = await openStalledWebSocket(host);
  const closed = received(session, "close");
  expect(await sendGigabyte(session)).toBeLessThanOrEqual(8 * MIB);
  expect((await closed)[0]).toBe("transport error");
});

test("a client that reads gets everything, however much it is", async () => {
  const host = await startHost();
  const { session, client } = await openWebSocket(host);
  let bytes = 0;
  for (let count = 0; count < 64; count += 1) {
    session.send(CHUNK);
    bytes += (await client.nextText()).length - 1;
  }
  expect(bytes).toBe(64 * MIB);
  expect(host.engine.counters.slowConsumers).toBe(0);
});

test("of a broadcast of 1 GiB, only the client that does not read is cut off", async () => {
  const httpServer = createServer();
  const io = new SocketIoServer(httpServer, { maxBufferedBytes: BOUND, serveClient: false });
  onCleanup(() => io.close());
  const port = await listenOn(httpServer, 0);
  const reader = connectClient(`http://127.0.0.1:${port}`, { transports: ["websocket"] });
  onCleanup(() => reader.disconnect());
  let count = 0;
  reader.on("chunk", () => (count += 1));
  const stalled = await RawClient.open(port);
  const id = await stalled.join();
  stalled.pause();
  await until(() => io.of("/").sockets.size === 2);
  const socket = io.of("/").sockets.get(id);
  const session = socket?.conn as unknown as Session;
  const order: unknown[] = [];
  socket?.on("disconnecting", (reason, description) =>
    order.push(["disconnecting", reason, description, socket.rooms.size]),
  );
  socket?.on("disconnect", (reason) => order.push(["disconnect", reason]));
  const bytes = Buffer.alloc(MIB);
  let most = 0;
  for (let sent = 1; sent <= CHUNKS; sent += 1) {
    io.emit("chunk", bytes);
    most = Math.max(most, session.bufferedBytes);
    await until(() => count > sent - 8);
  }
  await until(() => count === CHUNKS);
  expect(most).toBeLessThanOrEqual(BOUND);
  expect(order).toEqual([
    ["disconnecting", "transport error", expect.objectContaining({ code: "ERR_SLOW_CONSUMER" }), 1],
    ["disconnect", "transport error"],
  ]);
  expect(reader.connected).toBe(true);
  expect(io.of("/").sockets.size).toBe(1);
});

test("volatile events wait up to the low watermark, if the operator says so", async () => {
  const httpServer = createServer();
  const io = new SocketIoServer(httpServer, { slowConsumer: "drop-volatile", serveClient: false });
  onCleanup(() => io.close());
  const port = await listenOn(httpServer, 0);
  const client = await RawClient.open(port);
  const socket = io.of("/").sockets.get(await client.join());
  const session = socket?.conn as unknown as Session;
  for (let count = 0; count < 10; count += 1) socket?.volatile.emit("few");
  expect(session.writeBuffer).toHaveLength(10);
  client.pause();
  for (let count = 0; count < 200; count += 1) {
    socket?.volatile.emit("many", CHUNK);
    await turn();
  }
  // What the kernels of both ends take is not known, but far below of what was sent.
  expect(session.bufferedBytes).toBeLessThanOrEqual(3 * MIB);
  expect(socket?.connected).toBe(true);
});
