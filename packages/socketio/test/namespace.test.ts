import { expect, test } from "vitest";
import type { Namespace, Socket } from "../src/api.js";
import { Harness, noop, record, settled } from "./harness.js";

test("CONNECT is answered with the id (behaviour 74)", () => {
  const harness = new Harness();
  harness.io.of("/admin");
  const peer = harness.open().send("0", "0/admin,");
  expect(peer.take()).toEqual(['0{"sid":"id1"}', '0/admin,{"sid":"id2"}']);
});

test("connect comes before connection, both after the packet (behaviour 79)", () => {
  const harness = new Harness();
  const order: unknown[] = [];
  const peer = harness.open();
  harness.io.on("connection", (socket) => order.push("connection", socket.connected));
  harness.io.on("connect", () => order.push("connect", peer.received.length));
  peer.send("0");
  expect(order).toEqual(["connect", 1, "connection", true]);
});

test("a connection listener that throws is reported and the socket is connected (behaviour 79)", async () => {
  const harness = new Harness();
  const reached: string[] = [];
  harness.io.on("connect", () => {
    throw new Error("sync");
  });
  harness.io.on("connection", async () => {
    await Promise.reject(new Error("async"));
  });
  harness.io.on("connection", () => void reached.push("second"));
  const { socket } = harness.join();
  await settled();
  expect(socket.connected).toBe(true);
  expect(reached).toEqual(["second"]);
  expect(harness.errors.map(({ error, context }) => [String(error), context.source])).toEqual([
    ["Error: sync", "connection listener"],
    ["Error: async", "connection listener"],
  ]);
});

test("in a middleware the socket is not connected and in no namespace yet (behaviour 76)", () => {
  const harness = new Harness();
  const seen: unknown[] = [];
  harness.io.use((socket, next) => {
    seen.push(socket.connected, harness.io.sockets.sockets.size);
    void socket.join("early");
    next();
  });
  const { socket } = harness.join();
  expect(seen).toEqual([false, 0]);
  expect([...socket.rooms]).toEqual(["early", socket.id]);
});

test("what a middleware emits comes before the CONNECT packet (behaviour 76)", () => {
  const harness = new Harness();
  harness.io.use((socket, next) => {
    socket.emit("session", { id: "x" });
    next();
  });
  const peer = harness.open().send("0");
  expect(peer.take()).toEqual(['2["session",{"id":"x"}]', '0{"sid":"id1"}']);
});

test.each([
  [Object.assign(new Error("no"), { data: { code: 7 } }), '4{"message":"no","data":{"code":7}}'],
  [new Error("no"), '4{"message":"no"}'],
  ["text", '4{"message":"text"}'],
  [{ message: "plain", data: 0 }, '4{"message":"plain","data":0}'],
])("an error of a middleware is sent to the client (behaviour 77)", (error, packet) => {
  const harness = new Harness();
  let refused: Socket | undefined;
  harness.io.use((socket, next) => {
    void socket.join("early");
    refused = socket;
    next(error as Error);
  });
  const peer = harness.open().send("0");
  expect(peer.take()).toEqual([packet]);
  expect(peer.readyState).toBe("open");
  expect(harness.io.sockets.adapter.rooms.size).toBe(0);
  expect(refused?.connected).toBe(false);
  expect(harness.errors).toEqual([]);
});

test("a middleware that throws or rejects is an error for the client (behaviour 87)", async () => {
  const harness = new Harness();
  harness.io.of("/throws").use(() => {
    throw new Error("sync");
  });
  harness.io.of("/rejects").use(async () => {
    await Promise.reject(new Error("async"));
  });
  const peer = harness.open().send("0/throws,", "0/rejects,");
  await settled();
  expect(peer.take()).toEqual(['4/throws,{"message":"sync"}', '4/rejects,{"message":"async"}']);
  expect(harness.errors.map(({ context }) => [context.source, context.nsp])).toEqual([
    ["namespace middleware", "/throws"],
    ["namespace middleware", "/rejects"],
  ]);
});

test("an error whose data cannot be encoded still refuses", () => {
  const harness = new Harness();
  harness.io.use((_socket, next) => next(Object.assign(new Error("no"), { data: 1n })));
  const peer = harness.open().send("0");
  expect(peer.take()).toEqual(['4{"message":"no"}']);
  expect(harness.errors).toHaveLength(1);
});

test("a middleware that lets a client pass that has left is no problem", () => {
  const harness = new Harness();
  let pass: () => void = noop;
  harness.io.use((_socket, next) => {
    pass = next;
  });
  const seen = record(harness.io, "connection");
  const peer = harness.open().send("0");
  peer.close();
  pass();
  expect(seen).toEqual([]);
  expect(peer.take()).toEqual([]);
});

test("a socket is found by its id while its middlewares run", () => {
  const harness = new Harness();
  const ids: string[] = [];
  const nsp = harness.io.sockets as unknown as { _preConnectSockets: Map<string, Socket> };
  harness.io.use((_socket, next) => {
    ids.push(...nsp._preConnectSockets.keys());
    next();
  });
  harness.join();
  expect(ids).toEqual(["id1"]);
  expect(nsp._preConnectSockets.size).toBe(0);
});

test("a namespace emits to all of its sockets", () => {
  const harness = new Harness();
  const { peer } = harness.join();
  const other = harness.join().peer;
  harness.io.emit("a", 1);
  harness.io.send("b");
  harness.io.of("/").write("c");
  for (const each of [peer, other]) {
    expect(each.take()).toEqual(['2["a",1]', '2["message","b"]', '2["message","c"]']);
  }
});

test.each(["connect", "connection", "new_namespace", "handler_error"])(
  "%s cannot be emitted to other servers (N11)",
  (event) => {
    const { io } = new Harness();
    expect(() => io.serverSideEmit(event)).toThrow(`"${event}" is a reserved event name`);
  },
);

test("without other servers the acknowledgements of server-side events are none (Q11)", async () => {
  const { io } = new Harness();
  expect(await io.serverSideEmitWithAck("question")).toEqual([]);
  expect(io.serverSideEmit("event", 1)).toBe(true);
});

test("a server-side acknowledgement that fails carries the responses", async () => {
  const harness = new Harness();
  harness.io.sockets.adapter.serverSideEmit = (args) => {
    (args.at(-1) as (error: Error, responses: unknown[]) => void)(new Error("timeout"), [1]);
  };
  await expect(harness.io.serverSideEmitWithAck("question")).rejects.toMatchObject({
    message: "timeout",
    responses: [1],
  });
});

test("what another server emits is heard, reserved events are not", () => {
  const harness = new Harness();
  const seen = record(harness.io, "hello", "connection", "handler_error");
  const nsp = harness.io.sockets as unknown as { _onServerSideEmit(args: unknown[]): void };
  nsp._onServerSideEmit(["hello", 1]);
  nsp._onServerSideEmit(["connection", {}]);
  nsp._onServerSideEmit(["handler_error", {}]);
  nsp._onServerSideEmit([]);
  expect(seen).toEqual([["hello", 1]]);
});

test("an adapter that fails to start is reported", async () => {
  const harness = new Harness();
  class Failing extends (harness.io.adapter() as new (nsp: never) => object) {
    init(): Promise<void> {
      return Promise.reject(new Error("no broker"));
    }
  }
  harness.io.adapter(Failing as never);
  await settled();
  expect(harness.errors.map(({ context }) => context.source)).toEqual(["adapter"]);
});

test("an adapter may be made by a function of any kind", () => {
  const harness = new Harness();
  const Default = harness.io.adapter() as unknown as new (nsp: Namespace) => Namespace["adapter"];
  harness.io.adapter(((nsp: Namespace) => new Default(nsp)) as never);
  harness.io.adapter(function factory(nsp: Namespace) {
    return new Default(nsp);
  } as never);
  const { peer } = harness.join();
  harness.io.emit("a");
  expect(peer.take()).toEqual(['2["a"]']);
});
