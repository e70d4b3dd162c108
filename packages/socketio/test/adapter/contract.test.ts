import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import { expect, test } from "vitest";
import { Adapter as OwnAdapter } from "../../src/adapter/in-memory.js";
import type { AdapterConstructor } from "../../src/adapter/contract.js";
import { Harness, record, settled } from "../harness.js";

// Adapters that others have published extend the classes of `socket.io-adapter`. Whatever is seen
// of a namespace has to be the same with our adapter and with theirs.
const ADAPTERS: [name: string, adapter: AdapterConstructor][] = [
  ["our adapter", OwnAdapter],
  ["the class of socket.io-adapter", Adapter],
  [
    "a factory",
    function factory(nsp) {
      return new Adapter(nsp);
    },
  ],
  ["the session-aware class of socket.io-adapter", SessionAwareAdapter],
];

function make(adapter: AdapterConstructor): Harness {
  return new Harness({ adapter, connectionStateRecovery: {} });
}

/** The events of a client, without the offset that session-aware adapters append. */
function names(messages: (string | Buffer)[]): unknown[] {
  return messages.map((message) => /"(?<name>[^"]*)"/.exec(String(message))?.groups?.["name"]);
}

test.each(ADAPTERS)("%s broadcasts to rooms", (_name, adapter) => {
  const harness = make(adapter);
  const [a, b, c] = [harness.join(), harness.join(), harness.join()];
  void a.socket.join(["x", "y"]);
  void b.socket.join("x");
  harness.io.emit("all");
  harness.io.to(["x", "y"]).emit("room");
  b.socket.to("x").emit("others");
  harness.io.except("x").emit("rest");
  void a.socket.leave("x");
  harness.io.in("x").compress(false).emit("left");
  expect([a, b, c].map(({ peer }) => names(peer.take()))).toEqual([
    ["all", "room", "others"],
    ["all", "room", "left"],
    ["all", "rest"],
  ]);
  expect(harness.errors).toEqual([]);
});

test.each(ADAPTERS)("%s calls the outgoing catch-all listeners", (_name, adapter) => {
  const harness = make(adapter);
  const { socket } = harness.join();
  const seen: unknown[] = [];
  socket.onAnyOutgoing((...args: unknown[]) => seen.push(args[0], args[1]));
  harness.io.emit("a", 1);
  expect(seen).toEqual(["a", 1]);
});

test.each(ADAPTERS)("%s collects responses", async (_name, adapter) => {
  const harness = make(adapter);
  const [a, b] = [harness.join(), harness.join()];
  const answers = harness.io.timeout(1000).emitWithAck("question");
  await settled();
  a.peer.send('30["a"]');
  b.peer.send('30["b"]');
  expect(await answers).toEqual(["a", "b"]);
});

test.each(ADAPTERS)("%s selects, moves and disconnects sockets", async (_name, adapter) => {
  const harness = make(adapter);
  const [a, b] = [harness.join(), harness.join()];
  harness.io.in(a.socket.id).socketsJoin(["x", "y"]);
  harness.io.in("x").socketsLeave("y");
  expect([...a.socket.rooms]).toEqual([a.socket.id, "x"]);
  expect(await harness.io.in("x").fetchSockets()).toEqual([a.socket]);
  expect(await harness.io.in("x").allSockets()).toEqual(new Set([a.socket.id]));
  harness.io.in("x").disconnectSockets();
  expect([a.socket.connected, b.socket.connected]).toEqual([false, true]);
  expect(a.peer.take()).toEqual(["1"]);
});

test.each(ADAPTERS)("%s tells which rooms come and go", (_name, adapter) => {
  const harness = make(adapter);
  const events = record(
    harness.io.sockets.adapter,
    "create-room",
    "join-room",
    "leave-room",
    "delete-room",
  );
  const { peer, socket } = harness.join();
  void socket.join("x");
  peer.close();
  expect(events).toEqual([
    ["create-room", socket.id],
    ["join-room", socket.id, socket.id],
    ["create-room", "x"],
    ["join-room", "x", socket.id],
    ["leave-room", socket.id, socket.id],
    ["delete-room", socket.id],
    ["leave-room", "x", socket.id],
    ["delete-room", "x"],
  ]);
  expect(harness.io.sockets.adapter.rooms.size).toBe(0);
});

test.each(ADAPTERS)("%s drops volatile packets for busy transports", (_name, adapter) => {
  const harness = make(adapter);
  const { peer } = harness.join();
  peer.pause();
  harness.io.volatile.emit("dropped");
  peer.resume();
  expect(peer.take()).toEqual([]);
});

test.each(ADAPTERS)("%s serves namespaces of its own for patterns", (_name, adapter) => {
  const harness = make(adapter);
  const parent = harness.io.of(/^\/dynamic-/);
  const peer = harness.open().send("0/dynamic-1,");
  peer.take();
  parent.emit("direct");
  parent.to([]).emit("adapter");
  expect(names(peer.take())).toEqual(["direct", "adapter"]);
});

test("the frame that the class of socket.io-adapter makes goes to the engine", () => {
  const harness = make(Adapter);
  const { peer } = harness.join();
  harness.io.emit("a");
  const options = peer.written.at(-1)?.options as { wsPreEncodedFrame: Buffer[] };
  // Text frame, final, 7 bytes: the packet type of Engine.IO and the packet.
  expect(Buffer.concat(options.wsPreEncodedFrame).toString("latin1")).toBe('\x81\x0742["a"]');
});
