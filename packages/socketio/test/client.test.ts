import { expect, test } from "vitest";
import { Harness, noop, record, settled } from "./harness.js";

test("a connection without a namespace is closed when the time is over (behaviour 73)", () => {
  const { open, clock } = bound(new Harness({ connectTimeout: 1000 }));
  const peer = open();
  clock.advance(999);
  expect(peer.readyState).toBe("open");
  clock.advance(1);
  expect(peer.readyState).toBe("closed");
});

test("a refused CONNECT does not stop the time (behaviour 73)", () => {
  const { open, clock } = bound(new Harness({ connectTimeout: 1000 }));
  const peer = open();
  clock.advance(500);
  peer.send("0/unknown,");
  clock.advance(500);
  expect(peer.readyState).toBe("closed");
});

test("joining a namespace stops the time", () => {
  const harness = new Harness();
  harness.join();
  expect(harness.clock.pending).toBe(0);
});

test("the end of the connection stops the time", () => {
  const harness = new Harness();
  harness.open().close();
  expect(harness.clock.pending).toBe(0);
});

test("an unknown namespace is refused and the connection stays (behaviours 77, 78)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  peer.send("0/unknown,");
  expect(peer.take()).toEqual(['4/unknown,{"message":"Invalid namespace"}']);
  expect(socket.connected).toBe(true);
  peer.send("0/unknown,");
  expect(peer.take()).toHaveLength(1);
});

test("a query is a part of the namespace's name (behaviour 100)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const peer = harness.open().send("0/admin?x=1,{}");
  expect(peer.take()).toEqual(['4/admin?x=1,{"message":"Invalid namespace"}']);
});

test("two CONNECT packets before the answer make one socket (behaviour 80)", async () => {
  const harness = new Harness();
  harness.io.use((_socket, next) => void Promise.resolve().then(() => next()));
  const peer = harness.open().send("0", "0");
  await settled();
  expect(peer.take()).toEqual(['0{"sid":"id1"}']);
  expect(harness.io.sockets.sockets.size).toBe(1);
  expect(peer.readyState).toBe("open");
});

test("a CONNECT packet after the answer closes the connection (behaviour 80)", () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const seen = record(socket, "disconnect");
  peer.send("0");
  expect(peer.readyState).toBe("closed");
  expect(seen).toEqual([["disconnect", "forced close", undefined]]);
});

test("a client that was refused may ask again", async () => {
  const harness = new Harness();
  let isAllowed = false;
  harness.io.use(async (_socket, next) => {
    await Promise.resolve();
    next(isAllowed ? undefined : new Error("not yet"));
  });
  const peer = harness.open().send("0");
  await settled();
  expect(peer.take()).toEqual(['4{"message":"not yet"}']);
  isAllowed = true;
  peer.send("0");
  await settled();
  expect(peer.take()).toEqual(['0{"sid":"id2"}']);
});

test("a packet for a namespace that was not joined closes all of them (behaviour 82)", () => {
  const harness = new Harness();
  harness.io.of("/other");
  const { peer, socket } = harness.join();
  const seen = record(socket, "disconnect");
  peer.send('2/other,["event"]');
  expect(seen).toEqual([["disconnect", "forced close", undefined]]);
  expect(peer.readyState).toBe("closed");
});

test("a CONNECT_ERROR packet from the client closes the connection (C7)", () => {
  const { peer } = new Harness().join();
  peer.send('4{"message":"no"}');
  expect(peer.readyState).toBe("closed");
});

test("an event before CONNECT closes the connection (C7)", () => {
  const peer = new Harness().open().send('2["event"]');
  expect(peer.readyState).toBe("closed");
});

test.each(['2["connect"]', "2[]", "0[]", "9", "5-", "0null"])(
  "the invalid packet %s is an error of each socket, then the end (behaviour 92)",
  (packet) => {
    const harness = new Harness();
    harness.io.of("/other");
    const { peer, socket } = harness.join();
    const other = harness.joinWith(peer, "/other");
    const seen = [socket, other].map((each) => record(each, "error", "disconnect"));
    peer.send(packet, '2["after"]');
    for (const events of seen) {
      expect(events).toEqual([
        ["error", expect.any(Error)],
        ["disconnect", "forced close", undefined],
      ]);
    }
    expect(harness.errors).toEqual([]);
  },
);

test("an attachment that nobody announced is an error, then the end", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "error");
  peer.send(Buffer.from([1]));
  expect(seen).toHaveLength(1);
  expect(peer.readyState).toBe("closed");
});

test("a violation while the transport is busy: sockets end at once, the session later (behaviour 103)", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "disconnect", "event");
  peer.pause();
  socket.emit("waiting");
  peer.send("0");
  expect(seen).toEqual([["disconnect", "forced server close", undefined]]);
  expect(peer.readyState).toBe("closing");
  peer.send('2["event"]');
  expect(seen).toHaveLength(1);
  peer.resume();
  expect(peer.readyState).toBe("closed");
});

test("an invalid packet while the transport is busy: what follows does not count", () => {
  const { peer, socket } = new Harness().join();
  const seen = record(socket, "event", "disconnect");
  peer.pause();
  socket.emit("waiting");
  peer.send("garbage", '2["event"]');
  expect(seen).toEqual([]);
  peer.resume();
  expect(seen).toEqual([["disconnect", "forced close", undefined]]);
});

test.each(["transport error", "transport close", "ping timeout", "parse error", "forced close"])(
  "the reason %s of the session is the reason of the sockets",
  (reason) => {
    const { peer, socket } = new Harness().join();
    const seen = record(socket, "disconnect");
    const description = new Error("details");
    peer.close(reason, description);
    expect(seen).toEqual([["disconnect", reason, description]]);
  },
);

test("one client has a socket in each of several namespaces", () => {
  const harness = new Harness();
  for (const name of ["/a", "/b", "/c"]) harness.io.of(name);
  const { peer, socket } = harness.join("/a");
  const b = harness.joinWith(peer, "/b");
  const c = harness.joinWith(peer, "/c");
  expect([...socket.client.nsps.values()]).toEqual([socket, b, c]);
  expect([...socket.client.sockets.keys()]).toEqual([socket.id, b.id, c.id]);
  // The first one leaves: the others stay, and it may come back.
  peer.send("1/a,");
  const seen = record(c, "event");
  peer.send('2/c,["event",1]');
  expect(seen).toEqual([["event", 1]]);
  const again = harness.joinWith(peer, "/a");
  expect([...socket.client.nsps.keys()]).toEqual(["/b", "/c", "/a"]);
  peer.send("1/b,");
  expect(b.connected).toBe(false);
  expect([c.connected, again.connected]).toEqual([true, true]);
});

test("a client that leaves while a middleware runs is forgotten", async () => {
  const harness = new Harness();
  const { nsp, release } = slowNamespace(harness);
  const peer = harness.open().send("0/slow,");
  peer.close();
  release();
  await settled();
  expect(nsp.sockets.size).toBe(0);
  expect(nsp.adapter.rooms.size).toBe(0);
  expect(nsp.adapter.sids.size).toBe(0);
});

test("rooms that were joined in a middleware are left when the client leaves meanwhile", () => {
  const harness = new Harness();
  harness.io.use((socket) => void socket.join("early"));
  const peer = harness.open().send("0");
  const { rooms } = harness.io.sockets.adapter;
  expect(rooms.has("early")).toBe(true);
  peer.close();
  expect(rooms.size).toBe(0);
});

test("an adapter that cannot be made refuses the namespace and is reported", () => {
  const harness = new Harness();
  harness.io.of(/^\/dynamic/);
  harness.io.adapter(
    class extends (harness.io.adapter() as new (nsp: never) => object) {
      constructor(nsp: { name: string }) {
        super(nsp as never);
        if (nsp.name === "/dynamic") throw new Error("no adapter");
      }
    } as never,
  );
  const peer = harness.open().send("0/dynamic,");
  expect(peer.take()).toEqual(['4/dynamic,{"message":"Invalid namespace"}']);
  expect(harness.errors.map(({ context }) => context)).toEqual([
    { source: "adapter", nsp: "/dynamic" },
  ]);
});

test("an id that cannot be made closes the connection and is reported", () => {
  const harness = new Harness(
    {},
    {},
    {
      generateId: () => {
        throw new Error("no entropy");
      },
    },
  );
  const peer = harness.open().send("0");
  expect(peer.readyState).toBe("closed");
  expect(harness.errors).toHaveLength(1);
});

test("sessions of a foreign engine are heard by their events", () => {
  const harness = new Harness({}, { mode: "events" });
  const { peer, socket } = harness.join();
  const seen = record(socket, "event", "disconnect");
  peer.send('2["event",1]');
  harness.io.emit("news");
  expect(peer.take()).toEqual(['2["news"]']);
  peer.close();
  expect(seen).toEqual([
    ["event", 1],
    ["disconnect", "transport close", undefined],
  ]);
});

test("an error event of a foreign session closes it", () => {
  const harness = new Harness({}, { mode: "events" });
  const { peer, socket } = harness.join();
  const seen = record(socket, "error");
  peer.session.emit("error", new Error("broken"));
  expect(seen).toEqual([["error", expect.objectContaining({ message: "broken" })]]);
  expect(peer.readyState).toBe("closed");
});

test.each(["sink", "events"] as const)(
  "volatile packets are dropped while the transport of a session with %s is busy (behaviour 111)",
  (mode) => {
    const harness = new Harness({}, { mode });
    const { peer, socket } = harness.join();
    socket.volatile.emit("first");
    peer.pause();
    socket.volatile.emit("dropped");
    harness.io.volatile.emit("dropped");
    socket.emit("waiting");
    peer.resume();
    expect(peer.take()).toEqual(['2["first"]', '2["waiting"]']);
  },
);

test("the flag compress goes to the engine, and nothing without the flag (behaviour 112)", () => {
  const { peer, socket } = new Harness().join();
  socket.compress(false).emit("a");
  socket.emit("b");
  expect(peer.written.slice(-2).map(({ options }) => options)).toEqual([
    { compress: false },
    undefined,
  ]);
});

test("an adapter may write one message without an array", () => {
  const { peer, socket } = new Harness().join();
  socket.client.writeToEngine('2["old"]' as never, { preEncoded: true });
  expect(peer.take()).toEqual(['2["old"]']);
});

test("nothing is written to a connection that is closing", () => {
  const { peer, socket } = new Harness().join();
  peer.close();
  socket.client.writeToEngine(['2["late"]'], {});
  expect(peer.take()).toEqual([]);
});

function bound(harness: Harness): { open: Harness["open"]; clock: Harness["clock"] } {
  return { open: (options) => harness.open(options), clock: harness.clock };
}

function slowNamespace(harness: Harness): {
  nsp: ReturnType<Harness["io"]["of"]>;
  release: () => void;
} {
  let release: () => void = noop;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const nsp = harness.io.of("/slow");
  nsp.use(async (socket, next) => {
    void socket.join("early");
    await gate;
    next();
  });
  return { nsp, release: () => release() };
}
