// Section 1.6: the client, which is one connection with its sockets.
import type { Socket } from "socket.io";
import { expect, test } from "vitest";
import { collect } from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { startServer } from "../support/subject.js";
import { first, received } from "../support/wait.js";
import { joinOn, joinWire, startWire } from "../support/wire.js";
import { hidden, join } from "./support.js";

function call(client: object, name: string, ...args: unknown[]): unknown {
  return (hidden(client, name) as (...values: unknown[]) => unknown).call(client, ...args);
}

test("a client has its connection, the first request and its sockets (C1)", async () => {
  const server = await startWire({}, ["/", "/x"]);
  const { client, socket } = await joinWire(server);
  const inX = await joinOn(client, server.io, "/x");
  const connection = socket.client;
  expect(inX.client === connection).toBe(true);
  expect(connection.conn === socket.conn).toBe(true);
  expect(connection.request === socket.request).toBe(true);
  expect(hidden(connection, "id")).toBe(hidden(socket.conn, "id"));
  const sockets = hidden(connection, "sockets") as Map<string, Socket>;
  expect([...sockets]).toEqual([
    [socket.id, socket],
    [inX.id, inX],
  ]);
  const byNamespace = hidden(connection, "nsps") as Map<string, Socket>;
  expect([...byNamespace.keys()]).toEqual(["/", "/x"]);
});

test("the time to join ends with the first namespace (C2)", async () => {
  const server = await startWire({ connectTimeout: 50 });
  const silent = await RawClient.open(server.port);
  const { client } = await joinWire(server);
  await silent.closed;
  expect(await client.roundTrip()).toEqual([]);
});

test("a refused CONNECT does not stop the time (C2)", async () => {
  const { port } = await startWire({ connectTimeout: 50 });
  const client = await RawClient.open(port);
  client.send("40/unknown,");
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  await client.closed;
});

test("an unknown namespace is refused with its name (C3)", async () => {
  const { client } = await joinWire(await startWire());
  client.send('40/unknown,{"a":1}');
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  expect(await client.roundTrip()).toEqual([]);
});

test("connect() joins a namespace in the name of the client (C3)", async () => {
  const server = await startWire({}, ["/", "/x"]);
  const { client, socket } = await joinWire(server);
  const joined = first<Socket>(server.io.of("/x"), "connection");
  call(socket.client, "connect", "/x", { token: "t" });
  const inX = await joined;
  expect(inX.handshake.auth).toEqual({ token: "t" });
  expect(await client.next()).toBe(`40/x,{"sid":"${inX.id}"}`);
});

test("close() ends an open connection and its sockets, once (C4)", async () => {
  const { client, socket } = await joinWire(await startWire());
  const ends = collect(socket, "disconnect");
  call(socket.client, "close");
  call(socket.client, "close");
  await client.closed;
  expect(ends).toHaveLength(1);
});

test("writeToEngine() sends encoded packets as they are (C5)", async () => {
  const { client, socket } = await joinWire(await startWire());
  call(socket.client, "writeToEngine", ['2["a"]', '2["b"]'], { preEncoded: true });
  expect([await client.next(), await client.next()]).toEqual(['42["a"]', '42["b"]']);
});

test("writeToEngine() drops volatile packets while the transport is busy (C5)", async () => {
  const { client, socket } = await joinWire(await startWire());
  const options = { preEncoded: true, volatile: true };
  call(socket.client, "writeToEngine", ['2["sent"]'], options);
  call(socket.client, "writeToEngine", ['2["dropped"]'], options);
  expect(await client.roundTrip()).toEqual(['42["sent"]']);
});

test("what cannot be decoded is an error of every socket, then the end (C6)", async () => {
  const server = await startWire({}, ["/", "/x"]);
  const { client, socket } = await joinWire(server);
  const inX = await joinOn(client, server.io, "/x");
  const seen: unknown[] = [];
  for (const each of [socket, inX]) {
    each.on("error", (error) => seen.push(["error", each.nsp.name, error.message]));
    each.on("disconnect", (reason) => seen.push(["end", each.nsp.name, reason]));
  }
  client.send("4nonsense");
  await client.closed;
  expect(seen).toEqual([
    ["error", "/", "unknown packet type NaN"],
    ["error", "/x", "unknown packet type NaN"],
    ["end", "/", "forced close"],
    ["end", "/x", "forced close"],
  ]);
});

test.each([
  ["a second CONNECT", "40"],
  ["an event for a namespace that was not joined", '42/x,["a"]'],
  ["a CONNECT_ERROR", '44{"message":"no"}'],
])("%s closes the connection (C7)", async (_what, packet) => {
  const { client, socket } = await joinWire(await startWire({}, ["/", "/x"]));
  const ended = received(socket, "disconnect");
  client.send(packet);
  await client.closed;
  expect((await ended)[0]).toBe("forced close");
});

test("the client is the same for all sockets of a connection, and only for them (C1)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  expect(a.socket.client === b.socket.client).toBe(false);
});
