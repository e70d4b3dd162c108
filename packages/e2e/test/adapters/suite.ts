// oxlint-disable vitest/expect-expect -- the assertions are in expectAt, expectFound and eventually
import { isDeepStrictEqual } from "node:util";
import type { Socket } from "socket.io-client";
import { beforeEach, describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import {
  acquainted,
  type Cluster,
  eventually,
  type Kit,
  type NodeKind,
  useCluster,
} from "./cluster.js";
import { type Crowd, emptied, gather, namesOf } from "./crowd.js";
import type { Collected, Target } from "./host.js";
import { PollingClient } from "./polling-client.js";

/** Longer than any answer takes. Where all answer nobody waits for it. */
const LONG_MS = 15_000;
/** How long a broadcast waits for an answer that never comes; more is tried when others are slow. */
const SHORT_MS = [100, 1000, 5000] as const;

/** Rooms whose names an adapter may stumble over. */
const ODD_ROOMS = ["42", "a#b", "room with spaces", "räume/ü", "*", "x".repeat(20)];

/** Counts the tests. */
let round = 0;

/**
 * The name of a room in this test alone. The sharded adapter loses a room that is left and joined
 * again before Redis has answered: `redis` takes the new subscription for the old one.
 */
function r(room: string): string {
  return `${room} ${round}`;
}

/**
 * Tests everything that servers do through an adapter. The first server gives the commands, and the
 * clients are at all of them.
 */
export function adapterSuite(kit: Kit, kinds: readonly NodeKind[]): void {
  describe(`${kit.name}: ${kinds.join(", ")}`, () => {
    const cluster = useCluster(kit, kinds);
    beforeEach(() => {
      round++;
    });
    broadcastTests(cluster);
    payloadTests(cluster);
    roomTests(cluster);
    socketTests(cluster);
    acknowledgementTests(cluster);
    serverSideTests(cluster);
    namespaceTests(cluster);
  });
}

function broadcastTests(cluster: () => Cluster): void {
  test("a broadcast reaches the clients of all servers once", async () => {
    const crowd = await gather(cluster());
    await crowd.expectAt([0, 1, 2, 3], ["hello", 1, "two", null], () =>
      crowd.first.call("emit", {}, "hello", 1, "two", null),
    );
    await crowd.expectAt([0, 1, 2, 3], ["hello"], () => crowd.second.call("emit", {}, "hello"));
    await crowd.expectAt([0, 1, 2, 3], ["hello"], () =>
      crowd.first.call("emit", { compress: true }, "hello"),
    );
  });

  test("a broadcast to rooms reaches each of their members once", async () => {
    const crowd = await gatherInRooms(cluster());
    const emitTo = (to: string | string[]) => () => crowd.first.call("emit", { to }, "hi");
    await crowd.expectAt([0, 2], ["hi"], emitTo(r("a")));
    await crowd.expectAt([2, 3], ["hi"], emitTo(r("b")));
    await crowd.expectAt([0, 2, 3], ["hi"], emitTo([r("a"), r("b")]));
    await crowd.expectAt([3], ["hi"], emitTo(r("only there")));
    await crowd.expectAt([], ["hi"], emitTo(r("nobody")));
  });

  test("a broadcast to the id of a socket of another server reaches that socket", async () => {
    const crowd = await gather(cluster());
    for (const index of [1, 2, 3]) {
      await crowd.expectAt([index], ["hi"], () =>
        crowd.first.call("emit", { to: crowd.id(index) }, "hi"),
      );
    }
  });

  test("a broadcast leaves out rooms and ids", async () => {
    const crowd = await gatherInRooms(cluster());
    const emitTo = (target: Target) => () => crowd.first.call("emit", target, "hi");
    await crowd.expectAt([1, 3], ["hi"], emitTo({ except: r("a") }));
    await crowd.expectAt([1], ["hi"], emitTo({ except: [r("a"), r("b")] }));
    await crowd.expectAt([0], ["hi"], emitTo({ to: r("a"), except: r("b") }));
    await crowd.expectAt([0, 1, 2], ["hi"], emitTo({ except: crowd.id(3) }));
  });

  test("a broadcast of a socket leaves out this socket", async () => {
    const crowd = await gatherInRooms(cluster());
    const from = crowd.id(0);
    const emitTo = (target: Target) => () => crowd.first.call("emit", { ...target, from }, "hi");
    await crowd.expectAt([1, 2, 3], ["hi"], emitTo({}));
    await crowd.expectAt([2], ["hi"], emitTo({ to: r("a") }));
    await crowd.expectAt([2, 3], ["hi"], emitTo({ to: [r("a"), r("b")] }));
    await crowd.expectAt([1, 3], ["hi"], emitTo({ except: r("a") }));
  });

  test("a local broadcast stays on its server", async () => {
    const crowd = await gatherInRooms(cluster());
    const emitTo = (target: Target) => () =>
      crowd.first.call("emit", { ...target, local: true }, "hi");
    await crowd.expectAt([0, 1], ["hi"], emitTo({}));
    await crowd.expectAt([0], ["hi"], emitTo({ to: r("a") }));
    await crowd.expectAt([1], ["hi"], emitTo({ except: r("a") }));
  });

  test("a volatile broadcast reaches the clients of all servers that can take it", async () => {
    const crowd = await gather(cluster());
    await crowd.expectAt([0, 1, 2, 3], ["hi", 1], () =>
      crowd.first.call("emit", { volatile: true }, "hi", 1),
    );
    // Clients that do not ask for packets at the moment, at each of the servers.
    const busy = await Promise.all(crowd.nodes.map(({ port }) => PollingClient.connect(port)));
    await crowd.expectAt([0, 1, 2, 3], ["lost"], () =>
      crowd.first.call("emit", { volatile: true }, "lost"),
    );
    await crowd.expectAt([0, 1, 2, 3], ["kept"], () => crowd.first.call("emit", {}, "kept"));
    for (const client of busy) {
      const packets = await client.poll();
      expect(packets).toContain('42["kept"]');
      expect(packets).not.toContain('42["lost"]');
    }
  });
}

function payloadTests(cluster: () => Cluster): void {
  test("bytes arrive as bytes", async () => {
    const crowd = await gatherInRooms(cluster());
    const bytes = Buffer.from([0, 1, 127, 128, 255]);
    const args = [{ deep: [bytes, "text"], other: Buffer.from("x") }, Buffer.alloc(0), 1];
    await crowd.expectAt([0, 1, 2, 3], ["bytes", ...args], () =>
      crowd.first.call("emit", {}, "bytes", ...args),
    );
    await crowd.expectAt([0, 2], ["bytes", bytes], () =>
      crowd.first.call("emit", { to: r("a") }, "bytes", bytes),
    );
  });

  test("long payloads and payloads beyond ASCII arrive whole", async () => {
    const crowd = await gather(cluster());
    const long = "0123456789".repeat(3000);
    const args = [long, "🙂 ü ű \u2028 \0", { "": [[[]]], key: { nested: true } }, -1.5];
    await crowd.expectAt([0, 1, 2, 3], ["long", ...args], () =>
      crowd.first.call("emit", {}, "long", ...args),
    );
    // More than fits into a notification of PostgreSQL.
    const bytes = Buffer.alloc(9000, 7);
    await crowd.expectAt([0, 1, 2, 3], ["long", bytes], () =>
      crowd.first.call("emit", {}, "long", bytes),
    );
  });

  test("broadcasts of one server keep their order", async () => {
    const crowd = await gather(cluster());
    const numbers = Array.from({ length: 50 }, (...[, index]) => index);
    await Promise.all(numbers.map((number) => crowd.first.call("emit", {}, "number", number)));
    for (const { got } of crowd.members) {
      await eventually(
        () => got.filter(([event]) => event === "number").map(([, number]) => number),
        numbers,
      );
    }
  });
}

function roomTests(cluster: () => Cluster): void {
  test("sockets of all servers join and leave rooms", async () => {
    const { crowd, first } = await commanded(cluster(), gatherInRooms);
    const rooms = { to: r("new") };
    await first("socketsJoin", { to: r("a") }, r("new"));
    await crowd.expectFound([0, 2], rooms);
    await cluster().roomReady({ nsp: "/", room: r("new") }, 2);
    await crowd.expectAt([0, 2], ["hi"], () => first("emit", rooms, "hi"));
    await first("socketsJoin", { except: r("a") }, [r("new"), r("second")]);
    await crowd.expectFound([0, 1, 2, 3], rooms);
    await crowd.expectFound([1, 3], { to: r("second") });
    await first("socketsLeave", { to: r("b") }, [r("new"), r("second")]);
    await crowd.expectFound([0, 1], rooms);
    await crowd.expectFound([1], { to: r("second") });
    await crowd.expectAt([0, 1], ["hi"], () => first("emit", rooms, "hi"));
    await first("socketsLeave", {}, r("new"));
    await crowd.expectFound([], rooms);
    await crowd.expectAt([], ["hi"], () => first("emit", rooms, "hi"));
  });

  test("one socket of another server joins and leaves a room", async () => {
    const { crowd, first } = await commanded(cluster());
    await first("socketsJoin", { to: crowd.id(3) }, r("new"));
    await crowd.expectFound([3], { to: r("new") });
    await cluster().roomReady({ nsp: "/", room: r("new") }, 1);
    await crowd.expectAt([3], ["hi"], () => first("emit", { to: r("new") }, "hi"));
    await first("socketsLeave", { to: crowd.id(3) }, r("new"));
    await crowd.expectFound([], { to: r("new") });
  });

  test("only local sockets join and leave rooms when told so", async () => {
    const { crowd, first } = await commanded(cluster());
    await first("socketsJoin", { local: true }, r("new"));
    await crowd.expectFound([0, 1], { to: r("new") });
    await first("socketsJoin", {}, r("new"));
    await crowd.expectFound([0, 1, 2, 3], { to: r("new") });
    await first("socketsLeave", { local: true }, r("new"));
    await crowd.expectFound([2, 3], { to: r("new") });
  });

  test("rooms come and go with their members", async () => {
    const { crowd, first } = await commanded(cluster());
    for (const room of ODD_ROOMS) {
      await first("socketsJoin", { to: crowd.id(2) }, room);
      await crowd.expectFound([2], { to: room });
      await cluster().roomReady({ nsp: "/", room }, 1);
      await crowd.expectAt([2], ["hi", room], () => first("emit", { to: room }, "hi", room));
    }
    await crowd.second.call("leave", { from: crowd.id(2) }, "42");
    await cluster().roomReady({ nsp: "/", room: "42" }, 0);
    await crowd.expectAt([], ["hi"], () => first("emit", { to: "42" }, "hi"));
    crowd.member(2).client.disconnect();
    for (const room of ODD_ROOMS) {
      await crowd.expectFound([], { to: room });
      await cluster().roomReady({ nsp: "/", room }, 0);
    }
    expect(await crowd.second.call("localRooms", "/")).not.toContain("a#b");
  });
}

function socketTests(cluster: () => Cluster): void {
  test("the sockets of all servers are described with data, rooms and handshake", async () => {
    const crowd = await gatherInRooms(cluster());
    const sockets = await crowd.first.call("fetchSockets", {});
    const own = [[r("a")], [], [r("a"), r("b")], [r("b"), r("only there")]];
    const expected = crowd.members.map(({ name }, index) => ({
      id: crowd.id(index),
      data: { name, nested: { list: [1, "two", null] } },
      rooms: [crowd.id(index), ...(own[index] ?? [])].toSorted(),
      auth: { name, rooms: own[index] },
    }));
    const byName = sockets
      .map((socket) => ({ ...socket, rooms: socket.rooms.toSorted() }))
      .toSorted((one, other) => (namesOf([one]) < namesOf([other]) ? -1 : 1));
    expect(byName).toEqual(expected);
  });

  test("sockets are found by room, without a room, and on one server", async () => {
    const crowd = await gatherInRooms(cluster());
    const find = async (target: Target) => namesOf(await crowd.first.call("fetchSockets", target));
    expect(await find({ to: r("b") })).toEqual(["m2", "m3"]);
    expect(await find({ to: [r("a"), r("b")] })).toEqual(["m0", "m2", "m3"]);
    expect(await find({ except: r("a") })).toEqual(["m1", "m3"]);
    expect(await find({ to: r("b"), except: r("a") })).toEqual(["m3"]);
    expect(await find({ to: crowd.id(3) })).toEqual(["m3"]);
    expect(await find({ to: r("nobody") })).toEqual([]);
    expect(await find({ local: true })).toEqual(["m0", "m1"]);
  });

  test("a described socket is emitted to, asked, moved and disconnected", async () => {
    const { crowd, first } = await commanded(cluster());
    const target = { to: crowd.id(2) };
    await crowd.expectAt([2], ["hi", 1], () => first("remoteEmit", target, "hi", 1));
    expect(await first("remoteEmitWithAck", target, "question", [])).toEqual({ responses: "m2" });
    await first("remoteJoin", target, [r("new"), r("newer")]);
    await crowd.expectFound([2], { to: r("newer") });
    await first("remoteLeave", target, r("newer"));
    await crowd.expectFound([], { to: r("newer") });
    await crowd.expectFound([2], { to: r("new") });
    await first("remoteDisconnect", target);
    await eventually(() => connected(crowd), [true, true, false, true]);
  });

  test("selected sockets of all servers are disconnected, their connections stay", async () => {
    const { crowd, first } = await commanded(cluster(), gatherInRooms);
    const others = await joinSide(crowd);
    const reasons = disconnectReasons(crowd);
    await first("disconnectSockets", { to: r("a") });
    await eventually(() => connected(crowd), [false, true, false, true]);
    await crowd.settled();
    expect(connected(crowd)).toEqual([false, true, false, true]);
    expect(reasons).toEqual(["io server disconnect", "io server disconnect"]);
    await crowd.expectFound([1, 3]);
    expect(others.map((client) => client.connected)).toEqual([true, true, true, true]);
  });

  test("selected sockets of all servers are disconnected with their connections", async () => {
    const { crowd, first } = await commanded(cluster(), gatherInRooms);
    const others = await joinSide(crowd);
    await first("disconnectSockets", { except: r("a") }, true);
    await eventually(() => connected(crowd), [true, false, true, false]);
    await eventually(() => others.map((client) => client.connected), [true, false, true, false]);
  });

  test("only local sockets are disconnected when told so", async () => {
    const { crowd, first } = await commanded(cluster());
    await first("disconnectSockets", { local: true });
    await eventually(() => connected(crowd), [false, false, true, true]);
    await crowd.settled();
    expect(connected(crowd)).toEqual([false, false, true, true]);
  });
}

function acknowledgementTests(cluster: () => Cluster): void {
  test("a broadcast collects the answers of the clients of all servers", async () => {
    const { crowd, first } = await commanded(cluster(), gatherInRooms);
    const ask = async (target: Target) =>
      sorted(await first("emitWithAck", { timeout: LONG_MS, ...target }, "question", []));
    expect(await ask({})).toEqual({ responses: ["m0", "m1", "m2", "m3"] });
    expect(await ask({ to: r("b") })).toEqual({ responses: ["m2", "m3"] });
    expect(await ask({ except: r("a") })).toEqual({ responses: ["m1", "m3"] });
    expect(await ask({ from: crowd.id(0) })).toEqual({ responses: ["m1", "m2", "m3"] });
    expect(await ask({ to: r("nobody") })).toEqual({ responses: [] });
    const called = await first("emitWithCallback", { timeout: LONG_MS }, "question", []);
    expect(sorted(called)).toEqual({ responses: ["m0", "m1", "m2", "m3"] });
  });

  test("answers with bytes are collected", async () => {
    const { first } = await commanded(cluster());
    const { responses } = await first("emitWithAck", { timeout: LONG_MS }, "binary question");
    const answers = responses as { readonly name: string; readonly bytes: Uint8Array }[];
    const texts = answers.map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString()}`);
    expect(texts.toSorted()).toEqual(["m0 m0", "m1 m1", "m2 m2", "m3 m3"]);
  });

  test("a question with bytes reaches the clients of all servers", async () => {
    const { crowd, first } = await commanded(cluster());
    const bytes = Buffer.from([1, 2, 255]);
    for (const { client } of crowd.members) {
      client.on("echo", (value: unknown, answer: (value: unknown) => void) => answer(value));
    }
    const { responses } = await first("emitWithAck", { timeout: LONG_MS }, "echo", bytes);
    const echoes = (responses as Uint8Array[]).map((each) => Buffer.from(each));
    expect(echoes).toEqual([bytes, bytes, bytes, bytes]);
  });

  test("missing answers end in an error with the answers that came", async () => {
    const { first } = await commanded(cluster());
    const ask = async (timeout: number, silent: readonly string[]) =>
      sorted(await first("emitWithAck", { timeout }, "question", silent));
    const error = "operation has timed out";
    for (const [silent, responses] of [
      [["m2"], ["m0", "m1", "m3"]],
      [
        ["m0", "m3"],
        ["m1", "m2"],
      ],
    ] as const) {
      let outcome: Collected = { responses: [] };
      for (const timeout of SHORT_MS) {
        outcome = await ask(timeout, silent);
        // On a slow machine answers may be late, but a question never ends without an error.
        expect(outcome).toMatchObject({ error });
        if (isDeepStrictEqual(outcome.responses, responses)) break;
      }
      expect(outcome).toEqual({ error, responses });
    }
  });

  test("when nobody answers the error has no answers", async () => {
    const { first } = await commanded(cluster());
    const everybody = ["m0", "m1", "m2", "m3"];
    expect(await first("emitWithAck", { timeout: 20 }, "question", everybody)).toEqual({
      error: "operation has timed out",
      responses: [],
    });
  });
}

function serverSideTests(cluster: () => Cluster): void {
  test("a server-side event reaches all other servers", async () => {
    const { nodes } = cluster();
    for (const [index, node] of nodes.entries()) {
      await node.call("serverSideEmit", "/", "note", index, { nested: ["ü"] });
      await node.call("serverSideEmit", "/side", "note", "side", index);
    }
    for (const [index, node] of nodes.entries()) {
      const expected = nodes
        .flatMap((...[, sender]) => [
          JSON.stringify([sender, { nested: ["ü"] }]),
          JSON.stringify(["side", sender]),
        ])
        .filter((...[, position]) => Math.floor(position / 2) !== index);
      const notes = async () =>
        (await node.call("notes")).map((note) => JSON.stringify(note)).toSorted();
      await eventually(notes, expected.toSorted());
    }
  });

  test("a server-side event brings back an answer of every other server", async () => {
    const { nodes } = cluster();
    for (const node of nodes) {
      const others = nodes.flatMap(({ name }) => (name === node.name ? [] : [name]));
      for (const nsp of ["/", "/side"]) {
        const outcome = await node.call("serverSideEmitWithAck", nsp, "who");
        expect(sorted(outcome)).toEqual({ responses: others });
      }
    }
  });
}

function namespaceTests(cluster: () => Cluster): void {
  test("namespaces are kept apart on all servers", async () => {
    const main = await gatherInRooms(cluster());
    const side = await gather(cluster(), { nsp: "/side", rooms: [[r("a")], [], [], [r("a")]] });
    const { first } = main;
    await side.expectAt([0, 1, 2, 3], ["hi"], () => first.call("emit", { nsp: "/side" }, "hi"));
    await side.expectAt([0, 3], ["hi"], () =>
      first.call("emit", { nsp: "/side", to: r("a") }, "hi"),
    );
    await main.expectAt([0, 2], ["hi"], () => first.call("emit", { to: r("a") }, "hi"));
    const timeout = LONG_MS;
    const answers = await first.call(
      "emitWithAck",
      { nsp: "/side", to: r("a"), timeout },
      "question",
      [],
    );
    expect(sorted(answers)).toEqual({ responses: ["m0", "m3"] });
    await first.call("socketsLeave", { nsp: "/side" }, r("a"));
    await side.expectFound([], { to: r("a") });
    await main.expectFound([0, 2], { to: r("a") });
    await first.call("disconnectSockets", { nsp: "/side" });
    await eventually(() => connected(side), [false, false, false, false]);
    await main.settled();
    expect(connected(main)).toEqual([true, true, true, true]);
    expect(side.members.map(({ got }) => got.filter(([event]) => event !== "fence"))).toEqual(
      [["m0"], [], [], ["m3"]].map((asked) => asked.map(() => ["question", []])),
    );
  });

  test("a namespace that comes into being with its clients spans the servers", async () => {
    const nsp = "/dynamic-one";
    const { crowd, first } = await commanded(cluster(), (running) => gather(running, { nsp }));
    await acquainted(crowd.nodes, nsp);
    await crowd.expectAt([0, 1, 2, 3], ["hi"], () => first("emit", { nsp }, "hi"));
    await first("socketsJoin", { nsp, to: crowd.id(3) }, r("room"));
    await crowd.expectFound([3], { to: r("room") });
    const outcome = await first("emitWithAck", { nsp, timeout: LONG_MS }, "question", []);
    expect(sorted(outcome)).toEqual({ responses: ["m0", "m1", "m2", "m3"] });
  });
}

/** Clients of which 0 and 2 are in room `a`, 2 and 3 in room `b`, and 1 in none. */
function gatherInRooms(cluster: Cluster): Promise<Crowd> {
  return gather(cluster, { rooms: [[r("a")], [], [r("a"), r("b")], [r("b"), r("only there")]] });
}

/** A crowd and the `call` of the first server. */
async function commanded(
  cluster: Cluster,
  gathering: (cluster: Cluster) => Promise<Crowd> = gather,
): Promise<{ readonly crowd: Crowd; readonly first: Crowd["first"]["call"] }> {
  const crowd = await gathering(cluster);
  return { crowd, first: (action, ...args) => crowd.first.call(action, ...args) };
}

function connected({ members }: Crowd): boolean[] {
  return members.map(({ client }) => client.connected);
}

/** Makes each client join a second namespace over its connection. */
async function joinSide({ members, nodes }: Crowd): Promise<Socket[]> {
  const sockets = members.map(({ client, name }) =>
    client.io.socket("/side", { auth: { name, rooms: [] } }),
  );
  await eventually(
    () => sockets.map((client) => client.connected),
    members.map(() => true),
  );
  onCleanup(() => emptied(nodes, "/side"));
  onCleanup(() => {
    for (const client of sockets) client.disconnect();
  });
  return sockets;
}

function disconnectReasons({ members }: Crowd): string[] {
  const reasons: string[] = [];
  for (const { client } of members) client.on("disconnect", (reason) => reasons.push(reason));
  return reasons;
}

/** Answers come in any order. */
function sorted(outcome: Collected): Collected {
  const { responses } = outcome;
  return Array.isArray(responses)
    ? { ...outcome, responses: (responses as string[]).toSorted() }
    : outcome;
}
