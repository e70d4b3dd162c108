import type { InMemoryPeer } from "@jackfield/testkit";
import { expect, test } from "vitest";
import type { Socket } from "../src/api.js";
import type { EngineSession } from "../src/engine-port.js";
import { isLegacy, legacySocketId, parseLegacyNamespace } from "../src/protocol-v4.js";
import { Harness, noop, record, settled } from "./harness.js";

const V3 = { protocol: 3 };

/** A client of protocol 3. What it got for being in the main namespace has been taken. */
function openV3(harness: Harness): InMemoryPeer {
  const peer = harness.open(V3);
  peer.take();
  return peer;
}

/** The only socket of a namespace. */
function only(harness: Harness, name = "/"): Socket {
  const [socket, ...others] = harness.io.of(name).sockets.values();
  if (socket === undefined || others.length > 0) throw new Error(`not one socket in ${name}`);
  return socket;
}

test("a client of protocol 3 is in the main namespace without asking, and gets no payload (74, Z4)", () => {
  const harness = new Harness();
  const ids: string[] = [];
  harness.io.on("connection", (socket) => ids.push(socket.id));
  const peer = harness.open(V3);
  expect(peer.take()).toEqual(["0"]);
  expect(ids).toHaveLength(1);
});

test("the id of its sockets is that of the session, behind the namespace (Z5)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const peer = harness.open(V3);
  peer.take();
  peer.send("0/admin,");
  expect(peer.take()).toEqual(["0/admin,"]);
  const [main] = harness.io.of("/").sockets.values();
  const [admin] = harness.io.of("/admin").sockets.values();
  expect(main?.id).toBe(main?.conn.id);
  expect(admin?.id).toBe(`/admin#${admin?.conn.id}`);
});

test("the query of the namespace is what it has to say for itself (137)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const peer = harness.open(V3);
  peer.take();
  peer.send("0/admin?token=a%20b&x=1,");
  expect(peer.take()).toEqual(["0/admin,"]);
  const [socket] = harness.io.of("/admin").sockets.values();
  expect(socket?.handshake.auth).toEqual({ token: "a b", x: "1" });
});

test.each([
  ["its data", Object.assign(new Error("no"), { data: { code: 7 } }), '4{"code":7}'],
  ["its message", new Error("no"), '4"no"'],
])("a middleware error reaches it as %s (77, Z6)", (_name, error, packet) => {
  const harness = new Harness();
  harness.io.use((_socket, next) => next(error));
  expect(harness.open(V3).take()).toEqual([packet]);
});

test("an unknown namespace is answered with an object, as for everybody (77)", () => {
  const peer = new Harness().open(V3);
  peer.take();
  peer.send("0/nope?a=1,");
  expect(peer.take()).toEqual(['4/nope,{"message":"Invalid namespace"}']);
});

test("events and acknowledgements look the same for both", () => {
  const harness = new Harness();
  harness.io.on("connection", (socket) => {
    socket.on("add", (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
  });
  const peer = harness.open(V3);
  peer.take();
  peer.send('27["add",1,2]');
  harness.io.emit("hello", "all");
  expect(peer.take()).toEqual(["37[3]", '2["hello","all"]']);
});

test("a client of protocol 4 still asks", () => {
  expect(new Harness().open().take()).toEqual([]);
});

test("a foreign engine's client of protocol 3 is in the main namespace, too (S15, Z4)", () => {
  const harness = new Harness({}, { mode: "events" });
  const peer = harness.open(V3);
  expect(peer.take()).toEqual(["0"]);
  const seen = record(only(harness), "hello", "disconnect");
  peer.send('2["hello",1]');
  peer.close();
  expect(seen).toEqual([
    ["hello", 1],
    ["disconnect", "transport close", undefined],
  ]);
});

test("its CONNECT packet comes before what connection listeners emit (74)", () => {
  const harness = new Harness();
  harness.io.on("connection", (socket) => void socket.emit("welcome"));
  expect(harness.open(V3).take()).toEqual(["0", '2["welcome"]']);
});

test("being in the main namespace stops the time to join one (73, 74)", () => {
  const harness = new Harness({ connectTimeout: 1000 });
  const peer = harness.open(V3);
  expect(harness.clock.pending).toBe(0);
  harness.clock.advance(5000);
  expect(peer.readyState).toBe("open");
});

test("refused in the main namespace, it has the rest of the time to join another one (73, 77)", () => {
  const harness = new Harness({ connectTimeout: 1000 });
  harness.io.of("/admin");
  harness.io.use((_socket, next) => next(new Error("no")));
  const [idle, busy] = [openV3(harness), openV3(harness)];
  busy.send("0/admin,");
  expect(busy.take()).toEqual(["0/admin,"]);
  harness.clock.advance(1000);
  expect([idle.readyState, busy.readyState]).toEqual(["closed", "open"]);
});

test("it joins another namespace while the main one still decides", async () => {
  const harness = new Harness();
  harness.io.of("/admin");
  harness.io.use((_socket, next) => void Promise.resolve().then(() => next()));
  const peer = harness.open(V3).send("0/admin,");
  expect(peer.take()).toEqual(["0/admin,"]);
  await settled();
  expect(peer.take()).toEqual(["0"]);
  expect(peer.readyState).toBe("open");
});

test("who asks for the main namespace all the same is closed (74)", () => {
  for (const packet of ["0", "0/?a=1,"]) {
    const peer = openV3(new Harness()).send(packet);
    expect(peer.readyState).toBe("closed");
  }
});

test("who comes back to a namespace has the same id in it (Z5)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const peer = openV3(harness).send("0/admin,");
  const before = only(harness, "/admin");
  peer.send("1/admin,", "0/admin,");
  const after = only(harness, "/admin");
  expect(before.connected).toBe(false);
  expect(after.connected).toBe(true);
  expect(after.id).toBe(before.id);
  expect([...after.rooms]).toEqual([after.id]);
});

test("its ids are rooms as those of others are (Z5)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const [peer, other] = [openV3(harness), openV3(harness)];
  peer.send("0/admin,");
  other.send("0/admin,");
  const id = `/admin#${peer.session.id}`;
  harness.io.of("/admin").to(id).emit("you");
  expect(peer.take()).toEqual(["0/admin,", '2/admin,["you"]']);
  expect(other.take()).toEqual(["0/admin,"]);
});

test.each([
  ["/ns", {}],
  ["/ns?", {}],
  ["/ns?a=1&a=2&b=x+y%20z&c", { a: "2", b: "x y z", c: "" }],
  ["/ns?a=1#part", { a: "1" }],
  ["/ns#part?a=1", {}],
  ["/ns?a=%zz", { a: "%zz" }],
])("of the namespace %s, the query is auth (C8, 137)", (url, auth) => {
  const harness = new Harness();
  harness.io.of("/ns");
  const peer = openV3(harness).send(`0${url},`);
  expect(peer.take()).toEqual(["0/ns,"]);
  expect(only(harness, "/ns").handshake.auth).toEqual(auth);
});

test("a key of the query cannot be the prototype of auth (137)", () => {
  const { auth } = parseLegacyNamespace("/ns?__proto__=1");
  expect(Object.entries(auth)).toEqual([["__proto__", "1"]]);
  expect(Object.getPrototypeOf(auth)).toBe(Object.prototype);
});

test("the name of a namespace is answered as it was written (C8)", () => {
  for (const name of ["/é", "/a b", "/a%20b"]) {
    const harness = new Harness();
    harness.io.of(name);
    expect(openV3(harness).send(`0${name}?q=é,`).take()).toEqual([`0${name},`]);
    expect(only(harness, name).handshake.auth).toEqual({ q: "é" });
  }
});

test("a payload of CONNECT is not its auth (C8)", () => {
  const harness = new Harness();
  harness.io.of("/ns");
  openV3(harness).send('0/ns,{"token":1}');
  expect(only(harness, "/ns").handshake.auth).toEqual({});
});

test("packets whose namespace has a query reach the namespace (C8)", () => {
  const harness = new Harness();
  harness.io.of("/ns");
  const peer = openV3(harness).send("0/ns?a=1,");
  const socket = only(harness, "/ns");
  const seen = record(socket, "event", "disconnect");
  peer.send('2/ns?a=1,["event",1]', "1/ns?b=2,");
  expect(seen).toEqual([
    ["event", 1],
    ["disconnect", "client namespace disconnect", undefined],
  ]);
  expect(peer.readyState).toBe("open");
});

test("packets for a namespace that was not joined close the connection (C7)", () => {
  for (const packet of ['2/ns?a=1,["event"]', '2/ns,["event"]', "1/ns,"]) {
    const harness = new Harness();
    harness.io.of("/ns");
    expect(openV3(harness).send(packet).readyState).toBe("closed");
  }
});

test("functions that make namespaces get the name and the query (137)", () => {
  const harness = new Harness();
  const asked: unknown[] = [];
  harness.io.of((name, auth, next) => {
    asked.push([name, auth]);
    next(null, auth["token"] === "x");
  });
  const peer = openV3(harness).send("0/one?token=x,", "0/two?token=y,");
  expect(peer.take()).toEqual(["0/one,", '4/two,{"message":"Invalid namespace"}']);
  expect(asked).toEqual([
    ["/one", { token: "x" }],
    ["/two", { token: "y" }],
  ]);
});

test.each([
  ["data that is false", Object.assign(new Error("no"), { data: 0 }), '4/ns,"no"'],
  ["data that is text", Object.assign(new Error("no"), { data: "why" }), '4/ns,"why"'],
  ["an empty message", new Error(""), '4/ns,""'],
  ["no error at all", "text", '4/ns,"text"'],
])("a refusal with %s is told raw (77, Z6)", async (_name, error, packet) => {
  const harness = new Harness();
  let refused: Socket | undefined;
  harness.io.of("/ns").use(async (socket, next) => {
    refused = socket;
    await Promise.resolve();
    next(error as Error);
  });
  const peer = openV3(harness).send("0/ns?a=1,");
  await settled();
  expect(peer.take()).toEqual([packet]);
  expect(peer.readyState).toBe("open");
  expect([...(refused?.rooms ?? ["?"])]).toEqual([]);
  expect(only(harness).connected).toBe(true);
});

test("of an error that cannot be encoded, the message is told raw (77, Z6)", () => {
  const harness = new Harness();
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  harness.io.use((_socket, next) => next(Object.assign(new Error("no"), { data: circular })));
  expect(harness.open(V3).take()).toEqual(['4"no"']);
  expect(harness.errors).toMatchObject([{ context: { source: "namespace middleware" } }]);
});

test("an encoder that throws for its CONNECT packet ends the connection, not the process", () => {
  class ThrowingEncoder {
    encode(): never {
      throw new Error("encoder");
    }
  }
  class SilentDecoder {
    on = noop;
    add = noop;
    destroy = noop;
  }
  const harness = new Harness({ parser: { Encoder: ThrowingEncoder, Decoder: SilentDecoder } });
  const peer = harness.open(V3);
  expect(peer.readyState).toBe("closed");
  expect(harness.errors).toMatchObject([{ context: { source: "adapter", nsp: "/" } }]);
});

test("a broadcast is encoded once for clients of both protocols", () => {
  const harness = new Harness();
  const old = openV3(harness);
  const { peer } = harness.join();
  harness.io.emit("news", 1, Buffer.from([1]));
  const expected = ['51-["news",1,{"_placeholder":true,"num":0}]', Buffer.from([1])];
  expect(old.take()).toEqual(expected);
  expect(peer.take()).toEqual(expected);
  const [first, second] = [old, peer].map(({ written }) => written.at(-1)?.prepared);
  expect(first).toBeDefined();
  expect(second).toBe(first);
});

test("only protocol 3 is old, and an id tells its namespace", () => {
  const [session, modern] = [
    { id: "sid", protocol: 3 },
    { id: "sid", protocol: 4 },
  ] as unknown as [EngineSession, EngineSession];
  expect([isLegacy(session), isLegacy(modern)]).toEqual([true, false]);
  expect(legacySocketId(session, "/")).toBe("sid");
  expect(legacySocketId(session, "/a/b")).toBe("/a/b#sid");
});
