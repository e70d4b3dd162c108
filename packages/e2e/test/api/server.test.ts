// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.2: the class Server.
import { EventEmitter, once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as OfficialEngine } from "engine.io";
import type { Namespace, Server, ServerOptions, Socket } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { collect, connect, ready } from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { fix, listenOn, startServer, SubjectServer } from "../support/subject.js";
import { first, received } from "../support/wait.js";
import { eachReceives, hidden, idsOf, join, WEBSOCKET } from "./support.js";

/** A server that is closed after the test. */
function make(
  target?: HttpServer | number | Partial<ServerOptions>,
  options?: Partial<ServerOptions>,
): Server {
  const io = new SubjectServer(target as HttpServer, options);
  onCleanup(() => closeQuietly(io));
  return io;
}

/** Official servers that were never attached cannot be closed. */
async function closeQuietly(io: Server): Promise<void> {
  if (hidden(io, "engine") !== undefined) await io.close();
}

function portOf(httpServer: unknown): number {
  return ((httpServer as HttpServer).address() as AddressInfo).port;
}

async function statusOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.arrayBuffer();
  return response.status;
}

test("the constructor takes nothing, options, a port, or an HTTP server with options (S2)", async () => {
  expect(make().path()).toBe("/socket.io");
  expect(make({ path: "/a" }).path()).toBe("/a");
  expect(make(undefined, { path: "/a" }).path()).toBe("/a");
  const httpServer = createServer();
  const attached = make(httpServer, { path: "/a" });
  expect([attached.httpServer, attached.path()]).toEqual([httpServer, "/a"]);
  const listening = make(0);
  await once(listening.httpServer, "listening");
  expect(portOf(listening.httpServer)).toBeGreaterThan(0);
});

test("an object without the method listen is options (S2)", () => {
  const io = make({ connectTimeout: 5 });
  expect([io.connectTimeout(), hidden(io, "httpServer")]).toEqual([5, undefined]);
});

test("sockets is the main namespace (S3)", () => {
  const io = make();
  expect(io.sockets === io.of("/")).toBe(true);
  expect(io.sockets.name).toBe("/");
});

test("engine and httpServer are those that were attached last (S4, S5)", () => {
  const io = make();
  const [one, other] = [createServer(), createServer()];
  io.attach(one);
  const { engine } = io;
  expect(io.httpServer === one).toBe(true);
  io.attach(other);
  expect(io.httpServer === other).toBe(true);
  expect(io.engine === engine).toBe(false);
  engine.close();
});

test("opts, encoder, eio and _nsps are there for packages (S6)", () => {
  const io = make(createServer(), { path: "/a", connectionStateRecovery: {} });
  io.of("/x");
  const encode = (packet: object): unknown => io.encoder.encode(packet as never);
  expect(hidden(io, "eio") === io.engine).toBe(true);
  expect([...io._nsps.keys()]).toEqual(["/", "/x"]);
  expect(io._nsps.get("/x") === io.of("/x")).toBe(true);
  expect(encode({ type: 2, nsp: "/x", data: ["a"] })).toEqual(['2/x,["a"]']);
  expect(hidden(io, "opts")).toMatchObject({
    connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  });
});

test("serveClient() is a getter and, with an argument, a setter (S7, O2)", () => {
  const io = make();
  expect(io.serveClient()).toBe(true);
  expect(io.serveClient(false) === io).toBe(true);
  expect(io.serveClient()).toBe(false);
  expect(make({ serveClient: false }).serveClient()).toBe(false);
});

test("path() takes one trailing slash away (S8, O1)", () => {
  const io = make();
  expect(io.path()).toBe("/socket.io");
  expect(io.path("/a//") === io).toBe(true);
  expect(io.path()).toBe("/a/");
  expect(make({ path: "/b/" }).path()).toBe("/b");
});

test("connectTimeout() is 45 seconds by default (S9, O5)", () => {
  const io = make();
  expect(io.connectTimeout()).toBe(45_000);
  expect(io.connectTimeout(10) === io).toBe(true);
  expect(io.connectTimeout()).toBe(10);
});

test("adapter() gives the class; a new one is for every namespace that there is (S10, O3)", () => {
  class Own extends Adapter {}
  const io = make();
  const nsp = io.of("/x");
  expect(typeof io.adapter()).toBe("function");
  expect(io.adapter(Own) === io).toBe(true);
  expect(io.adapter() === Own).toBe(true);
  expect(nsp.adapter instanceof Own).toBe(true);
  expect(io.sockets.adapter instanceof Own).toBe(true);
  expect(io.of("/y").adapter instanceof Own).toBe(true);
});

test("listen() does what attach() does, and returns the server (S11)", async () => {
  const io = make();
  expect(io.listen(0) === io).toBe(true);
  await once(io.httpServer, "listening");
  const client = connect(portOf(io.httpServer), WEBSOCKET);
  await ready(client, WEBSOCKET);
  expect(io.sockets.sockets.size).toBe(1);
});

test("attach() says what is wrong with an Express application (S12)", () => {
  const application = Object.assign(() => {}, { listen: () => {} });
  expect(() => make(application as never)).toThrow(
    "You are trying to attach socket.io to an express request handler function. " +
      "Please pass a http.Server instance.",
  );
});

test("attach() takes a port as a number or as text, and answers the rest with 404 (S12)", async () => {
  const io = make();
  expect(io.attach("0" as never) === io).toBe(true);
  await once(io.httpServer, "listening");
  const response = await fetch(`http://127.0.0.1:${portOf(io.httpServer)}/other`);
  expect([response.status, await response.text()]).toEqual([404, ""]);
});

test("the options of the constructor win over those of attach() (S12)", async () => {
  const io = make({ pingInterval: 1234 });
  const httpServer = createServer();
  io.attach(httpServer, { pingInterval: 4321, pingTimeout: 4321 });
  const client = await RawClient.open(await listenOn(httpServer, 0));
  expect(client.handshake).toMatchObject({ pingInterval: 1234, pingTimeout: 4321 });
});

fix("attach() leaves the options of the caller as they are (S12)", () => {
  const options = { pingInterval: 1 };
  make({ pingTimeout: 2 }).attach(createServer(), options);
  expect(options).toEqual({ pingInterval: 1 });
});

test("bind() takes any engine: an emitter of connections that can be closed (S14)", async () => {
  const httpServer = createServer();
  const engine = new OfficialEngine();
  engine.attach(httpServer, { path: "/socket.io/" });
  const io = make();
  expect(io.bind(engine) === io).toBe(true);
  expect(io.engine === engine).toBe(true);
  const port = await listenOn(httpServer, 0);
  onCleanup(() => httpServer.close());
  const joined = first<Socket>(io, "connection");
  const client = await ready(connect(port, WEBSOCKET), WEBSOCKET);
  expect((await joined).id).toBe(client.id);
});

test("onconnection() takes one connection of an engine (S15)", async () => {
  const httpServer = createServer();
  const engine = new OfficialEngine();
  engine.attach(httpServer, { path: "/socket.io/" });
  const io = make();
  const onConnection = hidden(io, "onconnection") as (session: unknown) => unknown;
  engine.on("connection", (session) => onConnection.call(io, session));
  const port = await listenOn(httpServer, 0);
  onCleanup(() => {
    engine.close();
    httpServer.close();
  });
  const joined = first<Socket>(io, "connection");
  const client = await ready(connect(port, WEBSOCKET), WEBSOCKET);
  expect((await joined).id).toBe(client.id);
});

test("of() adds the slash, and gives one namespace for one name (S16)", () => {
  const io = make();
  expect(io.of("x") === io.of("/x")).toBe(true);
  expect(io.of("x").name).toBe("/x");
});

test("the second argument of of() hears of every socket (S16)", async () => {
  const server = await startServer();
  const names: string[] = [];
  server.io.of("/x", (socket) => names.push(socket.nsp.name));
  await join(server, { nsp: "/x" });
  expect(names).toEqual(["/x"]);
});

test("of() makes the child at once when a pattern covers the name (S16)", () => {
  const io = make();
  const parent = io.of(/^\/child-\d$/);
  const created = collect(io, "new_namespace");
  const child = io.of("/child-1");
  expect(hidden(parent, "children")).toEqual(new Set([child]));
  expect(created).toEqual([[child]]);
});

test("of() takes a function that decides by name and auth (S16)", async () => {
  const server = await startServer();
  const asked: unknown[] = [];
  server.io.of((name, auth, next) => {
    asked.push([name, auth]);
    next(null, auth["key"] === "right");
  });
  const { client } = await join(server, { nsp: "/a", auth: { key: "right" } });
  expect(client.connected).toBe(true);
  const refused = connect(server.port, WEBSOCKET, { nsp: "/b", auth: { key: "wrong" } });
  expect(await first<Error>(refused, "connect_error")).toMatchObject({
    message: "Invalid namespace",
  });
  expect(asked).toEqual([
    ["/a", { key: "right" }],
    ["/b", { key: "wrong" }],
  ]);
});

test("close() goes from the sockets to the adapters to the engine to the HTTP server (S17)", async () => {
  const steps: string[] = [];
  class Noting extends Adapter {
    override close(): void {
      steps.push("adapter");
    }
  }
  const server = await startServer({ adapter: Noting });
  const { socket } = await join(server);
  socket.on("disconnect", (reason) => steps.push(reason));
  const { engine } = server.io;
  const closeEngine = engine.close.bind(engine);
  engine.close = () => {
    steps.push("engine");
    engine.close = closeEngine;
    return closeEngine();
  };
  server.httpServer.on("close", () => steps.push("http server"));
  await server.close();
  expect(steps).toEqual(["server shutting down", "adapter", "engine", "http server"]);
});

test("close() tells its callback, and not the promise, that the HTTP server did not run (S17)", async () => {
  const io = new SubjectServer(createServer());
  const errors: (Error | undefined)[] = [];
  await io.close((error) => errors.push(error));
  expect(errors).toEqual([expect.objectContaining({ code: "ERR_SERVER_NOT_RUNNING" })]);
});

test("use() is that of the main namespace (S18)", async () => {
  const server = await startServer();
  expect(server.io.use((_socket, next) => next(new Error("main"))) === server.io).toBe(true);
  server.io.of("/x");
  const refused = connect(server.port, WEBSOCKET);
  expect(await first<Error>(refused, "connect_error")).toMatchObject({ message: "main" });
  expect((await join(server, { nsp: "/x" })).client.connected).toBe(true);
});

test("to(), in() and except() select by room, one or several (S19)", async () => {
  const server = await startServer();
  const [a, b, c] = await Promise.all([join(server), join(server), join(server)]);
  await a.socket.join("a");
  await b.socket.join("b");
  await c.socket.join("c");
  const { io } = server;
  expect(idsOf(await io.to("a").fetchSockets())).toEqual(idsOf([a.socket]));
  expect(idsOf(await io.in(["a", "b"]).fetchSockets())).toEqual(idsOf([a.socket, b.socket]));
  expect(idsOf(await io.except(["a", "b"]).fetchSockets())).toEqual(idsOf([c.socket]));
});

test("emit() reaches every socket and returns true; send() and write() emit message (S20, S21)", async () => {
  const server = await startServer();
  const { client } = await join(server);
  const news = received(client, "news");
  expect(server.io.emit("news", 1, "two")).toBe(true);
  expect(await news).toEqual([1, "two"]);
  const messages = collect(client, "message");
  expect(server.io.send("a", 1) === server.io).toBe(true);
  expect(server.io.write("b") === server.io).toBe(true);
  await new Promise((resolve) => client.emit("round trip", resolve));
  expect(messages).toEqual([["a", 1], ["b"]]);
});

test("serverSideEmit() goes to the adapter, and refuses the server's own names (S22, N11)", () => {
  const emitted: unknown[][] = [];
  class Noting extends Adapter {
    override serverSideEmit(packet: unknown[]): void {
      emitted.push(packet);
    }
  }
  const io = make({ adapter: Noting });
  expect(io.serverSideEmit("hello", 1)).toBe(true);
  expect(emitted).toEqual([["hello", 1]]);
  for (const name of ["connect", "connection", "new_namespace"]) {
    expect(() => io.serverSideEmit(name)).toThrow(`"${name}" is a reserved event name`);
  }
});

test("serverSideEmitWithAck() resolves with the answers, or rejects with those there are (S23)", async () => {
  class Answering extends Adapter {
    override serverSideEmit([event, ack]: [
      string,
      (error: unknown, answers: unknown) => void,
    ]): void {
      ack(event === "fail" ? new Error("late") : null, [1, 2]);
    }
  }
  const io = make({ adapter: Answering as never });
  expect(await io.serverSideEmitWithAck("count")).toEqual([1, 2]);
  await expect(io.serverSideEmitWithAck("fail")).rejects.toMatchObject({
    message: "late",
    responses: [1, 2],
  });
});

fix("without other servers, serverSideEmitWithAck() resolves with no answers (S23)", async () => {
  expect(await make().serverSideEmitWithAck("count")).toEqual([]);
});

test("allSockets() resolves with the ids of the sockets (S24, B7, N10)", async () => {
  const server = await startServer();
  const { socket } = await join(server);
  const other = await join(server, { nsp: server.io.of("/x").name });
  expect(await server.io.allSockets()).toEqual(new Set([socket.id]));
  expect(await server.io.of("/x").allSockets()).toEqual(new Set([other.socket.id]));
  expect(await server.io.to("nobody").allSockets()).toEqual(new Set());
});

test("compress, volatile, local and timeout are flags of what is broadcast next (S25)", () => {
  const io = make();
  const flags = (selection: object): unknown => hidden(selection, "flags");
  expect(flags(io.compress(false))).toEqual({ compress: false });
  expect(flags(io.volatile)).toEqual({ volatile: true });
  expect(flags(io.local)).toEqual({ local: true });
  expect(flags(io.timeout(5))).toEqual({ timeout: 5 });
});

test("fetchSockets(), socketsJoin(), socketsLeave() and disconnectSockets() are for all (S26)", async () => {
  const server = await startServer();
  const [a, b] = await Promise.all([join(server), join(server)]);
  server.io.socketsJoin(["one", "two"]);
  server.io.socketsLeave("two");
  expect([...a.socket.rooms].sort()).toEqual([a.socket.id, "one"].sort());
  expect(idsOf(await server.io.fetchSockets())).toEqual(idsOf([a.socket, b.socket]));
  const left = eachReceives([a.client, b.client], "disconnect");
  server.io.disconnectSockets();
  expect(await left).toEqual(["io server disconnect", "io server disconnect"]);
  expect(server.io.sockets.sockets.size).toBe(0);
});

test("the methods of an emitter are those of the main namespace (S27)", () => {
  const io = make();
  const listener = (): void => {};
  const both = (read: (emitter: Server | Namespace) => unknown): unknown[] => [
    read(io),
    read(io.sockets),
  ];
  io.on("a", listener).addListener("a", listener).once("b", listener);
  io.prependListener("c", listener);
  io.prependOnceListener("c", listener);
  expect(both((emitter) => emitter.listenerCount("a"))).toEqual([2, 2]);
  expect(both((emitter) => emitter.eventNames())).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  expect(both((emitter) => emitter.listeners("b"))).toEqual([[listener], [listener]]);
  expect(both((emitter) => emitter.rawListeners("c").length)).toEqual([2, 2]);
  io.off("a", listener).removeListener("a", listener);
  expect(both((emitter) => emitter.listenerCount("a"))).toEqual([0, 0]);
  io.setMaxListeners(7);
  expect(both((emitter) => emitter.getMaxListeners())).toEqual([7, 7]);
  io.removeAllListeners();
  expect(io.sockets.eventNames()).toEqual([]);
});

test("a server is an EventEmitter, and connection comes after connect (S28)", async () => {
  const server = await startServer();
  expect(server.io).toBeInstanceOf(EventEmitter);
  const events: unknown[] = [];
  server.io.on("connect", (socket) => events.push(["connect", socket.id]));
  server.io.on("connection", (socket) => events.push(["connection", socket.id]));
  server.io.on("new_namespace", (nsp) => events.push(["new_namespace", nsp.name]));
  const { socket } = await join(server);
  server.io.of("/x");
  server.io.of("/x");
  expect(events).toEqual([
    ["connect", socket.id],
    ["connection", socket.id],
    ["new_namespace", "/x"],
  ]);
});

test("the path decides where the engine answers (O1)", async () => {
  const { port } = await startServer({ path: "/own" });
  expect(await statusOf(port, "/own/?EIO=4&transport=polling")).toBe(200);
  const client = await ready(connect(port, WEBSOCKET, { path: "/own" }), WEBSOCKET);
  expect(client.connected).toBe(true);
});

test("an event for everybody is one for the clients of all rooms (S20)", async () => {
  const server = await startServer();
  const pairs = await Promise.all([join(server), join(server)]);
  await pairs[0].socket.join("a");
  const all = eachReceives(
    pairs.map(({ client }) => client),
    "news",
  );
  server.io.emit("news", 1);
  expect(await all).toEqual([1, 1]);
});
