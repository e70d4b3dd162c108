import { expect, test, vi } from "vitest";
import type { LimitScope, Socket } from "../src/api.js";
import type { LimitError } from "../src/errors.js";
import { isLimited } from "../src/limits.js";
import { resolveOptions, type ServerOptions } from "../src/options.js";
import { Harness, noop, record, settled } from "./harness.js";

/** A server with limits, and what it told of them. */
function limited(options: ServerOptions): {
  harness: Harness;
  told: [error: LimitError, scope: LimitScope][];
} {
  const harness = new Harness(options);
  const told: [LimitError, LimitScope][] = [];
  harness.io.on("limit_exceeded", (...args) => told.push(args));
  return { harness, told };
}

test("a connection is in so many namespaces only (Q17)", () => {
  const { harness, told } = limited({ maxNamespacesPerConnection: 2 });
  for (const name of ["/a", "/b", "/c"]) harness.io.of(name);
  const peer = harness.open().send("0/a,", "0/b,", "0/c,");
  expect(peer.take().map(String)).toEqual([
    expect.stringMatching(/^0\/a,\{/),
    expect.stringMatching(/^0\/b,\{/),
    '4/c,{"message":"Too many namespaces"}',
  ]);
  expect(told).toHaveLength(1);
  expect(told[0]?.[0]).toMatchObject({
    code: "ERR_LIMIT",
    limit: "maxNamespacesPerConnection",
    max: 2,
    message: "the limit maxNamespacesPerConnection is 2",
  });
  expect(told[0]?.[1]).toEqual({ nsp: "/c" });
  peer.send("1/a,", "0/c,");
  expect(peer.take().map(String)).toEqual([expect.stringMatching(/^0\/c,\{/)]);
});

test("namespaces that have not decided yet count (Q17)", () => {
  const { harness } = limited({ maxNamespacesPerConnection: 1 });
  harness.io.of("/slow").use(noop);
  harness.io.of("/other");
  const peer = harness.open().send("0/slow,", "0/other,");
  expect(peer.take()).toEqual(['4/other,{"message":"Too many namespaces"}']);
});

test("one connection brings so many dynamic namespaces into being only (84, Q17)", () => {
  const { harness, told } = limited({ maxDynamicNamespacesPerConnection: 2 });
  harness.io.of(/^\/d-\d+$/);
  harness.io.of("/static");
  const peer = harness.open();
  peer.send("0/d-0,", "1/d-0,", "0/d-1,", "1/d-1,");
  for (let number = 2; number < 100; number += 1) peer.send(`0/d-${number},`);
  peer.send("0/unknown,", "0/static,");
  expect([...harness.io._nsps.keys()]).toEqual(["/", "/static", "/d-0", "/d-1"]);
  expect(told).toHaveLength(99);
  expect(peer.take().at(-1)).toMatch(/^0\/static,\{/);
  const other = harness.open().send("0/d-0,", "0/d-50,");
  expect(other.take()).toHaveLength(2);
  expect(harness.io._nsps.has("/d-50")).toBe(true);
});

test("a namespace that is not admitted does not count (84)", () => {
  const { harness } = limited({ maxDynamicNamespacesPerConnection: 1 });
  harness.io.of(/^\/d$/);
  const peer = harness.open().send("0/x,", "0/y,", "0/d,");
  expect(peer.take().map(String)).toEqual([
    '4/x,{"message":"Invalid namespace"}',
    '4/y,{"message":"Invalid namespace"}',
    expect.stringMatching(/^0\/d,\{/),
  ]);
});

test("a socket is in so many rooms only", () => {
  const { harness, told } = limited({ maxRoomsPerSocket: 3 });
  const { socket } = harness.join();
  void socket.join(["a", "b"]);
  void socket.join("a");
  void socket.join(["c", "d"]);
  harness.io.socketsJoin("e");
  expect([...socket.rooms]).toEqual([socket.id, "a", "b"]);
  expect(told.map(([{ limit }, scope]) => [limit, scope])).toEqual([
    ["maxRoomsPerSocket", { nsp: "/", socket }],
    ["maxRoomsPerSocket", { nsp: "/", socket }],
  ]);
  void socket.leave("a");
  void socket.join("c");
  expect(socket.rooms.has("c")).toBe(true);
});

test("where rooms are not limited, joining does not look at them", () => {
  const { harness } = limited({ maxPendingAcksPerSocket: 1 });
  const { socket } = harness.join();
  const look = vi.spyOn(harness.io.sockets.adapter, "socketRooms");
  void socket.join("a");
  expect(look).not.toHaveBeenCalled();
  expect(socket.rooms.has("a")).toBe(true);
});

test("a client owes so many acknowledgements only", async () => {
  const { harness, told } = limited({ maxPendingAcksPerSocket: 2 });
  const { peer, socket } = harness.join();
  socket.emit("one", noop);
  socket.emit("two", noop);
  const seen: unknown[] = [];
  socket.emit("three", () => seen.push("three"));
  socket.timeout(1000).emit("four", (error: unknown) => seen.push(error));
  await expect(socket.emitWithAck("five")).rejects.toMatchObject({
    code: "ERR_LIMIT",
    limit: "maxPendingAcksPerSocket",
  });
  expect(seen).toEqual([expect.objectContaining({ code: "ERR_LIMIT" })]);
  expect(peer.take()).toEqual(['20["one"]', '21["two"]']);
  expect(told).toHaveLength(3);
  peer.send("30[]");
  socket.emit("six", noop);
  expect(peer.take()).toEqual(['22["six"]']);
});

test("a socket sends so many events per second only", () => {
  const { harness, told } = limited({ eventRate: { perSecond: 2, burst: 3 } });
  const { peer, socket } = harness.join();
  const seen = record(socket, "n");
  for (let number = 0; number < 5; number += 1) peer.send(`2["n",${number}]`);
  harness.clock.advance(499);
  peer.send('2["n","too early"]');
  harness.clock.advance(1);
  peer.send('2["n","in time"]', '2["n","too much"]');
  harness.clock.advance(60_000);
  for (let number = 10; number < 20; number += 1) peer.send(`2["n",${number}]`);
  expect(seen.map(([, value]) => value)).toEqual([0, 1, 2, "in time", 10, 11, 12]);
  expect(told.every(([{ limit }, scope]) => limit === "eventRate" && scope.socket === socket)).toBe(
    true,
  );
  expect(told).toHaveLength(11);
});

test("acknowledgements are no events, and each socket has its own rate", () => {
  const { harness } = limited({ eventRate: { perSecond: 1 } });
  const [one, other] = [harness.join(), harness.join()];
  const seen = record(one.socket, "n");
  const answers: unknown[] = [];
  for (let number = 0; number < 3; number += 1) {
    one.socket.emit("ask", (answer: unknown) => answers.push(answer));
    one.peer.send(`3${number}[${number}]`);
  }
  expect(answers).toEqual([0, 1, 2]);
  const others = record(other.socket, "n");
  one.peer.send('2["n"]', '2["n"]');
  other.peer.send('2["n"]');
  expect([seen.length, others.length]).toEqual([1, 1]);
});

test("an event that was dropped is not acknowledged, and harms no attachment", () => {
  const { harness } = limited({ eventRate: { perSecond: 1 } });
  const { peer, socket } = harness.join();
  socket.on("n", (...args: unknown[]) => (args.at(-1) as () => void)());
  peer.send('20["n"]', '51-1["n",{"_placeholder":true,"num":0}]', Buffer.from([1]));
  harness.clock.advance(1000);
  peer.send('22["n"]');
  expect(peer.take()).toEqual(["30[]", "32[]"]);
});

test("whoever is too fast may be disconnected", () => {
  const { harness } = limited({ eventRate: { perSecond: 1, policy: "disconnect" } });
  const { peer, socket } = harness.join();
  const reasons = record(socket, "disconnect");
  peer.send('2["n"]', '2["n"]', '2["n"]');
  expect(reasons).toEqual([["disconnect", "server namespace disconnect", undefined]]);
  expect(peer.take()).toEqual(["1"]);
  expect(peer.readyState).toBe("closed");
});

test("a function may decide, and nobody is harmed when it fails", () => {
  const asked: unknown[] = [];
  const verdicts = ["keep", "drop", "nonsense"];
  const policy = (socket: Socket): never => {
    asked.push(socket);
    const verdict = verdicts.shift();
    if (verdict === undefined) throw new Error("policy");
    return verdict as never;
  };
  const { harness } = limited({ eventRate: { perSecond: 1, policy } });
  const { peer, socket } = harness.join();
  const seen = record(socket, "n");
  for (let number = 0; number < 5; number += 1) peer.send(`2["n",${number}]`);
  expect(seen.map(([, value]) => value)).toEqual([0, 1]);
  expect(asked).toEqual([socket, socket, socket, socket]);
  expect(harness.errors.map(({ context }) => context.source)).toEqual([
    "limit policy",
    "limit policy",
  ]);
});

test("a clock that is set back costs nobody an event for long", () => {
  const { harness } = limited({ eventRate: { perSecond: 1 } });
  const { peer, socket } = harness.join();
  const seen = record(socket, "n");
  harness.clock.advance(10_000);
  peer.send('2["n"]');
  const now = harness.clock.date.bind(harness.clock);
  harness.clock.date = () => new Date(now().getTime() - 5000);
  peer.send('2["n"]');
  harness.clock.advance(1000);
  peer.send('2["n"]');
  expect(seen).toHaveLength(2);
});

test("without limits there is nothing that could slow anybody down", () => {
  expect(isLimited(resolveOptions())).toBe(false);
  for (const limit of [
    { maxNamespacesPerConnection: 1 },
    { maxDynamicNamespacesPerConnection: 1 },
    { maxRoomsPerSocket: 1 },
    { maxPendingAcksPerSocket: 1 },
    { eventRate: { perSecond: 1 } },
  ]) {
    expect(isLimited(resolveOptions(limit))).toBe(true);
  }
});

test("without limits nobody is limited", async () => {
  const { harness, told } = limited({});
  const { peer, socket } = harness.join();
  const seen = record(socket, "n");
  for (let number = 0; number < 1000; number += 1) {
    peer.send(`2["n",${number}]`);
    void socket.join(`room ${number}`);
    socket.emit("ask", noop);
  }
  await settled();
  expect([seen.length, socket.rooms.size, told.length]).toEqual([1000, 1001, 0]);
});

test.each([
  ["maxNamespacesPerConnection", -1],
  ["maxDynamicNamespacesPerConnection", "5"],
  ["maxRoomsPerSocket", Number.NaN],
  ["maxPendingAcksPerSocket", null],
  ["eventRate", 5],
  ["eventRate", { perSecond: "5" }],
  ["eventRate", { perSecond: 5, burst: -1 }],
  ["eventRate", { perSecond: 5, policy: "explode" }],
])("%s is checked: %j", (option, value) => {
  expect(() => new Harness({ [option]: value })).toThrow(`option "${option}`);
});
