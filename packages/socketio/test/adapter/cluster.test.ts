import {
  ClusterAdapterWithHeartbeat as Published,
  MessageType as PublishedType,
} from "socket.io-adapter";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type ClusterMessage,
  type ClusterResponse,
  MessageType,
} from "../../src/adapter/cluster-messages.js";
import type { Adapter, AdapterNamespace } from "../../src/adapter/contract.js";
import type { RemoteSocket } from "../../src/api.js";
import type { Harness } from "../harness.js";
import {
  type AdapterMaker,
  beating,
  Bus,
  counted,
  type CountedAdapter,
  delivered,
  pendingOf,
  startCluster,
} from "./cluster-bus.js";

/** The published class, on the same bus. */
class PublishedAdapter extends Published {
  readonly #bus: Bus;

  constructor(nsp: AdapterNamespace, bus: Bus) {
    super(nsp, {});
    this.#bus = bus;
    bus.listeners.add(this as never);
  }

  protected override doPublish(message: never): Promise<string> {
    return this.#bus.publish(message);
  }

  protected override doPublishResponse(_uid: never, response: never): Promise<void> {
    return this.#bus.respond(response);
  }
}

const published: AdapterMaker = (nsp, bus) => new PublishedAdapter(nsp, bus);

const CLUSTERS: [name: string, makers: AdapterMaker[]][] = [
  ["counted servers", [counted, counted, counted]],
  ["servers with heartbeats", [beating, beating, beating]],
  ["the published class", [published, published, published]],
  ["ours asks the published class", [beating, published, published]],
  ["the published class asks ours", [published, beating, beating]],
];

/** Answers every question with a text. */
function answer(peer: ReturnType<Harness["join"]>["peer"], text: string): void {
  for (const message of peer.take()) {
    const packet = String(message);
    peer.send(`3${packet.slice(1, packet.indexOf("["))}["${text}"]`);
  }
}

describe.each(CLUSTERS)("%s", (_name, makers) => {
  test("broadcasts reach the sockets of all servers, local ones do not (112, 131, A12)", async () => {
    const { nodes, node } = await startCluster(makers);
    const members = nodes.map((each) => each.join());
    const [first, second, third] = members.map(({ socket }) => socket);
    void first?.join("room");
    void third?.join("room");
    const { io } = node(0);
    io.emit("all");
    io.to("room").emit("room");
    io.except("room").emit("rest");
    io.to([second?.id ?? "", "room"])
      .except(first?.id ?? "")
      .emit("some");
    first?.broadcast.emit("others");
    io.local.emit("here");
    await delivered();
    expect(members.map(({ peer }) => peer.take())).toEqual([
      ['2["all"]', '2["room"]', '2["here"]'],
      ['2["all"]', '2["rest"]', '2["some"]', '2["others"]'],
      ['2["all"]', '2["room"]', '2["some"]', '2["others"]'],
    ]);
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
  });

  test("namespaces are kept apart (131)", async () => {
    const { nodes, node } = await startCluster(makers);
    for (const { io } of nodes) io.of("/side");
    await delivered();
    const main = node(1).join();
    const side = node(1).join("/side");
    node(0).io.of("/side").emit("side");
    node(0).io.emit("main");
    await delivered();
    expect([main.peer.take(), side.peer.take()]).toEqual([['2["main"]'], ['2/side,["side"]']]);
  });

  test("the responses of all servers are collected, and nothing is left (113, 115)", async () => {
    const cluster = await startCluster(makers);
    const members = cluster.nodes.map((each) => each.join());
    const answers = cluster.node(0).io.timeout(100).emitWithAck("question");
    await delivered();
    for (const [index, { peer }] of members.entries()) answer(peer, `n${index}`);
    await delivered();
    expect(((await answers) as string[]).toSorted()).toEqual(["n0", "n1", "n2"]);
    const late = cluster.node(0).io.timeout(100).emitWithAck("question");
    await delivered();
    answer(members[2]?.peer as never, "only one");
    await delivered();
    cluster.advance(100);
    await expect(late).rejects.toMatchObject({ responses: ["only one"] });
    await vi.waitFor(() => expect(pendingOf(cluster.node(0)).acks).toBe(0));
  });

  test("sockets are fetched, moved and disconnected on all servers (130)", async () => {
    const { nodes, node } = await startCluster(makers);
    const [near, , far] = nodes.map((each) => each.join());
    if (near === undefined || far === undefined) throw new Error("three servers are needed");
    far.socket.data = { user: "far" };
    void far.socket.join("a");
    const [found] = (await node(0).io.in("a").fetchSockets()) as RemoteSocket<never, unknown>[];
    expect(found).toMatchObject({ id: far.socket.id, data: { user: "far" } });
    expect(found?.rooms).toEqual(new Set([far.socket.id, "a"]));
    expect(found?.handshake).toEqual(far.socket.handshake);
    expect((await node(0).io.fetchSockets()).map(({ id }) => id)).toHaveLength(3);
    expect(await node(0).io.local.fetchSockets()).toEqual([near.socket]);
    node(0).io.in("a").socketsJoin(["b", "c"]);
    node(0).io.socketsLeave("b");
    found?.join("d");
    await delivered();
    expect([...far.socket.rooms]).toEqual([far.socket.id, "a", "c", "d"]);
    node(0).io.in("c").disconnectSockets();
    await delivered();
    expect(far.peer.take()).toEqual(["1"]);
    expect(near.socket.connected).toBe(true);
    expect(pendingOf(node(0)).requests).toBe(0);
  });

  test("server-side events reach the other servers alone, with answers of all (127)", async () => {
    const { nodes, node } = await startCluster(makers);
    const heard: string[] = [];
    for (const [index, { io }] of nodes.entries()) {
      io.on("note", (text: string) => heard.push(`${index} ${text}`));
      io.on("who", (name: string, respond: (text: string) => void) => {
        respond(`${index} for ${name}`);
        respond("again");
      });
    }
    node(0).io.serverSideEmit("note", "hi");
    const answers = (await node(0).io.serverSideEmitWithAck("who", "me")) as string[];
    expect(heard).toEqual(["1 hi", "2 hi"]);
    expect(answers.toSorted()).toEqual(["1 for me", "2 for me"]);
  });
});

/** The texts of the published class, and the partial answers. */
const TIMEOUTS: [name: string, make: AdapterMaker, text: string][] = [
  ["counted", counted, "timeout reached: only 1 responses received out of 2"],
  ["beating", beating, "timeout reached: missing 1 responses"],
];

test.each(TIMEOUTS)("a silent %s server ends in an error (128)", async (_name, make, text) => {
  const cluster = await startCluster([make, make, make]);
  const { io } = cluster.node(0);
  cluster.node(1).io.on("who", (respond: (text: string) => void) => respond("n1"));
  cluster.node(2).io.on("who", () => {});
  const answers = io.serverSideEmitWithAck("who");
  await delivered();
  expect(pendingOf(cluster.node(0)).requests).toBe(1);
  cluster.node(0).clock.advance(4999);
  await delivered();
  expect(pendingOf(cluster.node(0)).requests).toBe(1);
  cluster.node(0).clock.advance(1);
  await expect(answers).rejects.toMatchObject({
    message: text,
    code: "ERR_CLUSTER_TIMEOUT",
    responses: ["n1"],
  });
  const silent = cluster.node(2).io.sockets.adapter as CountedAdapter;
  const take = silent.onMessage.bind(silent);
  silent.onMessage = (message: ClusterMessage) => {
    if (message.type !== MessageType.FETCH_SOCKETS) take(message);
  };
  cluster.node(1).join();
  const sockets = io.timeout(300).fetchSockets();
  await delivered();
  cluster.node(0).clock.advance(300);
  await expect(sockets).rejects.toMatchObject({ message: text, responses: [{ data: {} }] });
  expect(pendingOf(cluster.node(0))).toEqual({ requests: 0, acks: 0 });
});

test("nobody is waited for when there is no other server (127)", async () => {
  const { bus, node } = await startCluster([beating]);
  const { socket } = node(0).join();
  expect(await node(0).io.serverSideEmitWithAck("who")).toEqual([]);
  expect(await node(0).io.fetchSockets()).toEqual([socket]);
  expect(bus.messages).toEqual([]);
});

test("of several answers of one server the first counts (128)", async () => {
  const { bus, node } = await startCluster([counted, counted, counted]);
  const answers = node(0).io.serverSideEmitWithAck("who");
  await delivered();
  const [question] = bus.messages as { data: { requestId: string } }[];
  const requestId = question?.data.requestId ?? "";
  const adapter = node(0).io.sockets.adapter as CountedAdapter;
  const respond = (uid: string | undefined, packet: string): void =>
    adapter.onResponse({ uid, nsp: "/", type: 10, data: { requestId, packet } } as ClusterResponse);
  respond("x", "first");
  respond("x", "second");
  // The answer to another kind of question.
  adapter.onResponse({ uid: "y", nsp: "/", type: 8, data: { requestId, sockets: [] } });
  respond(undefined, "without a name");
  expect(await answers).toEqual(["first", "without a name"]);
});

test("clients that do not answer another server are forgotten when it stops to wait (115)", async () => {
  const cluster = await startCluster([counted, counted]);
  const { socket, peer } = cluster.node(1).join();
  const quick = cluster.node(0).io.timeout(1000).emitWithAck("question");
  await delivered();
  expect(socket.acks.size).toBe(1);
  answer(peer, "yes");
  await delivered();
  expect(await quick).toEqual(["yes"]);
  // Nothing waits that could be forgotten: only the look at the broker, which is the last one.
  cluster.node(1).clock.advance(5000);
  expect(cluster.node(1).clock.pending).toBe(0);
  const slow = cluster.node(0).io.timeout(1000).emitWithAck("question");
  await delivered();
  cluster.advance(1000);
  await expect(slow).rejects.toThrow("operation has timed out");
  expect(socket.acks.size).toBe(0);
});

test("a callback that throws harms nobody, and is reported", async () => {
  const cluster = await startCluster([counted, counted]);
  cluster.node(1).io.on("who", (respond: (text: string) => void) => respond("n1"));
  cluster.node(0).io.serverSideEmit("who", () => {
    throw new Error("mine");
  });
  await delivered();
  expect(cluster.node(0).errors).toMatchObject([
    { error: { message: "mine" }, context: { source: "acknowledgement" } },
  ]);
  expect(pendingOf(cluster.node(0)).requests).toBe(0);
});

test("close() ends what is pending, and later messages are ignored", async () => {
  const cluster = await startCluster([counted, counted]);
  const { io, clock } = cluster.node(0);
  const { peer } = cluster.node(0).join();
  const { adapter } = io.sockets;
  const answers = io.serverSideEmitWithAck("who");
  const acks = io.timeout(1000).emitWithAck("question");
  await delivered();
  expect(pendingOf(cluster.node(0))).toEqual({ requests: 1, acks: 1 });
  await adapter.close();
  await expect(answers).rejects.toMatchObject({ code: "ERR_CLUSTER_CLOSED", responses: [] });
  expect(pendingOf(cluster.node(0))).toEqual({ requests: 0, acks: 0 });
  peer.take();
  const [message] = cluster.bus.messages;
  (adapter as CountedAdapter).onMessage({ ...message, uid: "x" } as ClusterMessage);
  expect(peer.take()).toEqual([]);
  clock.advance(1000);
  await expect(acks).rejects.toThrow("operation has timed out");
  expect(clock.pending).toBe(0);
});

test("the numbers of the messages are those of the published class (A14)", () => {
  const numbers = Object.entries(PublishedType).filter(([name]) => Number.isNaN(Number(name)));
  expect(Object.entries(MessageType)).toEqual(numbers);
});

/** Has an adapter publish everything that it can; ids differ from one to the other. */
async function publications(make: AdapterMaker): Promise<unknown[]> {
  const bus = new Bus();
  const encoder = { encode: () => ["text"] };
  const bare = { name: "/", _ids: 0, sockets: new Map(), server: { encoder, opts: {} } };
  const adapter = make(bare as never, bus) as Adapter & CountedAdapter;
  onTestFinished(() => adapter.close());
  const options = { rooms: new Set(["a"]), except: new Set(["b"]), flags: { timeout: 1000 } };
  const packet = () => ({ type: 2, data: ["event", 1] });
  adapter.onMessage({ uid: "other", nsp: "/", type: MessageType.INITIAL_HEARTBEAT });
  adapter.broadcast(packet(), options);
  adapter.broadcastWithAck(packet(), options, vi.fn<() => void>(), vi.fn<() => void>());
  adapter.addSockets(options, ["c"]);
  adapter.delSockets(options, ["c"]);
  adapter.disconnectSockets(options, true);
  adapter.serverSideEmit(["event", 1]);
  adapter.serverSideEmit(["event", 1, () => {}]);
  const failure = adapter.fetchSockets(options).catch(() => {});
  await delivered();
  await adapter.close();
  adapter.onMessage({ uid: "other", nsp: "/", type: MessageType.ADAPTER_CLOSE });
  await failure;
  const text = JSON.stringify(bus.messages).replaceAll(/[0-9a-f]{16}/g, "<id>");
  return JSON.parse(text) as unknown[];
}

test("the messages are those of the published class, name by name (A15)", async () => {
  const ours = await publications(beating);
  expect(ours).toHaveLength(10);
  expect(ours).toEqual(await publications(published));
});
