// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.3: namespaces, and the parents of those that appear when a client asks.
import type { Namespace, Socket } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { expect, test } from "vitest";
import { collect, connect, roundTrip } from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { fix, startServer } from "../support/subject.js";
import { first, gate, received, until } from "../support/wait.js";
import { startWire } from "../support/wire.js";
import { hidden, idsOf, join, WEBSOCKET } from "./support.js";

test("a namespace has name, sockets, adapter and server, and what adapters read (N1)", async () => {
  const server = await startServer();
  const nsp = server.io.of("/x");
  const { socket } = await join(server, { nsp: "/x" });
  expect(nsp.name).toBe("/x");
  expect([...nsp.sockets]).toEqual([[socket.id, socket]]);
  expect(nsp.adapter.nsp === nsp).toBe(true);
  expect(hidden(nsp, "server") === server.io).toBe(true);
  expect(hidden(nsp, "_preConnectSockets")).toEqual(new Map());
  expect(hidden(nsp, "_fns")).toEqual([]);
  expect(typeof nsp._ids).toBe("number");
});

test("a namespace makes and starts its adapter; one that fails to start is no crash (N2)", async () => {
  const started: string[] = [];
  class Failing extends Adapter {
    override async init(): Promise<void> {
      started.push(this.nsp.name);
      await Promise.resolve();
      if (this.nsp.name === "/x") throw new Error("no broker");
    }
  }
  const server = await startServer({ adapter: Failing });
  server.io.on("handler_error" as never, (() => {}) as never);
  server.io.of("/x");
  const { client } = await join(server, { nsp: "/x" });
  expect(started).toEqual(["/", "/x"]);
  expect(client.connected).toBe(true);
});

test("use() refuses by an error, whose data the client gets (N3)", async () => {
  const server = await startServer();
  const nsp = server.io.of("/x");
  const error = Object.assign(new Error("no"), { data: { code: 7 } });
  expect(nsp.use((_socket, next) => next(error)) === nsp).toBe(true);
  const refused = connect(server.port, WEBSOCKET, { nsp: "/x" });
  expect(await first(refused, "connect_error")).toMatchObject({
    message: "no",
    data: { code: 7 },
  });
});

test("a socket is among the connecting ones until its middlewares have decided (N4)", async () => {
  const server = await startWire();
  const { io } = server;
  const reached = gate<Socket>();
  const decided = gate<Error | undefined>();
  io.use((socket, next) => {
    reached.open(socket);
    void decided.opened.then((error) => next(error as never));
  });
  const client = await RawClient.open(server.port);
  client.send("40");
  const socket = await reached.opened;
  const connecting = hidden(io.sockets, "_preConnectSockets") as Map<string, Socket>;
  expect([...connecting.keys()]).toEqual([socket.id]);
  expect([io.sockets.sockets.size, socket.connected]).toEqual([0, false]);
  decided.open(undefined);
  expect(await client.next()).toBe(`40{"sid":"${socket.id}"}`);
  expect([connecting.size, io.sockets.sockets.get(socket.id)]).toEqual([0, socket]);
});

test("a socket whose connection has ended meanwhile is not connected (N4)", async () => {
  const server = await startWire();
  const decided = gate();
  const reached = gate<Socket>();
  const connections = collect(server.io, "connection");
  server.io.use((socket, next) => {
    reached.open(socket);
    void decided.opened.then(() => next());
  });
  const client = await RawClient.open(server.port);
  client.send("40");
  const socket = await reached.opened;
  const { conn } = socket;
  client.cut();
  await until(() => conn.readyState === "closed");
  decided.open();
  await until(
    () => (hidden(server.io.sockets, "_preConnectSockets") as Map<string, Socket>).size === 0,
  );
  expect([connections, socket.connected]).toEqual([[], false]);
});

test("middlewares run one after the other, and one that is added meanwhile does not (N5)", async () => {
  const server = await startServer();
  const ran: string[] = [];
  server.io.use((_socket, next) => {
    ran.push("first");
    server.io.use((_later, nextLater) => {
      ran.push("late");
      nextLater();
    });
    setImmediate(next);
  });
  server.io.use((_socket, next) => {
    ran.push("second");
    next();
  });
  await join(server);
  expect(ran).toEqual(["first", "second"]);
});

test("an error ends the middlewares (N5)", async () => {
  const server = await startServer();
  const ran: string[] = [];
  server.io.use((_socket, next) => next(new Error("stop")));
  server.io.use((_socket, next) => {
    ran.push("second");
    next();
  });
  const refused = connect(server.port, WEBSOCKET);
  await received(refused, "connect_error");
  expect(ran).toEqual([]);
});

fix("a middleware that throws or rejects refuses, and next() counts once (N5)", async () => {
  const server = await startServer();
  server.io.on("handler_error" as never, (() => {}) as never);
  server.io.of("/throws").use(() => {
    throw new Error("thrown");
  });
  server.io.of("/rejects").use((async () => Promise.reject(new Error("rejected"))) as never);
  const connections = collect(server.io.of("/twice"), "connection");
  server.io.of("/twice").use((_socket, next) => {
    next();
    next();
  });
  const refused = async (nsp: string): Promise<string> =>
    (await first<Error>(connect(server.port, WEBSOCKET, { nsp }), "connect_error")).message;
  expect(await refused("/throws")).toBe("thrown");
  expect(await refused("/rejects")).toBe("rejected");
  await join(server, { nsp: "/twice" });
  expect(connections).toHaveLength(1);
});

test("connected means: in sockets and in its own room, then the packet, then the events (N6)", async () => {
  const server = await startWire();
  const seen: unknown[] = [];
  const note = (event: string) => (socket: Socket) => {
    seen.push([
      event,
      server.io.sockets.sockets.has(socket.id),
      [...socket.rooms],
      socket.connected,
    ]);
    socket.emit(`after ${event}`);
  };
  server.io.on("connection", note("connection"));
  server.io.on("connect", note("connect"));
  const client = await RawClient.open(server.port);
  const id = await client.join();
  expect(await client.next()).toBe('42["after connect"]');
  expect(await client.next()).toBe('42["after connection"]');
  expect(seen).toEqual([
    ["connect", true, [id], true],
    ["connection", true, [id], true],
  ]);
});

test("to(), in() and except() of a namespace select its own sockets (N7)", async () => {
  const server = await startServer();
  const nsp = server.io.of("/x");
  const [a, b] = [await join(server, { nsp: "/x" }), await join(server, { nsp: "/x" })];
  const outsider = await join(server);
  await a.socket.join("room");
  await outsider.socket.join("room");
  expect(idsOf(await nsp.to("room").fetchSockets())).toEqual([a.socket.id]);
  expect(idsOf(await nsp.in(["room", b.socket.id]).fetchSockets())).toEqual(
    idsOf([a.socket, b.socket]),
  );
  expect(idsOf(await nsp.except("room").fetchSockets())).toEqual([b.socket.id]);
});

test("emit(), send() and write() reach the sockets of the namespace alone (N8)", async () => {
  const server = await startServer();
  const nsp = server.io.of("/x");
  const inside = await join(server, { nsp: "/x" });
  const outside = await join(server);
  const [heard, messages] = [collect(inside.client, "news"), collect(inside.client, "message")];
  const overheard = collect(outside.client, "news");
  expect(nsp.emit("news", 1)).toBe(true);
  expect(nsp.send("a") === nsp).toBe(true);
  expect(nsp.write("b") === nsp).toBe(true);
  await roundTrip(inside.client);
  await roundTrip(outside.client);
  expect([heard, messages, overheard]).toEqual([[[1]], [["a"], ["b"]], []]);
});

test("_onServerSideEmit() is where adapters deliver the events of other servers (N9)", async () => {
  const { io } = await startServer();
  const nsp = io.of("/x");
  const heard = collect(nsp, "hello");
  (hidden(nsp, "_onServerSideEmit") as (args: unknown[]) => void).call(nsp, ["hello", 1, "two"]);
  expect(heard).toEqual([[1, "two"]]);
});

test("the namespace's serverSideEmit() and serverSideEmitWithAck() go to its adapter (N9)", async () => {
  const emitted: unknown[][] = [];
  class Noting extends Adapter {
    override serverSideEmit([event, ack]: [
      string,
      ((error: null, answers: unknown) => void)?,
    ]): void {
      emitted.push([this.nsp.name, event]);
      ack?.(null, [1]);
    }
  }
  const { io } = await startServer({ adapter: Noting as never });
  expect(io.of("/x").serverSideEmit("a")).toBe(true);
  expect(await io.of("/x").serverSideEmitWithAck("b")).toEqual([1]);
  expect(emitted).toEqual([
    ["/x", "a"],
    ["/x", "b"],
  ]);
  expect(() => io.of("/x").serverSideEmit("connection")).toThrow(
    '"connection" is a reserved event name',
  );
});

test("flags and the methods for all sockets are there for each namespace (N10)", async () => {
  const server = await startServer();
  const nsp = server.io.of("/x");
  const { client, socket } = await join(server, { nsp: "/x" });
  const flags = (selection: object): unknown => hidden(selection, "flags");
  expect(flags(nsp.compress(true).volatile.local.timeout(5))).toEqual({
    compress: true,
    volatile: true,
    local: true,
    timeout: 5,
  });
  nsp.socketsJoin("a");
  expect(idsOf(await nsp.in("a").fetchSockets())).toEqual([socket.id]);
  nsp.socketsLeave("a");
  expect(idsOf(await nsp.in("a").fetchSockets())).toEqual([]);
  const left = first(client, "disconnect");
  nsp.disconnectSockets(true);
  expect(await left).toBe("io server disconnect");
});

test("clients hear connect and connection from nobody: these names are reserved (N11)", async () => {
  const { io } = await startServer();
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting"]) {
    expect(() => io.emit(name)).toThrow(`"${name}" is a reserved event name`);
  }
});

test("a parent has a name of its own; children copy its middlewares and listeners (N12)", async () => {
  const server = await startServer();
  const parent = server.io.of(/^\/child-\d$/);
  const other = server.io.of(() => {});
  expect(parent.name).toMatch(/^\/_\d+$/);
  expect(other.name).not.toBe(parent.name);
  const seen: string[] = [];
  parent.use((socket, next) => {
    seen.push(`middleware ${socket.nsp.name}`);
    next();
  });
  parent.on("connect", (socket) => seen.push(`connect ${socket.nsp.name}`));
  parent.on("connection", (socket) => seen.push(`connection ${socket.nsp.name}`));
  await join(server, { nsp: "/child-1" });
  // Too late for this child.
  parent.on("connection", () => seen.push("late"));
  await join(server, { nsp: "/child-1" });
  const once = ["middleware /child-1", "connect /child-1", "connection /child-1"];
  expect(seen).toEqual([...once, ...once]);
});

test("what a parent emits reaches the sockets of all children (N13)", async () => {
  const server = await startServer();
  const parent = server.io.of(/^\/child-\d$/);
  const [one, two] = [
    await join(server, { nsp: "/child-1" }),
    await join(server, { nsp: "/child-2" }),
  ];
  const heard = [collect(one.client, "news"), collect(two.client, "news")];
  await two.socket.join("a");
  expect(parent.emit("news", 1)).toBe(true);
  parent.to("a").emit("news", 2);
  await Promise.all([roundTrip(one.client), roundTrip(two.client)]);
  expect(heard).toEqual([[[1]], [[1], [2]]]);
});

test("the sockets of a parent cannot be fetched (N14)", async () => {
  const { io } = await startServer();
  expect(() => io.of(/^\/x/).fetchSockets()).toThrow(
    "fetchSockets() is not supported on parent namespaces",
  );
});

test("a child is announced, and cleaned up with its last socket if the option says so (N15, O7)", async () => {
  const closed: string[] = [];
  class Noting extends Adapter {
    override close(): void {
      closed.push(this.nsp.name);
    }
  }
  const server = await startServer({ cleanupEmptyChildNamespaces: true, adapter: Noting });
  const announced: string[] = [];
  server.io.on("new_namespace", ({ name }: Namespace) => announced.push(name));
  server.io.of(/^\/child-\d$/);
  const { socket } = await join(server, { nsp: "/child-1" });
  expect(server.io._nsps.has("/child-1")).toBe(true);
  socket.disconnect(true);
  await until(() => !server.io._nsps.has("/child-1"));
  expect([announced, closed]).toEqual([["/child-1"], ["/child-1"]]);
});

test("a child stays without the option (N15, O7)", async () => {
  const server = await startServer();
  server.io.of(/^\/child-\d$/);
  const { client, socket } = await join(server, { nsp: "/child-1" });
  const left = received(client, "disconnect");
  socket.disconnect();
  await left;
  expect(server.io._nsps.has("/child-1")).toBe(true);
});

test("parents are asked in the order they were made in; an error is a no (N16)", async () => {
  const server = await startServer();
  const asked: string[] = [];
  server.io.of((_name, _auth, next) => {
    asked.push("error");
    next(new Error("broken"), true);
  });
  const pattern = server.io.of(/^\/dynamic/);
  server.io.of((_name, _auth, next) => {
    asked.push("last");
    next(null, true);
  });
  await join(server, { nsp: "/dynamic-1" });
  expect(asked).toEqual(["error"]);
  expect([...(hidden(pattern, "children") as Set<Namespace>)].map(({ name }) => name)).toEqual([
    "/dynamic-1",
  ]);
});
