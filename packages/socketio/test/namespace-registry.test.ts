import { expect, test } from "vitest";
import { Harness, record, settled } from "./harness.js";

test("a name gets its slash and stands for one namespace", () => {
  const { io } = new Harness();
  expect(io.of("admin")).toBe(io.of("/admin"));
  expect(io.of("/")).toBe(io.sockets);
  expect([...(io as unknown as { _nsps: Map<string, unknown> })._nsps.keys()]).toEqual([
    "/",
    "/admin",
  ]);
});

test("new namespaces are announced, the one named / is not (behaviour 85)", () => {
  const harness = new Harness();
  const names: string[] = [];
  harness.io.on("new_namespace", (nsp) => names.push(nsp.name));
  harness.io.of("/fixed");
  harness.io.of("/fixed");
  harness.io.of(/^\/dynamic-/);
  harness.open().send("0/dynamic-1,", "0");
  expect(names).toEqual(["/fixed", "/dynamic-1"]);
});

test("the second argument listens for sockets", () => {
  const harness = new Harness();
  const ids: string[] = [];
  harness.io.of("/a", (socket) => ids.push(socket.id));
  harness.join("/a");
  expect(ids).toEqual(["id1"]);
});

test("the second argument counts when a pattern matches the name, too (behaviour 86)", () => {
  const harness = new Harness();
  const calls: string[] = [];
  harness.io.of(/^\/x/, () => calls.push("pattern"));
  harness.io.of("/x", () => calls.push("name"));
  harness.join("/x");
  expect(calls).toEqual(["pattern", "name"]);
});

test.each([/^\/dynamic-\d+$/g, /\/dynamic-\d+/y])(
  "the flags of the pattern %s do not matter (behaviour 83)",
  (pattern) => {
    const harness = new Harness();
    harness.io.of(pattern);
    for (const name of ["/dynamic-1", "/dynamic-2", "/dynamic-3"]) {
      const peer = harness.open().send(`0${name},`);
      expect(peer.take()[0]).toContain(`0${name},{"sid"`);
    }
    expect(pattern.lastIndex).toBe(0);
  },
);

test("a function gets the name and the auth object (behaviour 83)", () => {
  const harness = new Harness();
  const asked: unknown[] = [];
  harness.io.of((name, auth, next) => {
    asked.push(name, auth);
    next(null, true);
  });
  harness.open().send('0/any,{"token":"x"}');
  expect(asked).toEqual(["/any", { token: "x" }]);
});

test("parents are asked in order, an error means no (N16)", async () => {
  const harness = new Harness();
  const asked: string[] = [];
  harness.io.of((_name, _auth, next) => {
    asked.push("error");
    next(new Error("no"), true);
  });
  harness.io.of((_name, _auth, next) => {
    asked.push("no");
    next(null, false);
  });
  harness.io.of(/^\/x$/).on("connection", () => asked.push("pattern"));
  harness.io.of((_name, _auth, next) => {
    asked.push("never");
    next(null, true);
  });
  const peer = harness.open().send("0/x,");
  await settled();
  expect(asked).toEqual(["error", "no", "pattern"]);
  expect(peer.take()).toEqual(['0/x,{"sid":"id1"}']);
});

test("a function that throws or rejects means no and is reported", async () => {
  const harness = new Harness();
  harness.io.of(() => {
    throw new Error("sync");
  });
  harness.io.of((async () => {
    await Promise.reject(new Error("async"));
  }) as never);
  const peer = harness.open().send("0/x,");
  await settled();
  expect(peer.take()).toEqual(['4/x,{"message":"Invalid namespace"}']);
  expect(harness.errors.map(({ context }) => context)).toEqual([
    { source: "namespace function", nsp: "/x" },
    { source: "namespace function", nsp: "/x" },
  ]);
});

test("a function is heard once", () => {
  const harness = new Harness();
  harness.io.of((_name, _auth, next) => {
    next(null, false);
    next(null, true);
  });
  expect(harness.open().send("0/x,").take()).toEqual(['4/x,{"message":"Invalid namespace"}']);
});

test("two clients that ask at the same time get one namespace", async () => {
  const harness = new Harness();
  harness.io.of((_name, _auth, next) => void Promise.resolve().then(() => next(null, true)));
  const seen = record(harness.io, "new_namespace");
  harness.open().send("0/x,");
  harness.open().send("0/x,");
  await settled();
  expect(seen).toHaveLength(1);
  expect(harness.io.of("/x").sockets.size).toBe(2);
});

test("a client that has left before the function answers is forgotten", async () => {
  const harness = new Harness();
  harness.io.of((_name, _auth, next) => void Promise.resolve().then(() => next(null, true)));
  const peer = harness.open().send("0/x,");
  peer.close();
  await settled();
  expect(harness.io.of("/x").sockets.size).toBe(0);
});

test("a listener of new_namespace that throws is reported", () => {
  const harness = new Harness();
  harness.io.on("new_namespace", () => {
    throw new Error("oops");
  });
  harness.io.of(/^\/x/);
  expect(harness.open().send("0/x,").take()).toEqual(['0/x,{"sid":"id1"}']);
  expect(harness.errors).toHaveLength(1);
});
