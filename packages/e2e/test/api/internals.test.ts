// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// What adapters, the admin UI, instrumentations and frameworks touch beyond the documented API.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import { createServer } from "node:http";
import type { Server, Socket } from "socket.io";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { collect, connect, ready, roundTrip } from "../support/clients.js";
import { RawPolling } from "../support/raw-clients.js";
import { fix, listenOn, startServer, SubjectServer } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";
import { startWire } from "../support/wire.js";
import { hidden, join, POLLING, WEBSOCKET } from "./support.js";

test("of a namespace: server, _ids, _fns, _preConnectSockets, prependListener (I1)", async () => {
  const server = await startServer({ connectionStateRecovery: {} });
  const nsp = server.io.of("/x");
  const owner = hidden(nsp, "server") as Server;
  const encode = (packet: object): unknown => owner.encoder.encode(packet as never);
  expect(encode({ type: 2, nsp: "/", data: ["a"] })).toEqual(['2["a"]']);
  expect(hidden(hidden(owner, "opts") as object, "connectionStateRecovery")).toBeDefined();
  const middleware = (_socket: Socket, next: () => void): void => next();
  nsp.use(middleware);
  expect(hidden(nsp, "_fns")).toEqual([middleware]);
  const before = nsp._ids;
  const order: string[] = [];
  nsp.on("connection", () => order.push("second"));
  nsp.prependListener("connection", () => order.push("first"));
  const { socket } = await join(server, { nsp: "/x" });
  socket.emit("ask", () => {});
  expect([order, nsp._ids]).toEqual([["first", "second"], before + 1]);
});

test("of a server: _nsps can be walked, and engine and httpServer be had (I3)", async () => {
  const { io, httpServer } = await startServer();
  io.of("/x");
  expect([...io._nsps].map(([name, { name: own }]) => [name, own])).toEqual([
    ["/", "/"],
    ["/x", "/x"],
  ]);
  expect(io.httpServer === httpServer).toBe(true);
  expect(hidden(io, "eio") === io.engine).toBe(true);
  expect(hidden(hidden(io, "eio") as object, "opts")).toMatchObject({ pingInterval: 25_000 });
});

test("of the engine: clients, clientsCount, opts, generateId and use (I3)", async () => {
  const { io, port } = await startServer();
  io.engine.generateId = () => "own-id";
  const seen: (string | undefined)[] = [];
  io.engine.use((req: IncomingMessage, _res: ServerResponse, next: () => void) => {
    seen.push(req.method);
    next();
  });
  const client = await ready(connect(port, WEBSOCKET), WEBSOCKET);
  expect(client.io.engine.id).toBe("own-id");
  expect(Object.keys(hidden(io.engine, "clients") as object)).toEqual(["own-id"]);
  expect([io.engine.clientsCount, io.engine.opts.pingTimeout, seen]).toEqual([1, 20_000, ["GET"]]);
});

test("of the engine: its events (I3)", async () => {
  const { io, port } = await startServer();
  const names = ["initial_headers", "headers", "connection", "flush", "drain"];
  const calls = names.map((name) => collect(io.engine, name));
  const errors = collect(io.engine, "connection_error");
  const client = await ready(connect(port, POLLING), POLLING);
  await until(() => calls.every((call) => call.length > 0));
  const [initial, , connections] = calls;
  expect(initial).toHaveLength(1);
  expect(connections).toEqual([[expect.objectContaining({ id: client.io.engine.id })]]);
  await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling&sid=unknown`);
  expect(errors).toEqual([
    [
      expect.objectContaining({
        code: 1,
        message: "Session ID unknown",
        context: { sid: "unknown" },
      }),
    ],
  ]);
});

test("of the engine: requests and upgrades may be handed over (I3)", async () => {
  const io: Server = new SubjectServer({ serveClient: false });
  const unused = createServer();
  io.attach(unused);
  const httpServer = createServer((req, res) => io.engine.handleRequest(req as never, res));
  httpServer.on("upgrade", (req, socket, head) => {
    io.engine.handleUpgrade(req, socket, head);
  });
  const port = await listenOn(httpServer, 0);
  onCleanup(() => {
    io.engine.close();
    httpServer.close();
  });
  const client = await ready(connect(port, POLLING), POLLING);
  const other = await ready(connect(port, WEBSOCKET), WEBSOCKET);
  expect(io.sockets.sockets.size).toBe(2);
  client.disconnect();
  other.disconnect();
});

test("of an HTTP server: connections can be handed to it (I3)", async () => {
  const { httpServer } = await startServer();
  const { createServer: createTcpServer } = await import("node:net");
  const front = createTcpServer((socket: TcpSocket) => httpServer.emit("connection", socket));
  const port = await new Promise<number>((resolve) => {
    front.listen(0, "127.0.0.1", () => resolve((front.address() as { port: number }).port));
  });
  onCleanup(() => front.close());
  const client = await ready(connect(port, WEBSOCKET), WEBSOCKET);
  expect(client.connected).toBe(true);
});

test("of a session: id, transport, request, writeBuffer (I4)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  const { conn } = socket;
  expect([hidden(conn, "id"), hidden(conn.transport, "sid")]).toEqual([
    client.io.engine.id,
    client.io.engine.id,
  ]);
  expect(conn.transport.name).toBe("websocket");
  expect(conn.request === socket.request).toBe(true);
  expect(Array.isArray(hidden(conn, "writeBuffer"))).toBe(true);
  expect(hidden(conn.request, "_query")).toMatchObject({ EIO: "4", transport: "websocket" });
});

test("of a session: its events (I4)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  const { conn } = socket;
  const incoming = collect(conn, "packet");
  const outgoing = collect(conn, "packetCreate");
  const drained = received(conn, "drain");
  socket.compress(false).emit("news");
  await roundTrip(client);
  await drained;
  expect(incoming[0]?.[0]).toMatchObject({ type: "message", data: expect.any(String) as unknown });
  expect(outgoing[0]?.[0]).toMatchObject({
    type: "message",
    data: '2["news"]',
    options: { compress: false },
  });
  const closed = received(conn, "close");
  client.io.engine.close();
  expect((await closed)[0]).toBe("transport close");
});

test("of a session: the event upgrade (I4)", async () => {
  const server = await startServer();
  const upgraded = new Promise((resolve) => {
    server.io.on("connection", ({ conn }) => {
      conn.once("upgrade", ({ name }: { name: string }) => resolve(name));
    });
  });
  connect(server.port, { ...POLLING, transport: "upgrade" });
  expect(await upgraded).toBe("websocket");
});

test("of a transport: headers before a response is written, and close (I4)", async () => {
  const server = await startWire();
  const polling = await RawPolling.open(server.port);
  const joined = first<Socket>(server.io, "connection");
  await polling.post("40");
  const socket = await joined;
  const { transport } = socket.conn;
  const headers = received(transport, "headers");
  await polling.poll();
  expect(await headers).toEqual([
    expect.objectContaining({ "Content-Type": "text/plain; charset=UTF-8" }),
    expect.objectContaining({ method: "GET" }),
  ]);
  const closed = received(transport, "close");
  socket.conn.close(true);
  await closed;
});

test("a request that was parsed by the host is taken with its query (I4)", async () => {
  const server = await startServer();
  server.httpServer.prependListener("request", (req: IncomingMessage) => {
    Object.assign(req, {
      _query: { EIO: "4", transport: "polling", token: "added by the host" },
    });
  });
  const joined = first<Socket>(server.io, "connection");
  const polling = fetch(`http://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await (await polling).text()).slice(1)) as { sid: string };
  const session = (hidden(server.io.engine, "clients") as Record<string, { request: object }>)[sid];
  expect(hidden(session?.request ?? {}, "_query")).toMatchObject({ token: "added by the host" });
  void joined;
});

test("of a socket: what adapters and instrumentations read (I2)", async () => {
  const server = await startServer();
  const { socket } = await join(server);
  for (const name of ["packet", "notifyOutgoingListeners", "leaveAll", "_onclose", "join"]) {
    expect([name, typeof hidden(socket, name)]).toEqual([name, "function"]);
  }
  expect(typeof hidden(socket.client, "writeToEngine")).toBe("function");
  expect(hidden(socket, "acks")).toBeInstanceOf(Map);
  Object.assign(socket.request, { session: { user: "ada" } });
  expect(hidden(socket.request, "session")).toEqual({ user: "ada" });
});

test("an operator shows its rooms, exceptions and flags (I5)", async () => {
  const { io } = await startServer();
  const operator = io.to("a").except("b").compress(true);
  expect(hidden(operator, "rooms")).toEqual(new Set(["a"]));
  expect(hidden(operator, "exceptRooms")).toEqual(new Set(["b"]));
  expect(hidden(operator, "flags")).toEqual({ compress: true });
});

test("the request of a socket may be deleted: nothing needs it later (I5)", async () => {
  const server = await startServer();
  server.io.on("connection", (socket) => {
    Reflect.deleteProperty(socket.conn, "request");
    Reflect.set(socket.conn, "request", null);
  });
  const { client, socket } = await join(server);
  await roundTrip(client);
  const left = received(client, "disconnect");
  socket.disconnect(true);
  expect((await left)[0]).toBe("io server disconnect");
});

fix("internals that nobody but the official server calls are not there (S6, K23)", async () => {
  const server = await startServer();
  const { socket } = await join(server);
  const absent = [
    [server.io, ["_parser", "_opts", "_connectTimeout", "_checkNamespace"]],
    [server.io.sockets, ["_initAdapter", "_add", "_remove", "run"]],
    [socket, ["_onconnect", "_onpacket", "_onerror", "_cleanup", "_error", "fns", "flags"]],
    [socket.client, ["_disconnect", "_remove", "_packet", "server", "encoder", "decoder"]],
  ] as const;
  for (const [owner, names] of absent) {
    expect(names.filter((name) => name in owner)).toEqual([]);
  }
});
