import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { CELLS, collect, pair, roundTrip } from "../support/clients.js";
import { listenOn, startServer, SubjectServer } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";

describe.each(CELLS)("$name", (cell) => {
  test("fetchSockets() finds sockets by room and shows what they are", async () => {
    const server = await startServer();
    const { io } = server;
    const one = await pair(server, cell, { auth: { name: "one" } });
    const two = await pair(server, cell);
    await one.socket.join("room");
    one.socket.data.user = "somebody";
    const all = await io.fetchSockets();
    expect(all.map(({ id }) => id)).toEqual([one.socket.id, two.socket.id]);
    const [found] = await io.in("room").fetchSockets();
    expect(found?.id).toBe(one.socket.id);
    expect(found?.data).toEqual({ user: "somebody" });
    expect(found?.rooms).toEqual(new Set([one.socket.id, "room"]));
    expect(found?.handshake.auth).toEqual({ name: "one" });
    const others = await one.socket.broadcast.fetchSockets();
    expect(others.map(({ id }) => id)).toEqual([two.socket.id]);
    expect(await io.in("nobody").fetchSockets()).toEqual([]);
    expect(await io.except("room").fetchSockets()).toHaveLength(1);
  });

  test("what fetchSockets() returns can emit, join, leave and disconnect", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const [found] = await server.io.fetchSockets();
    const event = first(client, "event");
    found?.emit("event", "direct");
    expect(await event).toBe("direct");
    found?.join("room");
    expect(socket.rooms.has("room")).toBe(true);
    found?.leave("room");
    expect(socket.rooms.has("room")).toBe(false);
    const gone = first(client, "disconnect");
    found?.disconnect();
    expect(await gone).toBe("io server disconnect");
  });

  test("socketsJoin() and socketsLeave() move the sockets they address", async () => {
    const server = await startServer();
    const { io } = server;
    const [one, two, three] = [
      await pair(server, cell),
      await pair(server, cell),
      await pair(server, cell),
    ];
    await one.socket.join("start");
    const members = (room: string): Set<string> => io.sockets.adapter.rooms.get(room) ?? new Set();
    io.in("start").socketsJoin("moved");
    expect(members("moved")).toEqual(new Set([one.socket.id]));
    io.socketsJoin(["everybody", "again"]);
    const ids = [one, two, three].map(({ socket }) => socket.id);
    expect(members("everybody")).toEqual(new Set(ids));
    expect(members("again")).toEqual(new Set(ids));
    io.in(two.socket.id).socketsLeave("everybody");
    expect(members("everybody")).toEqual(new Set([one.socket.id, three.socket.id]));
    two.socket.broadcast.socketsLeave("again");
    expect(members("again")).toEqual(new Set([two.socket.id]));
    io.except("start").socketsLeave("everybody");
    expect(members("everybody")).toEqual(new Set([one.socket.id]));
  });

  test("disconnectSockets() ends the sockets it addresses and keeps the others", async () => {
    const server = await startServer();
    const { io } = server;
    const one = await pair(server, cell);
    const two = await pair(server, cell);
    const three = await pair(server, cell);
    await one.socket.join("room");
    const reasons = [one, two].map(({ client }) => first(client, "disconnect"));
    io.in("room").disconnectSockets();
    expect(await reasons[0]).toBe("io server disconnect");
    await roundTrip(two.client);
    expect(io.sockets.sockets.size).toBe(2);
    const closed = received(two.client.io, "close");
    io.in(two.socket.id).disconnectSockets(true);
    expect(await reasons[1]).toBe("io server disconnect");
    await closed;
    await roundTrip(three.client);
  });

  test("io.close() disconnects everybody, closes the http server, and calls back", async () => {
    const server = await startServer();
    const one = await pair(server, cell);
    const two = await pair(server, cell);
    const gone = [one, two].map(({ client }) => received(client, "disconnect"));
    const called = new Promise<unknown[]>((resolve) => {
      void server.io.close((...args) => resolve(args));
    });
    await Promise.all(gone);
    server.httpServer.closeAllConnections();
    expect((await called).filter((arg) => arg !== undefined)).toEqual([]);
    expect(server.httpServer.listening).toBe(false);
    expect(server.io.sockets.sockets.size).toBe(0);
    expect(server.io.engine.clientsCount).toBe(0);
  });

  test("what was emitted right before io.close() arrives", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    await until(() => socket.conn.transport.writable);
    const gone = received(client, "disconnect");
    const heard = received(client, "news");
    server.io.emit("news", "the last");
    void server.io.close();
    expect(await heard).toEqual(["the last"]);
    await gone;
  });

  test("a server made without an http server attaches to one, or listens by itself", async () => {
    const httpServer = createServer();
    const attached = new SubjectServer({ transports: ["polling", "websocket"] });
    onCleanup(() => attached.close());
    expect(attached.attach(httpServer) === attached).toBe(true);
    const port = await listenOn(httpServer, 0);
    const { client } = await pair({ io: attached, port }, cell);
    await roundTrip(client);
    expect(attached.httpServer === httpServer).toBe(true);
    client.disconnect();

    const listening = new SubjectServer();
    onCleanup(() => listening.close());
    listening.listen(0);
    await received(listening.httpServer, "listening");
    const address = listening.httpServer.address() as AddressInfo;
    const { client: other } = await pair({ io: listening, port: address.port }, cell);
    await roundTrip(other);
  });

  test("volatile events reach a client that is ready for them", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await roundTrip(client);
    const arrived = received(client, "volatile");
    // On polling the server is ready only while a poll waits, so it is sent until one gets through.
    const timer = setInterval(() => socket.volatile.emit("volatile", 1), 1);
    expect(await arrived).toEqual([1]);
    clearInterval(timer);
  });

  test("the session tells of its transport and its packets", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const packets = collect(socket.conn, "packet");
    const created = collect(socket.conn, "packetCreate");
    await roundTrip(client);
    await roundTrip(client);
    expect(packets.length).toBeGreaterThan(0);
    expect(created.length).toBeGreaterThan(0);
    expect(packets[0]).toMatchObject([{ type: "message" }]);
    expect(created[0]).toMatchObject([{ type: "message" }]);
    expect(socket.conn.transport.name).toBe(cell.transport === "polling" ? "polling" : "websocket");
  });
});
