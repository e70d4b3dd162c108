import type { InMemoryPeer } from "@jackfield/testkit";
import { expect, test } from "vitest";
import type { Session, SessionToPersist } from "../src/adapter/contract.js";
import { Adapter } from "../src/adapter/in-memory.js";
import type { Socket } from "../src/api.js";
import type { ServerOptions } from "../src/options.js";
import { Harness, noop, record, settled } from "./harness.js";

const TWO_MINUTES = 120_000;

/** A server that restores sessions. */
function recovering(options: ServerOptions = {}): Harness {
  return new Harness({ connectionStateRecovery: {}, ...options });
}

interface Joined {
  readonly peer: InMemoryPeer;
  readonly socket: Socket;
  readonly sid: string;
  readonly pid: string;
}

/** Joins with what the client knows of an earlier connection. */
function join(harness: Harness, auth?: object, name = "/"): Joined & { missed: unknown[][] } {
  const peer = harness.open();
  const prefix = name === "/" ? "0" : `0${name},`;
  peer.send(auth === undefined ? prefix : prefix + JSON.stringify(auth));
  const packets = peer.take().map(String);
  const answer = packets.pop() ?? "";
  const { sid, pid } = JSON.parse(answer.slice(prefix.length)) as { sid: string; pid: string };
  const socket = harness.io.of(name).sockets.get(sid) as Socket;
  return { peer, socket, sid, pid, missed: packets.map(eventOf) };
}

/** The arguments of an event packet. */
function eventOf(packet: unknown): unknown[] {
  return JSON.parse(String(packet).replace(/^2(\/\w+,)?/, "")) as unknown[];
}

/** The arguments of the events that have come, the offset at the end of the last of them apart. */
function takeEvents(peer: InMemoryPeer): { events: unknown[][]; offset: string } {
  const events = peer.take().map(eventOf);
  const offset = events.map((args) => args.pop()).at(-1) as string;
  return { events, offset };
}

test("without the option there is no private id, and no offset (119)", () => {
  const harness = new Harness();
  const { peer } = harness.join();
  harness.io.emit("a", 1);
  expect(peer.take()).toEqual(['2["a",1]']);
  const other = harness.open();
  other.send("0");
  expect(Object.keys(JSON.parse(String(other.take()[0]).slice(1)) as object)).toEqual(["sid"]);
});

test("events end in an offset; those with an acknowledgement do not (119)", () => {
  const harness = recovering();
  const { peer, socket } = join(harness);
  socket.emit("direct", 1);
  harness.io.emit("to all", 2);
  socket.emit("asked", 3, noop);
  const [direct, all, asked] = peer.take().map(String);
  expect(direct).toMatch(/^2\["direct",1,"[^"]+"\]$/);
  expect(all).toMatch(/^2\["to all",2,"[^"]+"\]$/);
  expect(asked).toBe('20["asked",3]');
});

test("outgoing listeners see the offset, too (116, 119)", () => {
  const harness = recovering();
  const { peer, socket } = join(harness);
  const seen: unknown[][] = [];
  socket.onAnyOutgoing((...args: unknown[]) => seen.push(args));
  socket.emit("direct", 1);
  harness.io.emit("to all", 2);
  expect(seen).toEqual(peer.take().map(eventOf));
});

test("a volatile event that ends in a text ends in the last offset (119b)", () => {
  const harness = recovering();
  const { peer, socket } = join(harness);
  socket.emit("kept");
  const { offset } = takeEvents(peer);
  socket.volatile.emit("text", "at the end");
  harness.io.volatile.emit("name only");
  harness.io.volatile.emit("number", 1);
  expect(peer.take().map(eventOf)).toEqual([
    ["text", "at the end", offset],
    ["name only", offset],
    ["number", 1],
  ]);
});

test("a client that comes back is who it was, and gets what it missed first (120)", () => {
  const harness = recovering();
  const { io } = harness;
  const connections = record(io, "connection");
  const first = join(harness);
  void first.socket.join("room");
  first.socket.data = { name: "ann" };
  io.emit("before");
  const { offset } = takeEvents(first.peer);
  first.peer.session.end("transport close");
  io.to("room").emit("to the room", 1);
  io.to("elsewhere").emit("not to it");
  io.except("room").emit("not to it either");
  io.to(first.sid).emit("to its id", Buffer.from([1]));

  const peer = harness.open();
  peer.send(`0${JSON.stringify({ pid: first.pid, offset })}`);
  const packets = peer.take();
  expect(packets).toHaveLength(4);
  expect(eventOf(packets[0]).slice(0, -1)).toEqual(["to the room", 1]);
  expect(String(packets[1])).toMatch(
    /^51-\["to its id",\{"_placeholder":true,"num":0\},"[^"]+"\]$/,
  );
  expect(packets[2]).toEqual(Buffer.from([1]));
  expect(packets[3]).toBe(`0${JSON.stringify({ sid: first.sid, pid: first.pid })}`);
  const socket = io.sockets.sockets.get(first.sid) as Socket;
  expect(socket).not.toBe(first.socket);
  expect(socket.recovered).toBe(true);
  expect(first.socket.recovered).toBe(false);
  expect(socket.data).toEqual({ name: "ann" });
  expect([...socket.rooms]).toEqual([first.sid, "room"]);
  expect(connections.map(([, connected]) => connected)).toEqual([first.socket, socket]);
});

test("what was sent is sent again, whatever has become of the arguments (120)", () => {
  const harness = recovering();
  const { peer, pid } = join(harness);
  const state = { turn: 1 };
  peer.session.end("transport close");
  harness.io.emit("state", state);
  state.turn = 2;
  harness.io.emit("state", state);
  const { missed } = join(harness, { pid });
  expect(missed.map((args) => args[1])).toEqual([{ turn: 1 }, { turn: 2 }]);
});

test("volatile events and questions are not sent again (119)", () => {
  const harness = recovering();
  const { peer, socket, pid } = join(harness);
  peer.session.end("transport close");
  harness.io.volatile.emit("volatile", 1);
  harness.io.timeout(10).emit("asked", noop);
  socket.volatile.emit("volatile", 2);
  expect(join(harness, { pid }).missed).toEqual([]);
});

test.each(["transport error", "transport close", "forced close", "ping timeout"])(
  "%s can be recovered from (121, R10)",
  (reason) => {
    const harness = recovering();
    const { peer, sid, pid } = join(harness);
    peer.session.end(reason);
    expect(join(harness, { pid }).sid).toBe(sid);
  },
);

test("a server that closes the connection can be recovered from (121, R10)", () => {
  const harness = recovering();
  const { socket, sid, pid } = join(harness);
  socket.conn.close();
  expect(join(harness, { pid }).sid).toBe(sid);
});

test("parse errors and disconnections on purpose cannot (121)", () => {
  const harness = recovering();
  const broken = join(harness);
  broken.peer.session.end("parse error");
  const left = join(harness);
  left.peer.send("1");
  const thrown = join(harness);
  thrown.socket.disconnect();
  for (const { sid, pid } of [broken, left, thrown]) {
    const again = join(harness, { pid });
    expect(again.sid).not.toBe(sid);
    expect(again.socket.recovered).toBe(false);
  }
});

test("a session is restored once (122)", () => {
  const harness = recovering();
  const { peer, sid, pid } = join(harness);
  peer.session.end("transport close");
  const second = join(harness, { pid });
  expect(second.sid).toBe(sid);
  second.peer.send("1");
  expect(join(harness, { pid }).sid).not.toBe(sid);
});

test("a session can break and be restored again and again (122)", () => {
  const harness = recovering();
  let { peer, sid, pid } = join(harness);
  for (let turn = 0; turn < 3; turn += 1) {
    peer.session.end("transport close");
    harness.io.emit("turn", turn);
    const again = join(harness, { pid });
    expect(again.sid).toBe(sid);
    ({ peer, sid, pid } = again);
  }
});

test("who comes back before the server has noticed takes over (122)", () => {
  const harness = recovering();
  const first = join(harness);
  const reasons = record(first.socket, "disconnect");
  harness.io.emit("missed");
  const second = join(harness, { pid: first.pid });
  expect(reasons).toEqual([["disconnect", "forced close", undefined]]);
  expect(first.peer.readyState).toBe("closed");
  expect(second.sid).toBe(first.sid);
  expect(second.missed).toHaveLength(1);
  expect(harness.io.sockets.sockets.size).toBe(1);
  harness.io.emit("once");
  expect(second.peer.take()).toHaveLength(1);
});

test("a client that has received nothing gets what was sent since it came (122)", () => {
  const harness = recovering();
  harness.io.emit("before it came");
  const { peer, pid } = join(harness);
  harness.io.emit("lost on the way");
  peer.session.end("transport close");
  harness.io.emit("while it was gone");
  const again = join(harness, { pid });
  expect(again.missed.map(([event]) => event)).toEqual(["lost on the way", "while it was gone"]);
  again.peer.session.end("transport close");
  const once = join(harness, { pid });
  expect(once.missed).toEqual(again.missed);
});

test("a client that was idle for long can come back all the same (122)", () => {
  const harness = recovering();
  const { clock, io } = harness;
  const { peer, sid, pid } = join(harness);
  io.emit("long ago");
  const { offset } = takeEvents(peer);
  for (let minute = 0; minute < 10; minute += 1) {
    clock.advance(60_000);
    io.to("others").emit("not for it");
  }
  peer.session.end("transport close");
  io.emit("missed");
  clock.advance(TWO_MINUTES);
  const again = join(harness, { pid, offset });
  expect(again.sid).toBe(sid);
  expect(again.missed.map(([event]) => event)).toEqual(["missed"]);
});

test("after the time is over the session is gone (O6)", () => {
  const harness = recovering({ connectionStateRecovery: { maxDisconnectionDuration: 1000 } });
  const { peer, sid, pid } = join(harness);
  peer.session.end("transport close");
  harness.clock.advance(1001);
  const again = join(harness, { pid });
  expect(again.sid).not.toBe(sid);
  expect(again.pid).not.toBe(pid);
  expect(again.socket.recovered).toBe(false);
});

test("whatever is kept is forgotten in the end, and then no timer runs (122)", () => {
  const harness = recovering();
  const { peer } = join(harness);
  const idle = harness.clock.pending;
  peer.session.end("transport close");
  harness.io.emit("missed");
  expect(harness.clock.pending).toBeGreaterThan(idle - 1);
  harness.clock.advance(10 * TWO_MINUTES);
  expect(harness.clock.pending).toBe(0);
  const { adapter } = harness.io.sockets as unknown as { adapter: { hasSessions: boolean } };
  expect(adapter.hasSessions).toBe(false);
});

test("the oldest session gives way when there are too many (122)", () => {
  const harness = recovering({ connectionStateRecovery: { maxSessions: 2 } });
  const all = [join(harness), join(harness), join(harness)];
  for (const { peer } of all) peer.session.end("transport close");
  const recovered = all.map(({ pid }) => join(harness, { pid }).socket.recovered);
  expect(recovered).toEqual([false, true, true]);
});

test("who has missed a packet that had to give way starts anew (122)", () => {
  const harness = recovering({ connectionStateRecovery: { maxPackets: 2 } });
  const { peer, pid } = join(harness);
  harness.io.emit("received", 0);
  const { offset } = takeEvents(peer);
  const slower = join(harness);
  for (const gone of [peer, slower.peer]) gone.session.end("transport close");
  harness.io.emit("missed", 1);
  harness.io.emit("missed", 2);
  expect(join(harness, { pid, offset }).missed.map((args) => args[1])).toEqual([1, 2]);
  harness.io.emit("missed", 3);
  expect(join(harness, { pid: slower.pid, offset }).socket.recovered).toBe(false);
});

test("bytes are limited, too (122)", () => {
  const harness = recovering({ connectionStateRecovery: { maxBytes: 1000 } });
  const small = join(harness);
  small.peer.session.end("transport close");
  harness.io.emit("missed", "x".repeat(900));
  const large = join(harness, { pid: small.pid });
  expect(large.missed).toHaveLength(1);
  large.peer.session.end("transport close");
  harness.io.emit("missed", "x".repeat(900));
  expect(join(harness, { pid: large.pid }).socket.recovered).toBe(false);
});

test("a broadcast of a parent namespace holds one offset in each child (123)", () => {
  const harness = recovering();
  const parent = harness.io.of(/^\/child-\w$/);
  const peers = ["/child-a", "/child-b", "/child-c"].map((name) => {
    const peer = harness.open();
    peer.send(`0${name},`);
    peer.take();
    return peer;
  });
  parent.emit("room", 1);
  for (const peer of peers) {
    const [packet] = peer.take();
    expect(JSON.parse(String(packet).replace(/^2\/child-\w,/, ""))).toHaveLength(3);
  }
});

test("a socket outside the room of its id gets what is meant for it alone (124)", () => {
  const harness = recovering();
  const { peer, socket, sid, pid } = join(harness);
  void socket.leave(sid);
  socket.emit("direct", 1);
  expect(takeEvents(peer).events).toEqual([["direct", 1]]);
  peer.session.end("transport close");
  socket.emit("direct", 2);
  expect(join(harness, { pid, offset: "" }).missed.map((args) => args[1])).toEqual([1, 2]);
});

test("a middleware can emit (Q5)", () => {
  const harness = recovering();
  harness.io.use((socket, next) => {
    socket.emit("session", { id: 1 });
    next();
  });
  const peer = harness.open();
  peer.send("0");
  const [event, answer] = peer.take().map(String);
  expect(event).toBe('2["session",{"id":1}]');
  expect(answer).toMatch(/^0\{"sid":/);
});

test("middlewares are skipped by those who come back, unless the option says no (120, O6)", () => {
  for (const skipMiddlewares of [true, false]) {
    const harness = recovering({ connectionStateRecovery: { skipMiddlewares } });
    const passed: boolean[] = [];
    harness.io.use((socket, next) => {
      passed.push(socket.recovered);
      next();
    });
    const { peer, pid } = join(harness);
    peer.session.end("transport close");
    join(harness, { pid });
    expect(passed).toEqual(skipMiddlewares ? [false] : [false, true]);
  }
});

test("what is sent while the middlewares run is missed, too (120)", () => {
  const harness = recovering({ connectionStateRecovery: { skipMiddlewares: false } });
  const waiting: (() => void)[] = [];
  harness.io.use((socket, next) => {
    if (socket.recovered) waiting.push(next);
    else next();
  });
  const { peer, pid } = join(harness);
  peer.session.end("transport close");
  harness.io.emit("missed", 1);
  const second = harness.open();
  second.send(`0${JSON.stringify({ pid })}`);
  harness.io.emit("missed", 2);
  expect(second.take()).toEqual([]);
  waiting[0]?.();
  const packets = second.take();
  expect(packets.slice(0, 2).map((packet) => eventOf(packet)[1])).toEqual([1, 2]);
  expect(packets).toHaveLength(3);
});

test("a client that leaves while its middlewares run can come back once more (122)", () => {
  const harness = recovering({ connectionStateRecovery: { skipMiddlewares: false } });
  const waiting: (() => void)[] = [];
  harness.io.use((socket, next) => {
    if (socket.recovered && waiting.length === 0) waiting.push(next);
    else next();
  });
  const { peer, sid, pid } = join(harness);
  peer.session.end("transport close");
  harness.io.emit("missed");
  const second = harness.open();
  second.send(`0${JSON.stringify({ pid })}`);
  second.session.end("transport close");
  waiting[0]?.();
  const third = join(harness, { pid });
  expect(third.sid).toBe(sid);
  expect(third.missed).toHaveLength(1);
});

test("a client whose middleware refuses it has lost its session (77)", () => {
  const harness = recovering({ connectionStateRecovery: { skipMiddlewares: false } });
  harness.io.use((socket, next) => {
    next(socket.recovered ? new Error("not again") : undefined);
  });
  const { peer, sid, pid } = join(harness);
  peer.session.end("transport close");
  const second = harness.open();
  second.send(`0${JSON.stringify({ pid })}`);
  expect(second.take()).toEqual(['4{"message":"not again"}']);
  expect(join(harness, { pid }).sid).not.toBe(sid);
});

test.each([
  { pid: "unknown", offset: "x" },
  { pid: 1 },
  { pid: null, offset: null },
  { pid: ["a"], offset: {} },
  { pid: "__proto__", offset: "constructor" },
  { offset: "alone" },
])("forged recovery data get a plain connection: %j (125)", (auth) => {
  const harness = recovering();
  const { socket, missed } = join(harness, auth);
  expect(socket.recovered).toBe(false);
  expect(missed).toEqual([]);
  expect(harness.errors).toEqual([]);
});

test.each(["", "0", "-1", "abc.zz", "\u0000"])(
  "an offset that is none of ours restores nothing: %j (125)",
  (suffix) => {
    const harness = recovering();
    const { peer, sid, pid } = join(harness);
    harness.io.emit("event");
    const { offset } = takeEvents(peer);
    peer.session.end("transport close");
    const again = join(harness, { pid, offset: `${offset.slice(0, 3)}${suffix}!` });
    expect(again.sid).not.toBe(sid);
  },
);

test("each namespace restores its own socket", () => {
  const harness = recovering();
  const peer = harness.open();
  peer.send("0", "0/admin,");
  const answers = peer.take().map(String);
  const { pid } = JSON.parse(answers[0]?.slice(1) ?? "") as { pid: string };
  const admin = JSON.parse(answers[1]?.slice(8) ?? "") as { pid: string; sid: string };
  harness.io.of("/admin");
  peer.session.end("transport close");
  expect(join(harness, { pid: admin.pid }).socket.recovered).toBe(false);
  expect(join(harness, { pid }).socket.recovered).toBe(true);
});

test("a child namespace lives as long as somebody may come back to it (85)", () => {
  const harness = recovering({ cleanupEmptyChildNamespaces: true });
  harness.io.of(/^\/child$/);
  const { peer, sid, pid } = join(harness, undefined, "/child");
  peer.session.end("transport close");
  expect(join(harness, { pid }, "/child").sid).toBe(sid);
  harness.io.of("/child").disconnectSockets();
  expect(harness.io._nsps.has("/child")).toBe(false);

  const other = join(harness, undefined, "/child");
  other.peer.session.end("transport close");
  expect(harness.io._nsps.has("/child")).toBe(true);
  harness.clock.advance(10 * TWO_MINUTES);
  expect(harness.io._nsps.has("/child")).toBe(false);
});

test("clients of Socket.IO 2 have no sessions", () => {
  const harness = recovering();
  const peer = harness.open({ protocol: 3 });
  expect(peer.take()).toEqual(["0"]);
  peer.session.end("transport close");
  const { adapter } = harness.io.sockets as unknown as { adapter: { hasSessions: boolean } };
  expect(adapter.hasSessions).toBe(false);
});

/** An adapter as others write them: sessions come later, packets have no offset. */
class SlowAdapter extends Adapter {
  static answers: ((session: Session | null) => void)[] = [];
  static kept: SessionToPersist[] = [];
  static broadcasts: unknown[][] = [];

  override persistSession(session: SessionToPersist): void {
    SlowAdapter.kept.push(session);
  }

  override restoreSession(): Promise<Session | null> {
    return new Promise((resolve) => {
      SlowAdapter.answers.push(resolve);
    });
  }

  override broadcast(...args: Parameters<Adapter["broadcast"]>): void {
    SlowAdapter.broadcasts.push(args[0].data);
    super.broadcast(...args);
  }
}

function slow(): Harness {
  SlowAdapter.answers = [];
  SlowAdapter.kept = [];
  SlowAdapter.broadcasts = [];
  return recovering({ adapter: SlowAdapter });
}

const SESSION = { sid: "old", pid: "secret", rooms: ["old", "r"], data: { a: 1 } };

test("an adapter may take its time (125)", async () => {
  const harness = slow();
  const peer = harness.open();
  peer.send('0{"pid":"secret","offset":"1-1"}', "0");
  expect(peer.take()).toEqual([]);
  SlowAdapter.answers[0]?.({ ...SESSION, missedPackets: [["missed", "1-2"]] });
  await settled();
  expect(peer.take()).toEqual(['2["missed","1-2"]', '0{"sid":"old","pid":"secret"}']);
  const socket = harness.io.sockets.sockets.get("old") as Socket;
  expect([...socket.rooms]).toEqual(["old", "r"]);
  socket.emit("direct", 1);
  expect(SlowAdapter.broadcasts).toEqual([["direct", 1]]);
  peer.session.end("transport close");
  expect(SlowAdapter.kept).toEqual([SESSION]);
});

test("a session that comes too late is given back (122)", async () => {
  const harness = slow();
  const peer = harness.open();
  peer.send('0{"pid":"secret","offset":"1-1"}');
  peer.session.end("transport close");
  SlowAdapter.answers[0]?.({ ...SESSION, missedPackets: [] });
  await settled();
  expect(SlowAdapter.kept).toEqual([SESSION]);
  expect(harness.io.sockets.sockets.size).toBe(0);
});

test("an adapter that hands a session out twice makes one socket of it (122)", async () => {
  const harness = slow();
  const peers = [harness.open(), harness.open()];
  for (const peer of peers) peer.send('0{"pid":"secret","offset":"1-1"}');
  for (const answer of SlowAdapter.answers) answer({ ...SESSION, missedPackets: [] });
  await settled();
  expect([...harness.io.sockets.sockets.keys()].filter((id) => id === "old")).toHaveLength(1);
  expect(harness.io.sockets.sockets.size).toBe(2);
});

test("an adapter that throws or rejects leaves a plain connection (125)", async () => {
  for (const restoreSession of [
    () => {
      throw new Error("sync");
    },
    () => Promise.reject(new Error("async")),
  ]) {
    class Failing extends Adapter {
      override restoreSession(): never {
        return restoreSession() as never;
      }
    }
    const harness = recovering({ adapter: Failing });
    const peer = harness.open();
    peer.send('0{"pid":"secret","offset":"1-1"}');
    await settled();
    expect(String(peer.take()[0])).toMatch(/^0\{"sid":/);
    expect(harness.errors).toEqual([]);
  }
});
