// oxlint-disable vitest/expect-expect -- the assertions are in expectAt, expectFound and eventually
import { Emitter } from "@socket.io/redis-emitter";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useRedis } from "./brokers.js";
import { type Cluster, eventually, useCluster } from "./cluster.js";
import { type Crowd, gather } from "./crowd.js";
import { classicKit, connectRedis, type RedisConnection, type RedisPackage } from "./redis-kits.js";

const redis = useRedis();
/** The rooms of the clients. */
const ROOMS = [["a"], [], ["a", "b"], ["b"]];
const PACKAGES: readonly RedisPackage[] = ["redis", "ioredis"];

describe.each(PACKAGES)("@socket.io/redis-emitter, %s", (kind) => {
  const cluster = useCluster(classicKit(kind, redis), ["subject", "official", "subject"]);
  const emitter = useEmitter(kind, cluster);

  test("its events reach the clients of all servers", async () => {
    const crowd = await gather(cluster(), {
      rooms: ROOMS,
      fence: (number) => emitter().emit("fence", number),
    });
    const bytes = Buffer.from([0, 255]);
    await expectAt(crowd, [0, 1, 2, 3], () => emitter().emit("hi", 1, { bytes }), [1, { bytes }]);
    await expectAt(crowd, [0, 2], () => emitter().to("a").emit("hi"));
    await expectAt(crowd, [0, 2, 3], () => emitter().in(["a", "b"]).emit("hi"));
    await expectAt(crowd, [1, 3], () => emitter().except("a").emit("hi"));
    await expectAt(crowd, [3], () => emitter().to(crowd.id(3)).emit("hi"));
    await expectAt(crowd, [0, 1, 2, 3], () => emitter().volatile.compress(false).emit("hi"));
    await expectAt(crowd, [], () => emitter().of("/side").emit("hi"));
  });

  test("its events reach the clients of a namespace", async () => {
    const crowd = await gather(cluster(), {
      nsp: "/side",
      rooms: [["a"], [], [], ["a"]],
      fence: (number) => emitter().of("/side").emit("fence", number),
    });
    await expectAt(crowd, [0, 1, 2, 3], () => emitter().of("side").emit("hi"));
    await expectAt(crowd, [0, 3], () => emitter().of("/side").to("a").emit("hi"));
    await expectAt(crowd, [], () => emitter().emit("hi"));
  });

  test("it makes sockets of all servers join and leave rooms", async () => {
    const crowd = await gather(cluster(), { rooms: ROOMS });
    emitter().to("a").socketsJoin(["new", "newer"]);
    await crowd.expectFound([0, 2], { to: "newer" });
    emitter().except("b").socketsLeave("new");
    await crowd.expectFound([2], { to: "new" });
    emitter().socketsJoin("new");
    await crowd.expectFound([0, 1, 2, 3], { to: "new" });
  });

  test("it disconnects sockets of all servers", async () => {
    const crowd = await gather(cluster(), { rooms: ROOMS });
    const connected = () => crowd.members.map(({ client }) => client.connected);
    emitter().to("a").disconnectSockets();
    await eventually(connected, [false, true, false, true]);
    emitter().disconnectSockets(true);
    await eventually(connected, [false, false, false, false]);
  });

  test("its server-side events reach all servers and cannot be answered", async () => {
    emitter().serverSideEmit("note", "from outside", { nested: [1] });
    for (const node of cluster().nodes) {
      await eventually(() => node.call("notes"), [["from outside", { nested: [1] }]]);
    }
    expect(() => emitter().serverSideEmit("note", () => {})).toThrow(/not supported/);
  });
});

/** Checks that exactly these members get `hi` exactly once. */
async function expectAt(
  crowd: Crowd,
  members: readonly number[],
  send: () => unknown,
  args: readonly unknown[] = [],
): Promise<void> {
  await crowd.expectAt(members, ["hi", ...args], () => Promise.resolve(send()));
}

function useEmitter(kind: RedisPackage, cluster: () => Cluster): () => Emitter {
  let connection: RedisConnection | undefined;
  let emitter: Emitter | undefined;
  beforeAll(async () => {
    connection = await connectRedis(kind, redis);
    emitter = new Emitter(connection.client, { key: cluster().prefix });
  });
  afterAll(async () => {
    await connection?.close();
  });
  return () => {
    if (emitter === undefined) throw new Error("the emitter is not ready");
    return emitter;
  };
}
