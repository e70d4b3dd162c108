// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.5: broadcast operators, and sockets of other servers.
import type { RemoteSocket } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { expect, test } from "vitest";
import { collect, roundTrip } from "../support/clients.js";
import { fix, startServer } from "../support/subject.js";
import { received, rejection } from "../support/wait.js";
import { hidden, idsOf, join } from "./support.js";

/** What an operator selects, and how it sends. */
function contents(operator: object): unknown[] {
  return ["rooms", "exceptRooms", "flags"].map((name) => hidden(operator, name));
}

test("every call makes another operator and leaves the first as it was (B1)", async () => {
  const { io } = await startServer();
  const first = io.to("a");
  const others = [
    first.to("b"),
    first.in("b"),
    first.except("c"),
    first.compress(true),
    first.volatile,
    first.local,
    first.timeout(5),
  ];
  for (const other of others) expect(other).not.toBe(first);
  expect(contents(first)).toEqual([new Set(["a"]), new Set(), {}]);
});

test("rooms and flags add up, whether one room is given or several (B2)", async () => {
  const { io } = await startServer();
  const operator = io
    .to("a")
    .in(["b", "c"])
    .except("d")
    .except(["e"])
    .compress(false)
    .volatile.local.timeout(5);
  expect(contents(operator)).toEqual([
    new Set(["a", "b", "c"]),
    new Set(["d", "e"]),
    { compress: false, volatile: true, local: true, timeout: 5 },
  ]);
});

test("emit() is true, and its acknowledgement gets null and all answers (B3)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  a.client.on("ask", (answer: (value: string) => void) => answer("a"));
  b.client.on("ask", (answer: (value: string) => void) => answer("b"));
  let isTrue = false;
  const args = await new Promise<unknown[]>((resolve) => {
    isTrue = server.io.timeout(5000).emit("ask", (...values: unknown[]) => resolve(values));
  });
  expect(isTrue).toBe(true);
  expect(args[0]).toBeNull();
  expect((args[1] as string[]).sort()).toEqual(["a", "b"]);
  expect(server.io.to("a").emit("news")).toBe(true);
  expect(() => server.io.to("a").emit("disconnect")).toThrow(
    '"disconnect" is a reserved event name',
  );
});

test("a timeout comes with the answers there are, and forgets the others (B4)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  a.client.on("ask", (answer: (value: string) => void) => answer("a"));
  const args = await new Promise<unknown[]>((resolve) => {
    server.io.timeout(200).emit("ask", (...values: unknown[]) => resolve(values));
  });
  expect(args).toEqual([expect.objectContaining({ message: "operation has timed out" }), ["a"]]);
  const acks = [a, b].map(({ socket }) => (hidden(socket, "acks") as Map<number, unknown>).size);
  expect(acks).toEqual([0, 0]);
});

fix("without timeout() an acknowledgement waits for the answers (B4)", async () => {
  const server = await startServer();
  const { client } = await join(server);
  client.on("ask", (answer: (value: string) => void) => setTimeout(answer, 20, "late"));
  const args = await new Promise<unknown[]>((resolve) => {
    server.io.to(client.id ?? "").emit("ask", (...values: unknown[]) => {
      resolve(values);
    });
  });
  expect(args).toEqual([null, ["late"]]);
});

test("nobody to answer means no answers, at once (B5)", async () => {
  const { io } = await startServer();
  expect(await io.to("nobody").timeout(10_000).emitWithAck("ask")).toEqual([]);
});

test("the answers of all clients complete a broadcast before its time is over (B5)", async () => {
  const server = await startServer();
  const { client, socket } = await join(server);
  await join(server);
  client.on("ask", (answer: (value: number) => void) => answer(1));
  expect(await server.io.to(socket.id).timeout(10_000).emitWithAck("ask")).toEqual([1]);
});

test("emitWithAck() is rejected with the answers there are (B6)", async () => {
  const server = await startServer();
  const { client } = await join(server);
  await join(server);
  client.on("ask", (answer: (value: string) => void) => answer("a"));
  expect(await rejection(server.io.timeout(200).emitWithAck("ask"))).toMatchObject({
    message: "operation has timed out",
    responses: ["a"],
  });
});

/** An adapter that knows one socket of another server, and what is sent to it. */
class OneRemote extends Adapter {
  readonly calls: unknown[][] = [];
  override async fetchSockets(): Promise<unknown[]> {
    const handshake = { url: "/elsewhere" };
    const remote = { id: "remote", handshake, rooms: ["remote", "a"], data: { user: "ada" } };
    return Promise.resolve([remote, ...this.nsp.sockets.values()]);
  }
  override broadcast(packet: { data: unknown }, options: { rooms: Set<string> }): void {
    this.calls.push(["broadcast", packet.data, [...options.rooms]]);
  }
  override broadcastWithAck(
    _packet: unknown,
    options: { flags?: object },
    onClientCount: (count: number) => void,
    onAck: (answer: unknown) => void,
  ): void {
    this.calls.push(["ask", hidden(options.flags ?? {}, "expectSingleResponse")]);
    onClientCount(1);
    onAck("answer");
  }
  override addSockets(options: { rooms: Set<string> }, rooms: string[]): void {
    this.calls.push(["join", [...options.rooms], rooms]);
  }
  override delSockets(options: { rooms: Set<string> }, rooms: string[]): void {
    this.calls.push(["leave", [...options.rooms], rooms]);
  }
  override disconnectSockets(options: { rooms: Set<string> }, close: boolean): void {
    this.calls.push(["disconnect", [...options.rooms], close]);
  }
}

test("fetchSockets() gives the own sockets as they are, and others as RemoteSocket (B8, B10)", async () => {
  const server = await startServer({ adapter: OneRemote as never });
  const { socket } = await join(server);
  const sockets = await server.io.fetchSockets();
  expect(idsOf(sockets)).toEqual(["remote", socket.id].sort());
  expect((sockets as object[]).includes(socket)).toBe(true);
  const remote = sockets.find(({ id }) => id === "remote") as RemoteSocket<never, unknown>;
  expect(remote.rooms).toEqual(new Set(["remote", "a"]));
  expect([remote.data, remote.handshake]).toEqual([{ user: "ada" }, { url: "/elsewhere" }]);
});

test("what a RemoteSocket does is a broadcast to its id (B10)", async () => {
  const server = await startServer({ adapter: OneRemote as never });
  const [remote] = await server.io.fetchSockets();
  const { calls } = server.io.sockets.adapter as unknown as OneRemote;
  remote?.emit("news", 1);
  remote?.join("b");
  remote?.leave("b");
  expect(remote?.disconnect(true) === remote).toBe(true);
  expect(calls).toEqual([
    ["broadcast", ["news", 1], ["remote"]],
    ["join", ["remote"], ["b"]],
    ["leave", ["remote"], ["b"]],
    ["disconnect", ["remote"], true],
  ]);
});

test("the answer of a RemoteSocket is one, not an array (B10)", async () => {
  const server = await startServer({ adapter: OneRemote as never });
  const [remote] = await server.io.fetchSockets();
  const args = await new Promise<unknown[]>((resolve) => {
    remote?.timeout(5000).emit("ask", (...values: unknown[]) => resolve(values));
  });
  expect(args).toEqual([null, "answer"]);
  expect((server.io.sockets.adapter as unknown as OneRemote).calls).toEqual([["ask", true]]);
});

test("a RemoteSocket has no emitWithAck, to, on and connected (B11)", async () => {
  const server = await startServer({ adapter: OneRemote as never });
  const [remote] = await server.io.fetchSockets();
  for (const name of ["emitWithAck", "to", "on", "connected"]) {
    expect([name, name in (remote as object)]).toEqual([name, false]);
  }
});

test("selected sockets join, leave and are disconnected (B9)", async () => {
  const server = await startServer();
  const [a, b] = [await join(server), await join(server)];
  server.io.in(a.socket.id).socketsJoin(["x", "y"]);
  server.io.in("x").socketsLeave("y");
  expect([...a.socket.rooms]).toEqual([a.socket.id, "x"]);
  const heard = collect(b.client, "news");
  const left = received(a.client, "disconnect");
  server.io.in("x").disconnectSockets(true);
  await left;
  server.io.except("x").emit("news");
  await roundTrip(b.client);
  expect(heard).toEqual([[]]);
});
