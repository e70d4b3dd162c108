import { expect, test } from "vitest";
import { Harness, noop, settled } from "./harness.js";

test("children have the middlewares and listeners that the parent has when they are made (N12)", () => {
  const harness = new Harness();
  const calls: string[] = [];
  const parent = harness.io.of(/^\/dynamic-/);
  parent.use((_socket, next) => {
    calls.push("middleware");
    next();
  });
  parent.on("connection", ({ nsp }) => calls.push(nsp.name));
  harness.join("/dynamic-1");
  parent.on("connection", () => calls.push("late"));
  harness.join("/dynamic-1");
  expect(calls).toEqual(["middleware", "/dynamic-1", "middleware", "/dynamic-1"]);
});

test("a parent emits to the sockets of all children, each exactly once (N13)", () => {
  const harness = new Harness();
  const parent = harness.io.of(/^\/dynamic-/);
  const peers = ["/dynamic-1", "/dynamic-2"].map((name) => harness.open().send(`0${name},`));
  for (const peer of peers) peer.take();
  parent.emit("a", 1);
  parent.to("nobody").emit("b");
  parent.except("nobody").emit("c", { x: 1 });
  expect(peers.map((peer) => peer.take())).toEqual([
    ['2/dynamic-1,["a",1]', '2/dynamic-1,["c",{"x":1}]'],
    ['2/dynamic-2,["a",1]', '2/dynamic-2,["c",{"x":1}]'],
  ]);
});

test("the adapters of the children do not share a packet", () => {
  const harness = new Harness();
  class Appending extends (harness.io.adapter() as new (nsp: never) => {
    broadcast(packet: { data: unknown[] }, options: unknown): void;
  }) {
    override broadcast(packet: { data: unknown[] }, options: unknown): void {
      packet.data.push("offset");
      super.broadcast(packet, options);
    }
  }
  harness.io.adapter(Appending as never);
  const parent = harness.io.of(/^\/dynamic-/);
  const peers = ["/dynamic-1", "/dynamic-2"].map((name) => harness.open().send(`0${name},`));
  for (const peer of peers) peer.take();
  parent.to([]).emit("a");
  expect(peers[1]?.take()).toEqual(['2/dynamic-2,["a","offset"]']);
});

test("the sockets of a parent cannot be fetched (N14)", () => {
  const parent = new Harness().io.of(/^\/dynamic-/);
  expect(() => parent.fetchSockets()).toThrow(
    "fetchSockets() is not supported on parent namespaces",
  );
});

function cleaning(): { harness: Harness; names: () => string[]; children: () => number } {
  const harness = new Harness({ cleanupEmptyChildNamespaces: true });
  const io = harness.io as unknown as { _nsps: Map<string, unknown> };
  const parent = harness.io.of(/^\/dynamic-/) as unknown as { children: Set<unknown> };
  return { harness, names: () => [...io._nsps.keys()], children: () => parent.children.size };
}

test("without the option an empty child stays", () => {
  const harness = new Harness();
  harness.io.of(/^\/dynamic-/);
  harness.join("/dynamic-1").peer.close();
  expect((harness.io as unknown as { _nsps: Map<string, unknown> })._nsps.size).toBe(2);
});

test("with the option an empty child is closed and forgotten (N15)", () => {
  const { harness, names, children } = cleaning();
  const [first, second] = [harness.open(), harness.open()];
  first.send("0/dynamic-1,");
  second.send("0/dynamic-1,");
  let isClosed = false;
  harness.io.of("/dynamic-1").adapter.close = () => {
    isClosed = true;
  };
  first.close();
  expect(names()).toEqual(["/", "/dynamic-1"]);
  second.close();
  expect(names()).toEqual(["/"]);
  expect(children()).toBe(0);
  expect(isClosed).toBe(true);
});

test("a child whose only socket is refused is forgotten", () => {
  const { harness, names } = cleaning();
  harness.io.of(/^\/dynamic-/).use((_socket, next) => next());
  harness.io.of((_name, _auth, next) => next(null, true)).use((_s, next) => next(new Error("no")));
  const peer = harness.open().send("0/other,");
  expect(peer.take()).toEqual(['4/other,{"message":"no"}']);
  expect(names()).toEqual(["/"]);
});

test("a child stays while a socket is connecting (behaviour 81)", async () => {
  const { harness, names } = cleaning();
  const parent = harness.io.of(/^\/slow-/);
  let pass: () => void = noop;
  let isSlow = false;
  parent.use((_socket, next) => {
    if (isSlow) pass = next;
    else next();
  });
  const first = harness.open().send("0/slow-1,");
  isSlow = true;
  const second = harness.open().send("0/slow-1,");
  first.close();
  expect(names()).toContain("/slow-1");
  pass();
  await settled();
  second.take();
  harness.io.of("/slow-1").emit("news");
  expect(second.take()).toEqual(['2/slow-1,["news"]']);
  second.close();
  expect(names()).not.toContain("/slow-1");
});

test("an adapter that cannot be closed is reported", async () => {
  const { harness, names } = cleaning();
  const { peer } = { peer: harness.open().send("0/dynamic-1,") };
  harness.io.of("/dynamic-1").adapter.close = () => Promise.reject(new Error("oops"));
  peer.close();
  await settled();
  expect(names()).toEqual(["/"]);
  expect(harness.errors.map(({ context }) => context.source)).toEqual(["adapter"]);
});
