// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// What makes the server fast, counted: no clock is involved, so these numbers never vary.
import { formatFrame, OPCODE, RawWebSocket } from "@jackfield/testkit";
import { expect, vi } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { range } from "../support/range.js";
import { RawClient, RawPolling } from "../support/raw-clients.js";
import { fix, startServer } from "../support/subject.js";
import { countWrites } from "./writes.js";

const CLIENTS = 20;
const TEN = range(10);

/** A server with clients in its main namespace, and the counts of what it does from then on. */
async function crowd(size = CLIENTS) {
  const { io, httpServer, port } = await startServer();
  const writes = countWrites(httpServer);
  const clients = await Promise.all(range(size).map(() => RawClient.open(port)));
  await Promise.all(clients.map((client) => client.join()));
  const encode = vi.spyOn(io.encoder, "encode");
  writes.reset();
  return { io, port, writes, clients, encode };
}

/** Resolves with the next frames of every client. */
function receive(clients: readonly RawClient[], count: number): Promise<unknown[][]> {
  return Promise.all(clients.map((client) => Promise.all(range(count).map(() => client.next()))));
}

fix("ten events of a tick to each of twenty sockets are twenty writes", async () => {
  const { io, writes, clients } = await crowd();
  for (const socket of io.sockets.sockets.values()) {
    for (const number of TEN) socket.emit("event", number);
  }

  const expected = TEN.map((number) => `42["event",${number}]`);
  expect(await receive(clients, 10)).toEqual(clients.map(() => expected));
  expect(writes.count).toBe(CLIENTS);
});

fix("a broadcast is encoded once, and every socket is given the same bytes", async () => {
  const { io, writes, clients, encode } = await crowd();
  const allocate = vi.spyOn(Buffer, "allocUnsafe");
  onCleanup(() => allocate.mockRestore());
  io.emit("event", { text: "x".repeat(100) });
  const frames = allocate.mock.calls.length;

  await receive(clients, 1);
  expect(frames).toBe(1);
  expect(encode).toHaveBeenCalledTimes(1);
  expect(writes.count).toBe(CLIENTS);
  expect(new Set(writes.chunks).size).toBe(1);
});

fix("a broadcast of bytes is encoded once, and its frames are the same for all", async () => {
  const { io, writes, clients, encode } = await crowd();
  io.emit("event", Buffer.alloc(1000));

  await receive(clients, 2);
  expect(encode).toHaveBeenCalledTimes(1);
  expect(writes.count).toBe(CLIENTS);
  expect(new Set(writes.chunks).size).toBe(1);
});

fix("ten broadcasts of a tick are ten encodings, and one buffer for every socket", async () => {
  const { io, writes, clients, encode } = await crowd();
  for (const number of TEN) io.emit("event", number);

  await receive(clients, 10);
  expect(encode).toHaveBeenCalledTimes(10);
  expect(writes.count).toBe(CLIENTS);
  expect(new Set(writes.chunks).size).toBe(1);
});

fix("a broadcast to a room is written to its members alone", async () => {
  const { io, writes, clients, encode } = await crowd();
  const members = [...io.sockets.sockets.values()].slice(0, 5);
  for (const socket of members) void socket.join("room");
  io.to("room").emit("event");
  io.emit("end");

  await receive(clients, 1);
  expect(encode).toHaveBeenCalledTimes(2);
  // Members get both packets with one write.
  expect(writes.count).toBe(CLIENTS);
  expect(new Set(writes.chunks).size).toBe(2);
});

fix("events that came together are answered together", async () => {
  const { io, port, writes } = await crowd(0);
  io.on("connection", (socket) => {
    socket.on("echo", (number: number) => socket.emit("echo", number));
  });
  const path = "/socket.io/?EIO=4&transport=websocket";
  const client = await RawWebSocket.connect({ port, path });
  client.send("40");
  await client.nextFrame();
  await client.nextFrame();
  writes.reset();
  const packets = TEN.map((number) => `42["echo",${number}]`);
  client.write(
    Buffer.concat(packets.map((payload) => formatFrame({ opcode: OPCODE.text, payload }))),
  );

  const answers = await Promise.all(TEN.map(() => client.nextFrame()));
  expect(answers.map(({ text }) => text)).toEqual(packets);
  expect(writes.count).toBe(1);
});

fix("a broadcast to polling and WebSocket clients is encoded once", async () => {
  const { io, port, clients, encode } = await crowd(3);
  const polling = await Promise.all(range(3).map(() => RawPolling.open(port)));
  for (const client of polling) {
    await client.post("40");
    await client.poll();
  }
  encode.mockClear();
  const polls = polling.map((client) => client.poll());
  io.emit("event", 1);

  expect(await Promise.all(polls)).toEqual(polling.map(() => ['42["event",1]']));
  await receive(clients, 1);
  expect(encode).toHaveBeenCalledTimes(1);
});
