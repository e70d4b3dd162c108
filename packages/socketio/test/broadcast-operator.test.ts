import { expect, test } from "vitest";
import type { InMemoryPeer } from "@jackfield/testkit";
import type { Socket } from "../src/api.js";
import { Harness, settled } from "./harness.js";

interface Member {
  readonly peer: InMemoryPeer;
  readonly socket: Socket;
}

/** Three sockets: a in x, b in x and y, c in y. */
function rooms(): { harness: Harness; a: Member; b: Member; c: Member } {
  const harness = new Harness();
  const [a, b, c] = [harness.join(), harness.join(), harness.join()];
  void a.socket.join("x");
  void b.socket.join(["x", "y"]);
  void c.socket.join("y");
  return { harness, a, b, c };
}

function counts(...members: Member[]): number[] {
  return members.map(({ peer }) => peer.take().length);
}

test("rooms are a union without duplicates (behaviour 109)", () => {
  const { harness, a, b, c } = rooms();
  harness.io.to("x").emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 0]);
  harness.io.to("x").to("y").emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 1]);
  harness.io.in(["x", "y"]).emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 1]);
  harness.io.to("nobody").emit("e");
  expect(counts(a, b, c)).toEqual([0, 0, 0]);
});

test("except takes rooms, and ids as rooms (behaviour 108)", () => {
  const { harness, a, b, c } = rooms();
  harness.io.except("x").emit("e");
  expect(counts(a, b, c)).toEqual([0, 0, 1]);
  harness.io.to("x").except("y").emit("e");
  expect(counts(a, b, c)).toEqual([1, 0, 0]);
  harness.io.except([a.socket.id, "y"]).emit("e");
  expect(counts(a, b, c)).toEqual([0, 0, 0]);
  harness.io.except(["nobody", a.socket.id]).emit("e");
  expect(counts(a, b, c)).toEqual([0, 1, 1]);
  harness.io.except("nobody").emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 1]);
});

test("a socket's broadcast leaves itself out (behaviour 108)", () => {
  const { a, b, c } = rooms();
  a.socket.to("x").emit("e");
  expect(counts(a, b, c)).toEqual([0, 1, 0]);
  a.socket.in("x").in("y").emit("e");
  expect(counts(a, b, c)).toEqual([0, 1, 1]);
  b.socket.except("y").emit("e");
  expect(counts(a, b, c)).toEqual([1, 0, 0]);
  b.socket.broadcast.emit("e");
  expect(counts(a, b, c)).toEqual([1, 0, 1]);
  c.socket.local.emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 0]);
});

test("who leaves the room of its id still gets what everybody gets (behaviour 109)", () => {
  const { harness, a } = rooms();
  void a.socket.leave(a.socket.id);
  harness.io.to(a.socket.id).emit("e");
  expect(counts(a)).toEqual([0]);
  harness.io.emit("e");
  expect(counts(a)).toEqual([1]);
});

test("a broadcast is encoded once, and the sessions share the messages (behaviour 118)", () => {
  const { harness, a, b } = rooms();
  harness.io.to("x").emit("e", Buffer.from([1]));
  const [first, second] = [a, b].map(({ peer }) => peer.written.slice(-2));
  expect(first?.map(({ data }) => data)).toEqual([
    '51-["e",{"_placeholder":true,"num":0}]',
    Buffer.from([1]),
  ]);
  expect(first?.every(({ prepared }) => prepared !== undefined)).toBe(true);
  expect(first?.map(({ prepared }) => prepared)).toEqual(second?.map(({ prepared }) => prepared));
  expect(first?.[0]?.prepared).toBe(second?.[0]?.prepared);
  expect(first?.[0]?.prepared?.frame).toBeDefined();
});

test("sessions of foreign engines get the same messages by write", () => {
  const harness = new Harness({}, { mode: "events" });
  const { peer } = harness.join();
  harness.io.compress(false).emit("e");
  expect(peer.written.at(-1)).toMatchObject({ data: '2["e"]', options: { compress: false } });
});

test("operators are immutable (B1)", () => {
  const { harness, a, b, c } = rooms();
  const x = harness.io.to("x");
  x.to("y");
  x.except("y");
  expect(x.volatile.flags).toEqual({ volatile: true });
  expect(x.compress(true).local.timeout(5).flags).toEqual({
    compress: true,
    local: true,
    timeout: 5,
  });
  expect([x.rooms, x.exceptRooms, x.flags]).toEqual([new Set(["x"]), new Set(), {}]);
  x.emit("e");
  expect(counts(a, b, c)).toEqual([1, 1, 0]);
});

test("outgoing catch-all listeners get the same array for every recipient (behaviour 116)", () => {
  const { harness, a, b } = rooms();
  const seen: unknown[] = [];
  a.socket.onAnyOutgoing((_event, value: { n: number }) => {
    value.n += 1;
  });
  b.socket.onAnyOutgoing((_event, value: { n: number }) => seen.push(value.n));
  harness.io.to("x").emit("e", { n: 1 });
  expect(seen).toEqual([2]);
  expect(b.peer.take()).toEqual(['2["e",{"n":1}]']);
});

test("the responses of all recipients are collected (B5)", async () => {
  const { harness, a, b } = rooms();
  const answers = harness.io.to("x").timeout(1000).emitWithAck("question");
  const [packet] = a.peer.take();
  expect(b.peer.take()).toEqual([packet]);
  expect(packet).toBe('20["question"]');
  a.peer.send('30["a"]');
  b.peer.send('30["b","ignored"]');
  expect(await answers).toEqual(["a", "b"]);
});

test("the ids of acknowledgements are those of the namespace (behaviour 115)", () => {
  const { harness, a } = rooms();
  a.socket.emit("first", () => {});
  harness.io.timeout(5).emit("second", () => {});
  a.socket.emit("third", () => {});
  expect(a.peer.take()).toEqual(['20["first"]', '21["second"]', '22["third"]']);
});

test("an empty room answers with nothing", async () => {
  expect(await new Harness().io.to("nobody").timeout(5).emitWithAck("question")).toEqual([]);
});

test("a timeout has the responses so far, and forgets the others (B4)", async () => {
  const { harness, a, b } = rooms();
  const seen: unknown[][] = [];
  harness.io
    .to("x")
    .timeout(100)
    .emit("question", (...args: unknown[]) => seen.push(args));
  const answers = harness.io.to("x").timeout(100).emitWithAck("question");
  a.peer.send('30["a"]', '31["a"]');
  await settled();
  harness.clock.advance(100);
  expect(seen).toEqual([[expect.any(Error), ["a"]]]);
  await expect(answers).rejects.toMatchObject({
    message: "operation has timed out",
    responses: ["a"],
  });
  expect(b.socket.acks.size).toBe(0);
});

test("without a timeout the responses may take five seconds (behaviour 114)", async () => {
  const { harness, a, b } = rooms();
  const seen: unknown[][] = [];
  harness.io.to("x").emit("question", (...args: unknown[]) => seen.push(args));
  harness.clock.advance(4999);
  a.peer.send("30[1]");
  b.peer.send("30[2]");
  await settled();
  expect(seen).toEqual([[null, [1, 2]]]);
  const late = harness.io.to("x").emitWithAck("question" as never);
  harness.clock.advance(5000);
  await expect(late).rejects.toThrow("operation has timed out");
});

test("an acknowledgement function of a broadcast that throws is reported", async () => {
  const harness = new Harness();
  harness.io.timeout(5).emit("question", () => {
    throw new Error("oops");
  });
  await settled();
  expect(harness.errors[0]?.context).toEqual({
    source: "acknowledgement",
    nsp: "/",
    event: "question",
  });
});

test("an adapter that fails is reported, or tells the caller", async () => {
  const { harness } = rooms();
  const { adapter } = harness.io.sockets;
  adapter.serverCount = () => Promise.reject(new Error("count"));
  adapter.broadcast = () => Promise.reject(new Error("broadcast"));
  adapter.addSockets = () => Promise.reject(new Error("add"));
  harness.io.emit("e");
  harness.io.socketsJoin("room");
  harness.io.timeout(5).emit("question", () => {});
  await settled();
  expect(harness.errors.map(({ error }) => (error as Error).message).toSorted()).toEqual([
    "add",
    "broadcast",
    "count",
  ]);
  adapter.broadcastWithAck = () => {
    throw new Error("thrown");
  };
  expect(() => harness.io.timeout(5).emit("question", () => {})).toThrow("thrown");
});

test("sockets can be selected, moved and disconnected (B9)", async () => {
  const { harness, a, b, c } = rooms();
  expect(await harness.io.in("x").fetchSockets()).toEqual([a.socket, b.socket]);
  expect(await harness.io.in("y").allSockets()).toEqual(new Set([b.socket.id, c.socket.id]));
  expect(await harness.io.allSockets()).toHaveProperty("size", 3);
  harness.io.in("x").socketsJoin(["z", "zz"]);
  harness.io.socketsLeave("x");
  expect([...a.socket.rooms]).toEqual([a.socket.id, "z", "zz"]);
  expect(harness.io.sockets.adapter.rooms.has("x")).toBe(false);
  harness.io.in("y").disconnectSockets();
  expect([a, b, c].map(({ socket }) => socket.connected)).toEqual([true, false, false]);
  expect(b.peer.readyState).toBe("open");
  harness.io.disconnectSockets(true);
  expect(a.peer.readyState).toBe("closed");
});
