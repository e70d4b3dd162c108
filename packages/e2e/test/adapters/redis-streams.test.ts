import { expect, test } from "vitest";
import { MessageType } from "socket.io-adapter";
import { onCleanup } from "../support/cleanup.js";
import { useRedis } from "./brokers.js";
import { eventually } from "./cluster.js";
import { gather } from "./crowd.js";
import { ask, streamsKit } from "./redis-kits.js";
import { adapterSuite } from "./suite.js";

const redis = useRedis();
const servers = ["subject", "subject", "subject"] as const;

adapterSuite(streamsKit("redis", redis), servers);
adapterSuite(streamsKit("ioredis", redis), servers);

test("what a process without clients writes into the stream reaches all servers", async () => {
  const cluster = await streamsKit("redis", redis).start(["subject", "official", "subject"]);
  onCleanup(cluster.close);
  const write = (type: MessageType, data: object) => {
    const fields = { uid: "emitter", nsp: "/", type: `${type}`, data: JSON.stringify(data) };
    return ask(redis, "XADD", cluster.prefix, "*", ...Object.entries(fields).flat());
  };
  const emit = (rooms: string[], ...data: unknown[]) =>
    write(MessageType.BROADCAST, {
      packet: { type: 2, data, nsp: "/" },
      opts: { rooms, except: [], flags: {} },
    });
  const crowd = await gather(cluster, { fence: (number) => emit([], "fence", number) });
  const everybody = { rooms: [], except: [], flags: {} };
  await crowd.expectAt([0, 1, 2, 3], ["hi", 1], () => emit([], "hi", 1));
  await crowd.expectAt([2], ["hi"], () => emit([crowd.id(2)], "hi"));
  await write(MessageType.SOCKETS_JOIN, { opts: everybody, rooms: ["new"] });
  await crowd.expectFound([0, 1, 2, 3], { to: "new" });
  await write(MessageType.SERVER_SIDE_EMIT, { packet: ["note", 1] });
  for (const node of cluster.nodes) await eventually(() => node.call("notes"), [[1]]);
  await write(MessageType.DISCONNECT_SOCKETS, { opts: everybody, close: false });
  await eventually(
    () => crowd.members.map(({ client }) => client.connected),
    [false, false, false, false],
  );
  expect(await cluster.nodes[0]?.call("fetchSockets", {})).toEqual([]);
});
