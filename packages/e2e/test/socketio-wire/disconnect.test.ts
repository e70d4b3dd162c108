// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { collect } from "../support/clients.js";
import { RawClient, RawPolling } from "../support/raw-clients.js";
import { fix, listenOn, startServer, SubjectServer } from "../support/subject.js";
import { first, received, rejection } from "../support/wait.js";
import { joinOn, joinWire, startWire } from "../support/wire.js";

test("disconnect() sends a DISCONNECT packet and keeps the connection (101)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const reasons = collect(admin, "disconnect");
  expect(admin.disconnect() === admin).toBe(true);
  expect(reasons).toEqual([["server namespace disconnect", undefined]]);
  expect(await client.roundTrip()).toEqual(["41/admin,"]);
  expect([socket.connected, admin.connected]).toEqual([true, false]);
  socket.disconnect();
  expect(await client.next()).toBe("41");
  // The connection is still good for another try.
  await client.join("/admin");
  expect(await client.roundTrip("/admin")).toEqual([]);
});

test("disconnect(true) sends one DISCONNECT packet per namespace and closes (101)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const reasons = [socket, admin].map((each) => first(each, "disconnect"));
  admin.disconnect(true);
  expect([await client.next(), await client.next()].toSorted(byText)).toEqual(["41", "41/admin,"]);
  expect(await Promise.all(reasons)).toEqual([
    "server namespace disconnect",
    "server namespace disconnect",
  ]);
  expect((await client.closed).code).toBe(1005);
});

function byText(one: unknown, other: unknown): number {
  return String(one).localeCompare(String(other));
}

test("a DISCONNECT packet of the client ends one namespace (101)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const reason = first(admin, "disconnect");
  client.send("41/admin,");
  expect(await reason).toBe("client namespace disconnect");
  expect(await client.roundTrip()).toEqual([]);
  expect(socket.connected).toBe(true);
  await client.join("/admin");
});

test("disconnectSockets(true) sends DISCONNECT packets and closes (102)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  server.io.disconnectSockets(true);
  expect(await client.next()).toBe("41");
  expect(await reason).toBe("server namespace disconnect");
  expect((await client.closed).code).toBe(1005);
});

test("io.close() sends no DISCONNECT packet (102)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  const frame = rejection(client.next());
  const closed = server.close();
  expect(await reason).toBe("server shutting down");
  expect((await frame).message).toBe("the connection was closed");
  await closed;
});

test("a protocol violation on WebSocket is a forced close (103)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  client.send("42[]");
  expect(["forced close", "forced server close"]).toContain(await reason);
});

test("a protocol violation on polling without a poll is a forced close (103)", async () => {
  const server = await startWire();
  const connected = first(server.io, "connection");
  const client = await RawPolling.open(server.port);
  expect(await client.post("40")).toBe(200);
  const socket = (await connected) as Parameters<typeof first>[0];
  expect((await client.poll())[0]).toMatch(/^40\{/);
  const reason = first(socket, "disconnect");
  expect(await client.post('42/unknown,["event"]')).toBe(200);
  expect(["forced close", "forced server close"]).toContain(await reason);
});

test("disconnecting shows rooms and state as they were, disconnect as they are (104)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  await socket.join("room");
  const states: unknown[] = [];
  const { sockets, adapter } = server.io.sockets;
  for (const event of ["disconnecting", "disconnect"] as const) {
    socket.on(event, (reason) => {
      states.push([
        event,
        reason,
        [...socket.rooms],
        socket.connected,
        sockets.has(socket.id),
        adapter.sids.has(socket.id),
      ]);
    });
  }
  const gone = received(socket, "disconnect");
  client.send("41");
  await gone;
  const reason = "client namespace disconnect";
  expect(states).toEqual([
    ["disconnecting", reason, [socket.id, "room"], true, true, true],
    ["disconnect", reason, [], false, false, false],
  ]);
});

test("what disconnecting emits to the room is delivered to the others (104)", async () => {
  const server = await startWire();
  const { client: leaving, socket } = await joinWire(server);
  const { client: staying, socket: other } = await joinWire(server);
  await socket.join("room");
  await other.join("room");
  socket.on("disconnecting", () => {
    socket.to([...socket.rooms]).emit("left", socket.id);
  });
  leaving.send("41");
  expect(await staying.next()).toBe(`42["left","${socket.id}"]`);
});

test("emit() after the disconnection returns true and sends nothing (105)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const gone = received(admin, "disconnect");
  client.send("41/admin,");
  await gone;
  client.close();
  const after = await client.closed;
  expect(admin.emit("event", 1)).toBe(true);
  expect(admin.emit("question", () => undefined)).toBe(true);
  expect(after.code).toBe(1005);
});

fix("an acknowledgement that will not come any more is an error (105)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const called: unknown[] = [];
  socket.emit("without timeout", (...args: unknown[]) => called.push(args));
  const unbounded = rejection(socket.emitWithAck("question"));
  const timed = rejection(socket.timeout(60_000).emitWithAck("question"));
  const viaCallback = new Promise((resolve) => {
    socket.timeout(60_000).emit("question", resolve);
  });
  client.close();
  expect(await unbounded).toBeInstanceOf(Error);
  expect(await timed).toBeInstanceOf(Error);
  expect(await viaCallback).toBeInstanceOf(Error);
  // A callback that takes no error is not called, but neither kept.
  expect(called).toEqual([]);
  expect(socket["acks"].size).toBe(0);
});

fix("emitWithAck() on a socket that is gone is an error (105)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const gone = received(socket, "disconnect");
  client.close();
  await gone;
  expect(await rejection(socket.emitWithAck("question"))).toBeInstanceOf(Error);
  expect(socket["acks"].size).toBe(0);
});

fix("io.close() of a server that was never attached resolves (106)", async () => {
  const io = new SubjectServer();
  const errors: unknown[] = [];
  await io.close((error) => errors.push(error));
  expect(errors).toHaveLength(1);
});

fix("io.close() closes every server it was attached to (106)", async () => {
  const io = new SubjectServer();
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const httpServer of servers) {
    onCleanup(() => httpServer.closeAllConnections());
    io.attach(httpServer);
    ports.push(await listenOn(httpServer, 0));
  }
  const clients = await Promise.all(ports.map((port) => RawClient.open(port)));
  await Promise.all(clients.map((client) => client.join()));
  expect(io.sockets.sockets.size).toBe(2);
  await io.close();
  await Promise.all(clients.map((client) => client.closed));
  expect(servers.map((httpServer) => httpServer.listening)).toEqual([false, false]);
});

test("the write buffer can be read in the engine's close handler (107)", async () => {
  const server = await startServer();
  const connected = first(server.io, "connection");
  const client = await RawPolling.open(server.port);
  await client.post("40");
  const socket = (await connected) as Awaited<ReturnType<typeof joinWire>>["socket"];
  expect((await client.poll())[0]).toMatch(/^40\{/);
  // No poll waits, so these stay in the buffer.
  socket.emit("one");
  socket.emit("two");
  const waiting = new Promise((resolve) => {
    socket.conn.on("close", () =>
      resolve((socket.conn["writeBuffer"] as { data: unknown }[]).map(({ data }) => data)),
    );
  });
  socket.conn.close(true);
  expect(await waiting).toEqual(['2["one"]', '2["two"]']);
});
