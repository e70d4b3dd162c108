// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.9: the adapter of a single server, as programs and packages use it.
import type { Namespace, Socket } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { expect, test, vi } from "vitest";
import { collect } from "../support/clients.js";
import { fix, startServer } from "../support/subject.js";
import { join } from "./support.js";

type Selection = Parameters<Namespace["adapter"]["fetchSockets"]>[0];

const everybody: Selection = { rooms: new Set() };

test("rooms and sids are maps of sets, and nsp is the namespace (A1)", async () => {
  const server = await startServer();
  const { adapter } = server.io.sockets;
  const { socket } = await join(server);
  await socket.join("a");
  expect(adapter.nsp === server.io.sockets).toBe(true);
  expect(adapter.rooms).toBeInstanceOf(Map);
  expect([...adapter.rooms]).toEqual([
    [socket.id, new Set([socket.id])],
    ["a", new Set([socket.id])],
  ]);
  expect([...adapter.sids]).toEqual([[socket.id, new Set([socket.id, "a"])]]);
});

test("alone, a server is the whole cluster (A2)", async () => {
  const { io } = await startServer();
  const { adapter } = io.sockets;
  expect(await adapter.serverCount()).toBe(1);
  expect([adapter.init(), adapter.close()]).toEqual([undefined, undefined]);
});

test("addAll(), del() and delAll() work at once (A3)", async () => {
  const { io } = await startServer();
  const { adapter } = io.sockets;
  void adapter.addAll("id", new Set(["a", "b"]));
  expect([...adapter.rooms.keys()]).toEqual(["a", "b"]);
  void adapter.del("id", "a");
  expect([[...adapter.rooms.keys()], adapter.socketRooms("id")]).toEqual([["b"], new Set(["b"])]);
  adapter.delAll("id");
  expect([adapter.rooms.size, adapter.sids.size]).toEqual([0, 0]);
});

test("an adapter tells of rooms that come and go, and who joins and leaves (A4)", async () => {
  const { io } = await startServer();
  const { adapter } = io.sockets;
  const events: unknown[][] = [];
  for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
    adapter.on(event, (...args: unknown[]) => events.push([event, ...args]));
  }
  void adapter.addAll("one", new Set(["a"]));
  void adapter.addAll("two", new Set(["a"]));
  void adapter.addAll("two", new Set(["a"]));
  void adapter.del("one", "a");
  adapter.delAll("two");
  expect(events).toEqual([
    ["create-room", "a"],
    ["join-room", "a", "one"],
    ["join-room", "a", "two"],
    ["leave-room", "a", "one"],
    ["leave-room", "a", "two"],
    ["delete-room", "a"],
  ]);
});

test("broadcast() gets the packet, rooms, exceptions and flags (A5)", async () => {
  const seen: unknown[] = [];
  class Noting extends Adapter {
    override broadcast(packet: unknown, options: unknown): void {
      seen.push([packet, options]);
    }
  }
  const server = await startServer({ adapter: Noting });
  server.io.to("a").except("b").compress(false).volatile.local.emit("news", 1);
  expect(seen).toMatchObject([
    [
      { type: 2, data: ["news", 1] },
      {
        rooms: new Set(["a"]),
        except: new Set(["b"]),
        flags: { compress: false, volatile: true, local: true },
      },
    ],
  ]);
});

test("broadcast() reaches the sockets in the rooms, without the exceptions (A5)", async () => {
  const server = await startServer();
  const [a, b, c] = [await join(server), await join(server), await join(server)];
  await a.socket.join("room");
  await b.socket.join(["room", "quiet"]);
  const heard = [a, b, c].map(({ client }) => collect(client, "news"));
  server.io.sockets.adapter.broadcast(
    { type: 2, data: ["news", 1] },
    { rooms: new Set(["room"]), except: new Set(["quiet"]), flags: {} },
  );
  for (const { client } of [a, b, c]) {
    await new Promise((resolve) => client.emit("round trip", resolve));
  }
  expect(heard).toEqual([[[1]], [], []]);
});

test("broadcastWithAck() counts the clients once, and tells each answer; one id is for all (A6)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  a.client.on("ask", (answer: (value: string) => void) => answer("a"));
  b.client.on("ask", (answer: (value: string) => void) => answer("b"));
  const id = server.io.sockets._ids;
  const counts: number[] = [];
  const packet = { type: 2, data: ["ask"] };
  const answers = await new Promise((resolve) => {
    const all: unknown[] = [];
    server.io.sockets.adapter.broadcastWithAck(
      packet,
      everybody,
      (count) => counts.push(count),
      (...values) => {
        if (all.push(values) === 2) resolve(all);
      },
    );
  });
  expect(counts).toEqual([2]);
  expect(answers).toEqual(expect.arrayContaining([["a"], ["b"]]));
  expect([packet, server.io.sockets._ids]).toMatchObject([{ id, nsp: "/" }, id + 1]);
});

test("a frame that an adapter has encoded is sent as it is (A7)", async () => {
  // The class of npm socket.io-adapter encodes the WebSocket frame once for all recipients.
  const server = await startServer({ adapter: Adapter });
  const { client, socket } = await join(server);
  const options: unknown[] = [];
  socket.conn.on("packetCreate", (packet: { options: { wsPreEncodedFrame?: unknown } }) => {
    options.push(packet.options.wsPreEncodedFrame);
  });
  const heard = new Promise((resolve) => client.once("news", resolve));
  server.io.emit("news", "text");
  expect(await heard).toBe("text");
  expect(options).toEqual([expect.arrayContaining([expect.any(Buffer)])]);
});

test("sockets are found, fetched, moved and disconnected by rooms (A8)", async () => {
  const server = await startServer();
  const { adapter } = server.io.sockets;
  const [a, b] = [await join(server), await join(server)];
  const inRoom: Selection = { rooms: new Set(["room"]) };
  adapter.addSockets({ rooms: new Set([a.socket.id]) }, ["room", "other"]);
  expect(await adapter.sockets(new Set(["room"]))).toEqual(new Set([a.socket.id]));
  expect(await adapter.sockets(new Set())).toEqual(new Set([a.socket.id, b.socket.id]));
  expect(adapter.socketRooms(a.socket.id)).toEqual(new Set([a.socket.id, "room", "other"]));
  expect(adapter.socketRooms("nobody")).toBeUndefined();
  expect(await adapter.fetchSockets(inRoom)).toEqual([a.socket]);
  adapter.delSockets(inRoom, ["other"]);
  expect([...a.socket.rooms]).toEqual([a.socket.id, "room"]);
  adapter.disconnectSockets({ rooms: new Set(), except: new Set(["room"]) }, true);
  expect([...server.io.sockets.sockets.values()]).toEqual([a.socket]);
});

test("serverSideEmit() of the class of socket.io-adapter warns, on our server as on theirs (A9)", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const { io } = await startServer({ adapter: Adapter });
  io.serverSideEmit("hello");
  expect(warn.mock.calls).toEqual([
    ["this adapter does not support the serverSideEmit() functionality"],
  ]);
  warn.mockRestore();
});

fix(
  "there is nobody else on a single server, so its adapter has nothing to warn of (A9)",
  async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { io } = await startServer();
    expect(await io.serverSideEmitWithAck("hello")).toEqual([]);
    expect(warn.mock.calls).toEqual([]);
    warn.mockRestore();
  },
);

test("without recovery, sessions are not kept (A10)", async () => {
  const { io } = await startServer();
  const { adapter } = io.sockets;
  adapter.persistSession({ sid: "a", pid: "b", rooms: [], data: {} });
  expect(await adapter.restoreSession("b", "0")).toBeNull();
});

test("an adapter may be a class or a function, of any package (O3, X21)", async () => {
  const made: string[] = [];
  const byFunction = await startServer({
    adapter: function factory(nsp: Namespace) {
      made.push(nsp.name);
      return new Adapter(nsp);
    },
  });
  const byClass = await startServer({ adapter: Adapter });
  for (const server of [byFunction, byClass]) {
    const { client, socket }: { client: { id?: string | undefined }; socket: Socket } =
      await join(server);
    await socket.join("a");
    expect(await server.io.in("a").allSockets()).toEqual(new Set([client.id]));
  }
  expect(made).toEqual(["/"]);
});

fix("the function that makes an adapter may be an arrow function (O3)", async () => {
  const server = await startServer({ adapter: (nsp: Namespace) => new Adapter(nsp) });
  expect(server.io.sockets.adapter instanceof Adapter).toBe(true);
});
