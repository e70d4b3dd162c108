import { expect, onTestFinished, test } from "vitest";
import type { ClusterMessage } from "../../src/adapter/cluster-messages.js";
import { MessageType } from "../../src/adapter/cluster-messages.js";
import { type Harness, settled } from "../harness.js";
import {
  type AdapterMaker,
  beating,
  Bus,
  type BusCluster,
  counted,
  delivered,
  HeartbeatAdapter,
  pendingOf,
  start,
  startCluster,
} from "./cluster-bus.js";

function adapterOf({ io }: Harness): HeartbeatAdapter {
  return io.sockets.adapter as unknown as HeartbeatAdapter;
}

function counts({ nodes }: BusCluster): Promise<number[]> {
  return Promise.all(nodes.map(({ io }) => io.sockets.adapter.serverCount()));
}

/** Moves all clocks by steps that are long enough for a heartbeat. */
async function pass(cluster: BusCluster, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    cluster.advance(1000);
    await settled();
  }
}

test("servers count each other, for as long as they are there (129, A13)", async () => {
  const cluster = await startCluster([beating, beating, beating]);
  expect(await counts(cluster)).toEqual([3, 3, 3]);
  await pass(cluster, 60_000);
  expect(await counts(cluster)).toEqual([3, 3, 3]);
  await cluster.node(2).io.sockets.adapter.close();
  await delivered();
  expect((await counts(cluster)).slice(0, 2)).toEqual([2, 2]);
});

test("a server that has just started counts the others right (129)", async () => {
  const cluster = await startCluster([beating, beating]);
  const late = start(cluster.bus, beating);
  cluster.node(0).join();
  const count = late.io.sockets.adapter.serverCount();
  const sockets = late.io.fetchSockets();
  const answers = late.io.serverSideEmitWithAck("who");
  for (const { io } of cluster.nodes) {
    io.on("who", (respond: (text: string) => void) => respond("here"));
  }
  await delivered();
  late.clock.advance(500);
  expect(await count).toBe(3);
  expect(await sockets).toHaveLength(1);
  expect(await answers).toEqual(["here", "here"]);
});

test("a server that falls silent is forgotten after the timeout, not before", async () => {
  const cluster = await startCluster([beating, beating]);
  adapterOf(cluster.node(1)).die();
  const count = () => cluster.node(0).io.sockets.adapter.serverCount();
  await pass(cluster, 9000);
  expect(await count()).toBe(2);
  await pass(cluster, 2000);
  expect(await count()).toBe(1);
});

test("the options set the times", async () => {
  const hasty: AdapterMaker = (nsp, bus) =>
    new HeartbeatAdapter(nsp, bus, { heartbeatInterval: 100, heartbeatTimeout: 300 });
  const bus = new Bus();
  const [{ clock, io }, other] = [start(bus, hasty), start(bus, hasty)];
  await delivered();
  clock.advance(100);
  expect(bus.messages.at(-1)).toMatchObject({ type: MessageType.HEARTBEAT });
  adapterOf(other).die();
  bus.messages.splice(0);
  clock.advance(199);
  expect(bus.messages).toMatchObject([{ type: MessageType.HEARTBEAT }]);
  clock.advance(1);
  expect(await io.sockets.adapter.serverCount()).toBe(2);
  clock.advance(61);
  expect(await io.sockets.adapter.serverCount()).toBe(1);
});

test.each([
  ["heartbeatInterval", 0],
  ["heartbeatTimeout", -1],
  ["heartbeatTimeout", Number.NaN],
  ["heartbeatInterval", "5000"],
])("the option %s cannot be %s", (option, value) => {
  const bus = new Bus();
  const make: AdapterMaker = (nsp) => new HeartbeatAdapter(nsp, bus, { [option]: value });
  expect(() => start(bus, make)).toThrow(
    expect.objectContaining({ code: "ERR_OPTION_VALUE", option }),
  );
});

test("requests do not wait for a server that leaves or dies (128)", async () => {
  const cluster = await startCluster([beating, beating, beating, beating]);
  const { io } = cluster.node(0);
  cluster.node(1).join();
  cluster.node(1).io.on("who", (respond: (text: string) => void) => respond("n1"));
  cluster.node(2).io.on("who", () => cluster.node(2).io.sockets.adapter.close());
  cluster.node(3).io.on("who", () => adapterOf(cluster.node(3)).die());
  await pass(cluster, 8000);
  const answers = io.serverSideEmitWithAck("who");
  await delivered();
  expect(pendingOf(cluster.node(0)).requests).toBe(1);
  adapterOf(cluster.node(0)).onMessage({ uid: uidOf(cluster.node(3)), nsp: "/", type: 13 });
  expect(await answers).toEqual(["n1"]);
  const dying = cluster.node(1);
  const sockets = io.timeout(20_000).fetchSockets();
  adapterOf(dying).die();
  await delivered();
  expect(pendingOf(cluster.node(0)).requests).toBe(1);
  await pass(cluster, 11_000);
  expect(await sockets).toEqual([]);
  expect(pendingOf(cluster.node(0))).toEqual({ requests: 0, acks: 0 });
});

test("what a server has sent before it left does not bring it back", async () => {
  const cluster = await startCluster([beating, beating]);
  const adapter = adapterOf(cluster.node(0));
  const { peer } = cluster.node(0).join();
  const uid = uidOf(cluster.node(1));
  adapter.onMessage({ uid, nsp: "/", type: MessageType.ADAPTER_CLOSE });
  const opts = { rooms: [], except: [], flags: {} };
  adapter.onMessage({
    uid,
    nsp: "/",
    type: MessageType.BROADCAST,
    data: { opts, packet: { type: 2, data: ["last words"] } },
  });
  expect(peer.take()).toEqual(['2["last words"]']);
  expect(await adapter.serverCount()).toBe(1);
  adapter.onMessage({ uid, nsp: "/", type: MessageType.INITIAL_HEARTBEAT });
  expect(await adapter.serverCount()).toBe(2);
});

test("programs that only send are no servers, and their messages count (131, A21)", async () => {
  const cluster = await startCluster([beating, beating]);
  const members = cluster.nodes.map((node) => node.join());
  const heard: unknown[] = [];
  for (const { io } of cluster.nodes) io.on("note", (text) => heard.push(text));
  const opts = { rooms: [], except: [], flags: {} };
  const send = (message: object) =>
    cluster.bus.publish({ uid: "emitter", nsp: "/", ...message } as ClusterMessage);
  await send({ type: 3, data: { opts, packet: { type: 2, data: ["hi"], nsp: "/" } } });
  await send({ type: 4, data: { opts, rooms: ["room"] } });
  await send({ type: 9, data: { packet: ["note", "outside"] } });
  await delivered();
  expect(members.map(({ peer }) => peer.take())).toEqual([['2["hi"]'], ['2["hi"]']]);
  expect(members.map(({ socket }) => socket.rooms.has("room"))).toEqual([true, true]);
  expect(heard).toEqual(["outside", "outside"]);
  expect(await counts(cluster)).toEqual([2, 2]);
});

test("close() releases everything, and nobody is answered any more", async () => {
  const cluster = await startCluster([beating, beating]);
  const { io, clock } = cluster.node(0);
  const answers = io.serverSideEmitWithAck("who");
  const failure = answers.then(
    () => undefined,
    (error: unknown) => error,
  );
  await delivered();
  await io.sockets.adapter.close();
  expect(await failure).toMatchObject({ code: "ERR_CLUSTER_CLOSED", responses: [] });
  expect(clock.pending).toBe(0);
  expect(cluster.bus.messages.at(-1)).toMatchObject({ type: MessageType.ADAPTER_CLOSE });
  cluster.bus.messages.splice(0);
  const message = { uid: "x", nsp: "/", type: MessageType.INITIAL_HEARTBEAT } as const;
  adapterOf(cluster.node(0)).onMessage(message);
  io.emit("after the end");
  await delivered();
  expect(cluster.bus.messages).toMatchObject([{ type: MessageType.BROADCAST }]);
  expect(clock.pending).toBe(0);
});

test("an adapter without our namespace has real timers, and does not keep the process", async () => {
  const bus = new Bus();
  const nsp = { name: "/", sockets: new Map(), server: { opts: {} } };
  const adapter = new HeartbeatAdapter(nsp as never, bus, { heartbeatInterval: 5 });
  onTestFinished(() => adapter.close());
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  adapter.init();
  const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  expect(after).toBe(before);
  while (bus.messages.length < 3) await settled();
  expect(bus.messages.map(({ type }) => type)).toEqual([1, 2, 2]);
});

/** Whatever reaches the broker. Left out is the order to disconnect everybody: it is complete. */
const GARBAGE: unknown[] = [
  undefined,
  null,
  1,
  "text",
  [],
  {},
  { uid: "x", nsp: "/" },
  { uid: "x", nsp: "/", type: 99 },
  { uid: "x", nsp: "/", type: "3" },
  { uid: "x", nsp: "/", type: "toString" },
  { uid: {}, nsp: "/", type: 2 },
  { uid: "x", nsp: 1, type: 2 },
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 12].flatMap((type) =>
    [
      undefined,
      null,
      "data",
      {},
      { opts: null, packet: null, requestId: 1, rooms: 1, sockets: 1 },
      { opts: { rooms: "room" }, packet: { type: 2, data: ["x"] }, requestId: "r", rooms: ["a"] },
      { opts: { rooms: [], except: 1 }, packet: { type: 2, data: ["x"] }, rooms: ["a"] },
      { opts: { rooms: [] }, packet: { type: 2, data: "x" }, rooms: "a" },
      { opts: { rooms: [] }, packet: { type: "2", data: ["x"] }, requestId: {} },
      { requestId: "nobody asked", packet: "x", sockets: [null], clientCount: -1 },
    ].map((data) => ({ uid: "x", nsp: "/", type, data })),
  ),
].filter((message) => !JSON.stringify(message)?.includes('"type":6,"data":{"opts":{"rooms":[]}'));

test.each([
  ["counted", counted],
  ["beating", beating],
])("a %s server ignores what is malformed (131)", async (_name, make) => {
  const cluster = await startCluster([make, make]);
  const { socket, peer } = cluster.node(0).join();
  const adapter = adapterOf(cluster.node(0));
  const heard: unknown[] = [];
  cluster.node(0).io.on("x", () => heard.push("x"));
  for (const message of GARBAGE) {
    adapter.onMessage(message as never, "0-1");
    adapter.onResponse(message as never);
  }
  await delivered();
  expect(socket.connected).toBe(true);
  expect([...socket.rooms]).toEqual([socket.id]);
  expect(peer.take()).toEqual([]);
  expect(heard).toEqual([]);
  expect(cluster.node(0).errors).toEqual([]);
});

test("messages of itself, and of other namespaces, are ignored (131)", async () => {
  const cluster = await startCluster([beating, beating]);
  const { peer } = cluster.node(0).join();
  const adapter = adapterOf(cluster.node(0));
  const data = { opts: { rooms: [], except: [], flags: {} }, packet: { type: 2, data: ["x"] } };
  adapter.onMessage({ uid: uidOf(cluster.node(0)), nsp: "/", type: 3, data });
  adapter.onMessage({ uid: "x", nsp: "/other", type: 3, data });
  expect(peer.take()).toEqual([]);
  expect(await adapter.serverCount()).toBe(2);
});

test("forged responses do not complete a request twice, or with nonsense", async () => {
  const cluster = await startCluster([beating, beating]);
  cluster.node(1).join();
  const adapter = adapterOf(cluster.node(0));
  const answers = cluster.node(0).io.timeout(1000).emitWithAck("question");
  const sockets = cluster.node(0).io.fetchSockets();
  await settled();
  for (const { data } of cluster.bus.messages as { data: { requestId: string } }[]) {
    const { requestId } = data;
    const forge = (type: number, more: object, uid: unknown = "x"): void =>
      adapter.onResponse({ uid, nsp: "/", type, data: { requestId, ...more } } as never);
    forge(11, { clientCount: Number.NaN });
    forge(11, { clientCount: 1.5 });
    forge(8, { sockets: [null, 1, {}, { id: "no rooms" }] });
    forge(10, { packet: "not a socket" });
    forge(8, { sockets: [{ id: "own", rooms: [] }] }, uidOf(cluster.node(0)));
  }
  await delivered();
  expect((await sockets).map(({ id }) => id)).toEqual([
    cluster.node(1).io.sockets.sockets.keys().next().value,
  ]);
  cluster.advance(1000);
  await expect(answers).rejects.toMatchObject({ responses: [] });
});

test("no more than ten thousand servers are remembered", async () => {
  const cluster = await startCluster([beating]);
  const adapter = adapterOf(cluster.node(0));
  for (let index = 0; index < 10_100; index++) {
    adapter.onMessage({ uid: `forged ${index}`, nsp: "/", type: MessageType.HEARTBEAT });
  }
  expect(await adapter.serverCount()).toBe(10_001);
});

function uidOf(node: Harness): string {
  return (node.io.sockets.adapter as unknown as { readonly uid: string }).uid;
}
