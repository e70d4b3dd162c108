// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.4: the class Socket, and why it is disconnected.
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { DisconnectReason, Event, Socket } from "socket.io";
import { expect, test } from "vitest";
import { collect, connect, roundTrip } from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { RawClient, RawPolling } from "../support/raw-clients.js";
import { fix, startServer } from "../support/subject.js";
import { first, received, rejection, until } from "../support/wait.js";
import { joinWire, startWire } from "../support/wire.js";
import { eachReceives, hidden, join, POLLING, WEBSOCKET } from "./support.js";

test("the id is 20 characters that nobody can guess, not the session's (K1)", async () => {
  const { client, socket } = await join(await startServer());
  expect(socket.id).toMatch(/^[\w-]{20}$/);
  expect(socket.id).toBe(client.id);
  expect(socket.id).not.toBe(hidden(socket.conn, "id"));
});

test("recovered is false without recovery (K2)", async () => {
  const { socket } = await join(await startServer());
  expect(socket.recovered).toBe(false);
});

test("the handshake tells of the first request, and of auth (K3)", async () => {
  const server = await startServer();
  const before = Date.now();
  const { socket } = await join(server, {
    auth: { token: "t" },
    query: { a: "1" },
    extraHeaders: { "x-own": "yes", origin: "http://other.example" },
  });
  const { handshake } = socket;
  expect(handshake).toMatchObject({
    address: "127.0.0.1",
    xdomain: true,
    secure: false,
    query: { a: "1", EIO: "4", transport: "websocket" },
    auth: { token: "t" },
  });
  expect(Object.keys(handshake).sort()).toEqual([
    "address",
    "auth",
    "headers",
    "issued",
    "query",
    "secure",
    "time",
    "url",
    "xdomain",
  ]);
  expect(handshake.headers["x-own"]).toBe("yes");
  expect(handshake.url).toMatch(/^\/socket\.io\/\?a=1&EIO=4&transport=websocket/);
  expect(handshake.issued).toBeGreaterThanOrEqual(before);
  expect(new Date(handshake.time).getTime()).toBe(Math.floor(handshake.issued / 1000) * 1000);
});

test("data is an empty object that the application fills or replaces (K4)", async () => {
  const server = await startServer();
  const { socket } = await join(server);
  expect(socket.data).toEqual({});
  socket.data.user = "ada";
  expect(socket.data).toEqual({ user: "ada" });
  socket.data = { user: "bob" };
  const [fetched] = await server.io.fetchSockets();
  expect(fetched?.data).toEqual({ user: "bob" });
});

test("connected and disconnected are opposites (K5)", async () => {
  const { client, socket } = await join(await startServer());
  expect([socket.connected, socket.disconnected]).toEqual([true, false]);
  const left = received(client, "disconnect");
  socket.disconnect();
  expect([socket.connected, socket.disconnected]).toEqual([false, true]);
  await left;
});

test("a socket knows its namespace, client, server, adapter and acknowledgements (K6)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  expect(socket.nsp === server.io.sockets).toBe(true);
  expect(hidden(socket, "server") === server.io).toBe(true);
  expect(hidden(socket, "adapter") === socket.nsp.adapter).toBe(true);
  expect(socket.client.conn === socket.conn).toBe(true);
  const acks = hidden(socket, "acks") as Map<number, unknown>;
  expect(acks.size).toBe(0);
  const answered = new Promise((resolve) => socket.emit("ask", resolve));
  expect(acks.size).toBe(1);
  client.on("ask", (answer: (value: string) => void) => answer("yes"));
  expect([await answered, acks.size]).toEqual(["yes", 0]);
});

test("request is the first request, conn the session, rooms a live set (K7)", async () => {
  const server = await startServer();
  const requests: IncomingMessage[] = [];
  server.io.engine.on("initial_headers", (_headers, req: IncomingMessage) => requests.push(req));
  server.io.engine.on("headers", (_headers, req: IncomingMessage) => requests.push(req));
  const { client, socket } = await join(server);
  expect(socket.request.url).toBe(requests[0]?.url);
  expect(socket.conn.transport.name).toBe("websocket");
  const { rooms } = socket;
  expect([...rooms]).toEqual([socket.id]);
  await socket.join("a");
  expect([...rooms]).toEqual([socket.id, "a"]);
  const left = received(client, "disconnect");
  socket.disconnect();
  await left;
  expect(socket.rooms).toEqual(new Set());
});

test("emit() is true whatever happens, and refuses reserved names (K8, K22)", async () => {
  const { client, socket } = await join(await startServer());
  const heard = received(client, "news");
  expect(socket.emit("news", 1, { two: 2 })).toBe(true);
  expect(await heard).toEqual([1, { two: 2 }]);
  for (const name of [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
  ]) {
    expect(() => socket.emit(name)).toThrow(`"${name}" is a reserved event name`);
  }
  socket.disconnect(true);
  expect(socket.emit("news")).toBe(true);
});

test("emitWithAck() resolves with the first value (K9)", async () => {
  const { client, socket } = await join(await startServer());
  client.on("ask", (question: string, answer: (...values: unknown[]) => void) =>
    answer(`${question}!`, 2),
  );
  expect(await socket.emitWithAck("ask", "why")).toBe("why!");
});

fix("emitWithAck() is rejected when the client leaves (K9)", async () => {
  const { client, socket } = await join(await startServer());
  const failed = rejection(socket.emitWithAck("ask"));
  client.disconnect();
  expect(await failed).toMatchObject({ message: "socket has been disconnected" });
});

test("after timeout() an acknowledgement gets null or an error first (K10)", async () => {
  const { client, socket } = await join(await startServer());
  client.on("ask", (answer: (value: string) => void) => answer("yes"));
  const answered = new Promise<unknown[]>((resolve) => {
    socket.timeout(5000).emit("ask", (...args: unknown[]) => resolve(args));
  });
  expect(await answered).toEqual([null, "yes"]);
  const failed = new Promise<unknown[]>((resolve) => {
    socket.timeout(1).emit("nobody", (...args: unknown[]) => resolve(args));
  });
  expect(await failed).toEqual([expect.objectContaining({ message: "operation has timed out" })]);
  expect(await rejection(socket.timeout(1).emitWithAck("nobody"))).toMatchObject({
    message: "operation has timed out",
  });
});

test("send() and write() emit message and give the socket (K11)", async () => {
  const { client, socket } = await join(await startServer());
  const messages = collect(client, "message");
  expect(socket.send("a", 1) === socket).toBe(true);
  expect(socket.write("b") === socket).toBe(true);
  await roundTrip(client);
  expect(messages).toEqual([["a", 1], ["b"]]);
});

test("what a socket selects never holds itself (K12)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  await a.socket.join("room");
  await b.socket.join("room");
  const heard = [collect(a.client, "news"), collect(b.client, "news")];
  a.socket.to("room").emit("news", 1);
  a.socket.in(["room"]).emit("news", 2);
  a.socket.except("other").emit("news", 3);
  a.socket.broadcast.emit("news", 4);
  a.socket.local.emit("news", 5);
  await Promise.all([roundTrip(a.client), roundTrip(b.client)]);
  expect(heard).toEqual([[], [[1], [2], [3], [4], [5]]]);
  expect(hidden(a.socket.to("room"), "exceptRooms")).toEqual(new Set([a.socket.id]));
});

test("join() takes one room or several, leave() one, leaveAll() all (K13)", async () => {
  const { socket } = await join(await startServer());
  await socket.join("a");
  await socket.join(["b", "c"]);
  await socket.leave("b");
  expect([...socket.rooms]).toEqual([socket.id, "a", "c"]);
  (hidden(socket, "leaveAll") as () => void).call(socket);
  expect(socket.rooms).toEqual(new Set());
});

test("a socket that is gone joins nothing (K14)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  const left = received(client, "disconnect");
  socket.disconnect();
  await left;
  await socket.join("a");
  expect([socket.rooms, server.io.sockets.adapter.rooms.has("a")]).toEqual([new Set(), false]);
});

test("disconnect() leaves the namespace, disconnect(true) all of them and the connection (K15)", async () => {
  const server = await startWire({}, ["/", "/x"]);
  const { client, socket } = await joinWire(server);
  await client.join("/x");
  expect(socket.disconnect() === socket).toBe(true);
  expect(await client.next()).toBe("41");
  expect(await client.roundTrip("/x")).toEqual([]);
  const [inX] = server.io.of("/x").sockets.values();
  inX?.disconnect(true);
  expect(await client.next()).toBe("41/x,");
  await client.closed;
});

test("compress(), volatile and timeout() count for the next packet and give the socket (K16)", async () => {
  const { socket } = await join(await startServer());
  expect(socket.compress(false) === socket).toBe(true);
  expect(socket.volatile === socket).toBe(true);
  expect(socket.timeout(5) === socket).toBe(true);
  socket.emit("news");
  expect(hidden(socket.broadcast, "flags")).not.toHaveProperty("volatile", true);
});

fix("the flags of an emit that throws are gone (K16)", async () => {
  const { client, socket } = await join(await startServer());
  expect(() => socket.timeout(1).emit("connect")).toThrow("reserved");
  client.on("ask", (answer: () => void) => answer());
  const args = await new Promise<unknown[]>((resolve) => {
    socket.emit("ask", (...values: unknown[]) => resolve(values));
  });
  expect(args).toEqual([]);
});

test("use() sees every event before its listeners; an error drops it and is an error event (K17)", async () => {
  const { client, socket } = await join(await startServer());
  const seen: Event[] = [];
  const errors = collect(socket, "error");
  const heard = collect(socket, "bad");
  expect(
    socket.use((event, next) => {
      seen.push([...event]);
      next(event[0] === "bad" ? new Error("bad") : undefined);
    }),
  ).toBe(socket);
  client.emit("bad", 1);
  client.emit("good", 2);
  await first(socket, "good");
  expect(seen).toEqual([
    ["bad", 1],
    ["good", 2],
  ]);
  expect([errors, heard]).toEqual([[[new Error("bad")]], []]);
});

test("catch-all listeners hear every event, in their order, until removed (K18)", async () => {
  const { client, socket } = await join(await startServer());
  const seen: unknown[][] = [];
  const last = (...args: unknown[]): void => void seen.push(["last", ...args]);
  const front = (...args: unknown[]): void => void seen.push(["first", ...args]);
  expect(socket.onAny(last) === socket).toBe(true);
  expect(socket.prependAny(front) === socket).toBe(true);
  expect(socket.listenersAny()).toEqual([front, last]);
  client.emit("a", 1);
  await first(socket, "a");
  expect(socket.offAny(front) === socket).toBe(true);
  client.emit("b");
  await received(socket, "b");
  socket.offAny();
  client.emit("c");
  await received(socket, "c");
  expect(seen).toEqual([
    ["first", "a", 1],
    ["last", "a", 1],
    ["last", "b"],
  ]);
  expect(socket.listenersAny()).toEqual([]);
});

test("outgoing catch-all listeners hear emits and broadcasts, not acknowledgements (K19)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  const seen: unknown[][] = [];
  const last = (...args: unknown[]): void => void seen.push(["last", ...args]);
  const front = (...args: unknown[]): void => void seen.push(["first", ...args]);
  expect(socket.onAnyOutgoing(last).prependAnyOutgoing(front) === socket).toBe(true);
  expect(socket.listenersAnyOutgoing()).toEqual([front, last]);
  socket.emit("a", 1);
  socket.offAnyOutgoing(front);
  server.io.emit("b", 2);
  await roundTrip(client);
  socket.offAnyOutgoing();
  socket.emit("c");
  expect(seen).toEqual([
    ["first", "a", 1],
    ["last", "a", 1],
    ["last", "b", 2],
  ]);
});

test("catch-all listeners come before middlewares, which come before listeners (K20)", async () => {
  const { client, socket } = await join(await startServer());
  const order: string[] = [];
  socket.use((_event, next) => {
    order.push("middleware");
    next();
  });
  socket.on("a", () => order.push("listener"));
  socket.onAny(() => order.push("catch-all"));
  client.emit("a");
  await until(() => order.length === 3);
  expect(order).toEqual(["catch-all", "middleware", "listener"]);
});

test("disconnecting comes with the rooms, disconnect without, both with the reason (K21)", async () => {
  const { client, socket } = await join(await startServer());
  await socket.join("a");
  const seen: unknown[] = [];
  socket.on("disconnecting", (reason) => seen.push([reason, [...socket.rooms], socket.connected]));
  socket.on("disconnect", (reason) => seen.push([reason, [...socket.rooms], socket.connected]));
  client.disconnect();
  await until(() => seen.length === 2);
  expect(seen).toEqual([
    ["client namespace disconnect", [socket.id, "a"], true],
    ["client namespace disconnect", [], false],
  ]);
});

test("an error event that nobody listens for does not throw (K21)", async () => {
  const { client, socket } = await join(await startServer());
  client.emit("error", "mine");
  await roundTrip(client);
  expect(socket.connected).toBe(true);
});

test("broadcasts refuse the names that a socket refuses (K22)", async () => {
  const { io } = await startServer();
  for (const name of ["connect", "connect_error", "disconnect", "newListener", "removeListener"]) {
    expect(() => io.to("a").emit(name)).toThrow(`"${name}" is a reserved event name`);
  }
});

test("adapters send by packet(), tell catch-all listeners, and end sockets (K23)", async () => {
  const { client, socket } = await joinWire(await startWire());
  const outgoing: unknown[][] = [];
  socket.onAnyOutgoing((...args: unknown[]) => outgoing.push(args));
  const call = (name: string, ...args: unknown[]): unknown =>
    (hidden(socket, name) as (...values: unknown[]) => unknown).call(socket, ...args);
  call("packet", { type: 2, data: ["a", 1] });
  expect(await client.next()).toBe('42["a",1]');
  call("notifyOutgoingListeners", { type: 2, data: ["b", 2] });
  expect(outgoing).toEqual([["b", 2]]);
  const ended = received(socket, "disconnect");
  call("_onclose", "server shutting down");
  expect((await ended)[0]).toBe("server shutting down");
});

test("a socket is an EventEmitter (K24)", async () => {
  const { client, socket } = await join(await startServer());
  expect(socket).toBeInstanceOf(EventEmitter);
  const heard: string[] = [];
  const listener = (): void => void heard.push("off");
  socket.on("a", listener).off("a", listener);
  socket.once("a", () => heard.push("once"));
  socket.prependListener("a", () => heard.push("first"));
  expect([socket.listenerCount("a"), socket.eventNames()]).toEqual([
    2,
    expect.arrayContaining(["a"]),
  ]);
  client.emit("a");
  client.emit("a");
  await roundTrip(client);
  expect(heard).toEqual(["first", "once", "first"]);
});

// Why sockets are disconnected.

/** Resolves with the arguments of the event `disconnect`. */
function end(socket: Socket): Promise<[DisconnectReason, unknown]> {
  return received(socket, "disconnect");
}

test("too large a message is a transport error that tells the cause (R1, R11)", async () => {
  const { client, socket } = await joinWire(await startWire({ maxHttpBufferSize: 100 }));
  const ended = end(socket);
  client.send("x".repeat(101));
  const [reason, description] = await ended;
  expect(reason).toBe("transport error");
  expect(description).toMatchObject({
    message: expect.stringMatching(/Max payload size exceeded$/) as unknown,
    type: "TransportError",
  });
});

test("a second poll at once is a transport error that tells the cause (R11)", async () => {
  const server = await startWire();
  const polling = await RawPolling.open(server.port);
  const joined = first<Socket>(server.io, "connection");
  await polling.post("40");
  const socket = await joined;
  await polling.poll();
  const ended = end(socket);
  await Promise.all([polling.poll(), polling.poll()]);
  const [reason, description] = await ended;
  expect(reason).toBe("transport error");
  expect(description).toMatchObject({ message: "overlap from client", type: "TransportError" });
});

test("a connection that is cut is a transport close (R2)", async () => {
  const { client, socket } = await joinWire(await startWire());
  const ended = end(socket);
  client.cut();
  expect((await ended)[0]).toBe("transport close");
});

test("a connection that the server closes is a forced close (R3)", async () => {
  const { socket } = await joinWire(await startWire());
  const ended = end(socket);
  socket.conn.close();
  expect((await ended)[0]).toBe("forced close");
});

test("a network that carries nothing is a ping timeout (R4)", async () => {
  const server = await startServer({ pingInterval: 50, pingTimeout: 50 });
  const proxy = await startProxy(server.port);
  const joined = first<Socket>(server.io, "connection");
  const client = connect(proxy.port, WEBSOCKET);
  const socket = await joined;
  await received(client, "connect");
  const ended = end(socket);
  proxy.stall();
  expect((await ended)[0]).toBe("ping timeout");
});

test("a frame that is no packet is a parse error (R5)", async () => {
  const { client, socket } = await joinWire(await startWire());
  const ended = end(socket);
  client.send("x");
  expect((await ended)[0]).toBe("parse error");
});

test("io.close() is a server shutting down (R6)", async () => {
  const server = await startServer();
  const { socket } = await join(server);
  const ended = end(socket);
  await server.close();
  expect((await ended)[0]).toBe("server shutting down");
});

test("a violation while the transport is busy is a forced server close (R7)", async () => {
  const server = await startWire();
  const polling = await RawPolling.open(server.port);
  const joined = first<Socket>(server.io, "connection");
  await polling.post("40");
  const socket = await joined;
  const ended = end(socket);
  // No poll waits, so what is to be said waits, and the session with it.
  await polling.post('42/unknown,["a"]');
  expect((await ended)[0]).toBe("forced server close");
});

test("client.disconnect() is a client namespace disconnect (R8)", async () => {
  const { client, socket } = await join(await startServer());
  const ended = end(socket);
  client.disconnect();
  expect((await ended)[0]).toBe("client namespace disconnect");
});

test("socket.disconnect() is a server namespace disconnect (R9)", async () => {
  const { socket } = await join(await startServer());
  const ended = end(socket);
  socket.disconnect();
  expect((await ended)[0]).toBe("server namespace disconnect");
});

test("over polling, a client that closes its connection is a transport close (R2)", async () => {
  const server = await startServer();
  const joined = first<Socket>(server.io, "connection");
  const client = connect(server.port, POLLING);
  const socket = await joined;
  await received(client, "connect");
  const ended = end(socket);
  client.io.engine.close();
  expect((await ended)[0]).toBe("transport close");
});

test("clients learn of their end, too (K15)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  const told = eachReceives([a.client, b.client], "disconnect");
  a.socket.disconnect(true);
  b.socket.disconnect();
  expect(await told).toEqual(["io server disconnect", "io server disconnect"]);
});

test("a connection that never joins is closed (S9, C2)", async () => {
  const { port } = await startServer({ connectTimeout: 30 });
  const client = await RawClient.open(port);
  expect((await client.closed).code).toBe(1005);
});
