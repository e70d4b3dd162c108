import { expect, test } from "vitest";
import { Harness } from "./harness.js";

const V3 = { protocol: 3 };

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
