import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { Socket } from "../src/api.js";
import { Harness, noop, record, settled } from "./harness.js";

test("events are dispatched in the order of their arrival (behaviour 98)", () => {
  const { peer, socket } = new Harness().join();
  const order: unknown[] = [];
  socket.on("a", (value: number, respond: () => void) => {
    order.push(value);
    socket.emit("before");
    respond();
    socket.emit("after");
  });
  peer.send('21["a",1]', '22["a",2]');
  expect(order).toEqual([1, 2]);
  expect(peer.take()).toEqual(
    ['2["before"]', "31[]", '2["after"]'].concat(['2["before"]', "32[]", '2["after"]']),
  );
});

test("an event with attachments arrives whole", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "file");
  peer.send('51-["file",{"_placeholder":true,"num":0}]', Buffer.from([1, 2]));
  expect(seen).toEqual([["file", Buffer.from([1, 2])]]);
});

test("an event with bytes is written in parts (behaviour 88)", () => {
  const { peer, socket } = new Harness().join();
  socket.emit("file", Buffer.from([1, 2]));
  expect(peer.take()).toEqual(['51-["file",{"_placeholder":true,"num":0}]', Buffer.from([1, 2])]);
});

test("a number is a name, and a packet without payload is an event without one (behaviour 91)", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "0");
  const caught: unknown[][] = [];
  socket.onAny((...args: unknown[]) => caught.push(args));
  peer.send("2[0,1]", "2");
  expect(seen).toEqual([["0", 1]]);
  expect(caught).toEqual([[0, 1], []]);
  expect(peer.readyState).toBe("open");
});

test("a client can emit error, which nobody has to hear (K21)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  peer.send('2["error",1]');
  const seen = record(socket, "error");
  peer.send('2["error",2]');
  expect(seen).toEqual([["error", 2]]);
  expect(harness.errors).toEqual([]);
});

test("a listener that throws is reported, with the event and the socket", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const reached: unknown[] = [];
  socket.on("a", () => {
    throw new Error("sync");
  });
  socket.on("a", async () => {
    await Promise.reject(new Error("async"));
  });
  socket.on("a", () => reached.push("third"));
  peer.send('2["a"]', '2["a"]');
  await settled();
  expect(reached).toHaveLength(2);
  expect(harness.errors).toHaveLength(4);
  expect(harness.errors[0]?.context).toEqual({ source: "listener", nsp: "/", socket, event: "a" });
});

test("an event with more arguments than a call can have is reported (Q21)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  socket.on("a", () => {});
  socket.emit("b", () => {});
  const many = Array.from({ length: 400_000 }, () => 0).join();
  peer.send(`2["a",${many}]`, `30[${many}]`);
  expect(harness.errors.map(({ error }) => error)).toEqual([
    expect.any(RangeError),
    expect.any(RangeError),
  ]);
  expect(socket.connected).toBe(true);
});

test("the function for the acknowledgement works once (behaviour 97)", () => {
  const { peer, socket } = new Harness().join();
  socket.on("a", (respond: (...args: unknown[]) => void) => {
    respond(1, "two");
    respond(3);
  });
  peer.send('27["a"]');
  expect(peer.take()).toEqual(['37[1,"two"]']);
});

test("an acknowledgement after the end is dropped (behaviour 97)", () => {
  const { peer, socket } = new Harness().join();
  let respond: () => void = noop;
  socket.on("a", (callback: () => void) => {
    respond = callback;
  });
  peer.send('27["a"]');
  peer.close();
  respond();
  expect(peer.take()).toEqual([]);
});

test("the client's acknowledgement calls the function", () => {
  const { peer, socket } = new Harness().join();
  const seen: unknown[] = [];
  socket.emit("a", 1, function callback(this: unknown, ...args: unknown[]) {
    seen.push(this === socket, args);
  });
  expect(peer.take()).toEqual(['20["a",1]']);
  peer.send('30["x",2]', '30["again"]');
  expect(seen).toEqual([true, ["x", 2]]);
});

test("an acknowledgement without payload has no arguments, an unknown one is ignored (behaviour 96)", () => {
  const { peer, socket } = new Harness().join();
  const seen: unknown[][] = [];
  socket.emit("a", (...args: unknown[]) => seen.push(args));
  peer.send("30", "399[]", "3");
  expect(seen).toEqual([[]]);
  expect(peer.readyState).toBe("open");
});

test("an acknowledgement function that throws is reported", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  socket.emit("a", () => {
    throw new Error("oops");
  });
  peer.send("30[]");
  expect(harness.errors[0]?.context.source).toBe("acknowledgement");
});

test("after timeout the function gets null or an error first (K10)", () => {
  const { clock, join } = bound(new Harness());
  const { peer, socket } = join();
  const seen: unknown[][] = [];
  socket.timeout(100).emit("a", (error: Error | null, value: unknown) => {
    seen.push([error?.message ?? null, value]);
  });
  socket.timeout(100).emit("b", (error: Error | null, value: unknown) => {
    seen.push([error?.message ?? null, value]);
  });
  peer.send('30["in time"]');
  clock.advance(100);
  peer.send('31["late"]');
  expect(seen).toEqual([
    [null, "in time"],
    ["operation has timed out", undefined],
  ]);
});

test("a timeout of zero is a timeout", () => {
  const { clock, join } = bound(new Harness());
  const seen: unknown[] = [];
  join()
    .socket.timeout(0)
    .emit("a", (error: Error) => seen.push(error.message));
  clock.advance(0);
  expect(seen).toEqual(["operation has timed out"]);
});

test("emitWithAck resolves with the first argument (K9)", async () => {
  const { peer, socket } = new Harness().join();
  const answers = [socket.emitWithAck("a", 1), socket.timeout(100).emitWithAck("b")];
  expect(peer.take()).toEqual(['20["a",1]', '21["b"]']);
  peer.send('30["x","y"]', "31[null]");
  expect(await Promise.all(answers)).toEqual(["x", null]);
});

test("emitWithAck rejects after the timeout", async () => {
  const { clock, join } = bound(new Harness());
  const answer = join().socket.timeout(100).emitWithAck("a");
  clock.advance(100);
  await expect(answer).rejects.toMatchObject({ code: "ERR_ACK_TIMEOUT" });
});

test("a disconnection settles what is pending (behaviour 105)", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen: unknown[] = [];
  socket.emit("a", () => seen.push("never"));
  socket.timeout(100).emit("b", (error: Error) => seen.push(error.message));
  const withTimeout = socket.timeout(100).emitWithAck("c");
  const without = socket.emitWithAck("d");
  expect(socket.acks.size).toBe(4);
  peer.close();
  expect(seen).toEqual(["socket has been disconnected"]);
  await expect(withTimeout).rejects.toMatchObject({ code: "ERR_SOCKET_DISCONNECTED" });
  await expect(without).rejects.toThrow("socket has been disconnected");
  expect(socket.acks.size).toBe(0);
  expect(harness.clock.pending).toBe(0);
});

test("after the end emit returns true and drops, and acknowledgements fail (behaviour 105)", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  peer.send("1");
  const seen: unknown[] = [];
  expect(socket.emit("a")).toBe(true);
  socket.emit("b", () => seen.push("never"));
  socket.timeout(100).emit("c", (error: Error) => seen.push(error.message));
  expect(seen).toEqual([]);
  await expect(socket.emitWithAck("d")).rejects.toThrow("socket has been disconnected");
  expect(seen).toEqual(["socket has been disconnected"]);
  expect(peer.take()).toEqual([]);
  expect(socket.acks.size).toBe(0);
});

test("nobody has to wait for an acknowledgement that fails", async () => {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  const { peer, socket } = new Harness().join();
  void socket.emitWithAck("a");
  peer.close();
  await settled();
  process.off("unhandledRejection", onRejection);
  expect(rejections).toEqual([]);
});

test.each([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
])("%s cannot be emitted (K22)", async (event) => {
  const { socket } = new Harness().join();
  const message = `"${event}" is a reserved event name`;
  expect(() => socket.emit(event)).toThrow(message);
  expect(() => socket.broadcast.emit(event)).toThrow(message);
  await expect(socket.emitWithAck(event)).rejects.toThrow(message);
});

test("flags do not survive an emit that throws (behaviour 117)", () => {
  const { peer, socket } = new Harness().join();
  expect(() => socket.volatile.compress(false).emit("connect")).toThrow();
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(() => socket.volatile.emit("a", cycle)).toThrow();
  expect(() => socket.timeout(5).emit("a", 1n, () => {})).toThrow();
  expect(socket.acks.size).toBe(0);
  peer.pause();
  socket.emit("b");
  peer.resume();
  expect(peer.take()).toEqual(['2["b"]']);
  expect(peer.written.at(-1)?.options).toBeUndefined();
});

test("flags do not survive a broadcast either", () => {
  const { peer, socket } = new Harness().join();
  socket.volatile.to("room").emit("a");
  peer.pause();
  socket.emit("b");
  peer.resume();
  expect(peer.take()).toEqual(['2["b"]']);
});

test("send and write emit message", () => {
  const { peer, socket } = new Harness().join();
  expect(socket.send("a").write("b")).toBe(socket);
  expect(peer.take()).toEqual(['2["message","a"]', '2["message","b"]']);
});

test("disconnect tells the client and keeps the connection (behaviour 101)", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "disconnect");
  expect(socket.disconnect()).toBe(socket);
  socket.disconnect();
  expect(peer.take()).toEqual(["1"]);
  expect(seen).toEqual([["disconnect", "server namespace disconnect", undefined]]);
  expect(peer.readyState).toBe("open");
});

test("disconnect(true) leaves every namespace, then closes the connection (behaviour 101)", () => {
  const harness = new Harness();
  harness.io.of("/other");
  const { peer, socket } = harness.join();
  const seen = record(harness.joinWith(peer, "/other"), "disconnect");
  socket.disconnect(true);
  expect(peer.take()).toEqual(["1", "1/other,"]);
  expect(seen).toEqual([["disconnect", "server namespace disconnect", undefined]]);
  expect(peer.readyState).toBe("closed");
});

test("a DISCONNECT packet leaves the namespace (R8)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen = record(socket, "disconnect", "late");
  peer.send("1");
  expect(seen).toEqual([["disconnect", "client namespace disconnect", undefined]]);
  expect(harness.io.sockets.sockets.size).toBe(0);
  expect(harness.joinWith(peer).id).toBe("id2");
});

test("disconnecting still has the rooms, disconnect has none (behaviour 104)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  void socket.join("room");
  const seen: unknown[] = [];
  socket.on("disconnecting", () => seen.push(socket.connected, [...socket.rooms]));
  socket.on("disconnect", () =>
    seen.push(socket.connected, socket.disconnected, socket.rooms.size),
  );
  peer.close();
  expect(seen).toEqual([true, [socket.id, "room"], false, true, 0]);
  expect(harness.io.sockets.adapter.rooms.size).toBe(0);
});

test("a disconnecting listener that throws does not keep the socket in its rooms (Q24)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen = record(socket, "disconnect");
  socket.on("disconnecting", () => {
    throw new Error("oops");
  });
  peer.close();
  expect(seen).toHaveLength(1);
  expect(harness.io.sockets.sockets.size).toBe(0);
  expect(harness.io.sockets.adapter.sids.size).toBe(0);
  expect(harness.errors[0]?.context).toMatchObject({
    source: "disconnect listener",
    event: "disconnecting",
  });
});

test("an adapter listener that throws does not keep the socket either", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  void socket.join("room");
  const adapter = harness.io.sockets.adapter as unknown as EventEmitter;
  adapter.on("leave-room", () => {
    throw new Error("oops");
  });
  const seen = record(socket, "disconnect");
  peer.close();
  expect(seen).toHaveLength(1);
  expect(harness.io.sockets.adapter.rooms.size).toBe(0);
  expect(harness.errors.map(({ context }) => context.source)).toEqual(["adapter"]);
});

test("disconnect in a disconnecting listener does not start again", () => {
  const { socket } = new Harness().join();
  const seen = record(socket, "disconnecting", "disconnect");
  socket.on("disconnecting", () => socket.disconnect());
  socket.disconnect();
  expect(seen.map(([event]) => event)).toEqual(["disconnecting", "disconnect"]);
});

test("a socket that has left cannot join a room (K14)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  peer.close();
  void socket.join(["room"]);
  expect(harness.io.sockets.adapter.rooms.size).toBe(0);
  expect(socket.rooms).not.toBe(socket.rooms);
});

test("rooms are joined and left at once (behaviour 110)", () => {
  const { socket } = new Harness().join();
  void socket.join("a");
  void socket.join(["b", "c"]);
  expect(socket.rooms).toEqual(new Set([socket.id, "a", "b", "c"]));
  void socket.leave("b");
  expect(socket.rooms).toEqual(new Set([socket.id, "a", "c"]));
  socket.leaveAll();
  expect(socket.rooms.size).toBe(0);
});

test("catch-all listeners are called first, at once, and see everything (K20)", () => {
  const { peer, socket } = new Harness().join();
  const calls: unknown[] = [];
  const third = (...args: unknown[]): void => void calls.push("third", args);
  socket.use((_event, next) => {
    calls.push("middleware");
    next();
  });
  socket.on("a", () => calls.push("listener"));
  socket.onAny(() => calls.push("second"));
  socket.prependAny(() => calls.push("first"));
  socket.onAny(third);
  peer.send('2["a",1]');
  expect(calls).toEqual(["first", "second", "third", ["a", 1], "middleware", "listener"]);
  expect(socket.listenersAny()).toHaveLength(3);
  socket.offAny(third);
  expect(socket.listenersAny()).toHaveLength(2);
  socket.offAny();
  expect(socket.listenersAny()).toEqual([]);
});

test("a catch-all listener that throws is reported and stops nothing", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen = record(socket, "a");
  socket.onAny(() => {
    throw new Error("oops");
  });
  peer.send('2["a"]');
  expect(seen).toHaveLength(1);
  expect(harness.errors[0]?.context).toMatchObject({ source: "catch-all listener", event: "a" });
});

test("outgoing catch-all listeners see emits and broadcasts, not acknowledgements (K19)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const calls: unknown[][] = [];
  const listener = (...args: unknown[]): void => void calls.push(args);
  socket.onAnyOutgoing(listener);
  socket.prependAnyOutgoing(() => calls.push(["first"]));
  socket.on("q", (respond: () => void) => respond());
  peer.send('21["q"]');
  socket.emit("a", 1);
  harness.io.emit("b", 2);
  expect(calls).toEqual([["first"], ["a", 1], ["first"], ["b", 2]]);
  expect(socket.listenersAnyOutgoing()).toHaveLength(2);
  socket.offAnyOutgoing(listener);
  expect(socket.listenersAnyOutgoing()).toHaveLength(1);
  socket.offAnyOutgoing();
  expect(socket.listenersAnyOutgoing()).toEqual([]);
});

test("a middleware may change an event", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "a");
  socket.use((event, next) => {
    event[1] = "changed";
    next();
  });
  peer.send('2["a","original"]');
  expect(seen).toEqual([["a", "changed"]]);
});

test("an error of a middleware is an error event and the end of the event (K17)", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen = record(socket, "error", "a");
  socket.use(([event], next) => {
    if (event === "throw") throw new Error("thrown");
    if (event === "reject") return Promise.reject(new Error("rejected"));
    next(new Error("refused"));
    return undefined;
  });
  peer.send('2["a"]', '2["throw"]', '2["reject"]');
  await settled();
  expect(seen.map(([event, error]) => [event, (error as Error).message])).toEqual([
    ["error", "refused"],
    ["error", "thrown"],
    ["error", "rejected"],
  ]);
  expect(harness.errors.map(({ context }) => [context.source, context.event])).toEqual([
    ["socket middleware", "throw"],
    ["socket middleware", "reject"],
  ]);
  expect(peer.take()).toEqual([]);
});

test("an event whose middleware is slower than the disconnection is dropped", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "a");
  let pass: () => void = noop;
  socket.use((_event, next) => {
    pass = next;
  });
  peer.send('2["a"]');
  peer.close();
  pass();
  expect(seen).toEqual([]);
});

test("a socket has what programs and packages read", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  expect(socket).toBeInstanceOf(EventEmitter);
  expect(socket.nsp).toBe(harness.io.sockets);
  expect(socket.server).toBe(harness.io);
  expect(socket.conn).toBe(peer.session);
  expect(socket.request).toBe(peer.session.request);
  expect(socket.client.request).toBe(socket.request);
  expect(socket.client.id).toBe(peer.session.id);
  expect(socket.recovered).toBe(false);
  expect(socket.data).toEqual({});
  expect((socket as unknown as { adapter: unknown }).adapter).toBe(socket.nsp.adapter);
  expect(harness.io.sockets.sockets.get(socket.id)).toBe(socket);
});

test("adapters of old send through packet", () => {
  const { peer, socket } = new Harness().join();
  socket.packet({ type: 2, data: ["a"] });
  expect(peer.take()).toEqual(['2["a"]']);
});

test("a socket keeps nothing for what it does not use", () => {
  const { socket } = new Harness().join();
  expect(Object.keys(socket)).toEqual(["id", "nsp", "client", "conn"]);
});

function bound(harness: Harness): {
  clock: Harness["clock"];
  join: () => { peer: ReturnType<Harness["open"]>; socket: Socket };
} {
  return { clock: harness.clock, join: () => harness.join() };
}
