import { createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { useRedis } from "./brokers.js";
import { onOurClass } from "./own-cluster-kits.js";
import { shardedKit, streamsKit } from "./redis-kits.js";
import { adapterSuite } from "./suite.js";

// Published adapters whose base class is ours, among servers with those that npm has.

const redis = useRedis();
const createStreams = await onOurClass("@socket.io/redis-streams-adapter", {
  published: createAdapter,
  member: "createAdapter",
});
const createSharded = await onOurClass("@socket.io/redis-adapter", {
  published: createShardedAdapter,
  member: "createShardedAdapter",
});

const streams = streamsKit("redis", redis, createStreams);
const sharded = shardedKit("redis", redis, "dynamic", createSharded);

for (const kit of [streams, sharded]) {
  const ours = { ...kit, name: `${kit.name} on our class` };
  adapterSuite(ours, ["subject", "subject", "subject"]);
  adapterSuite(ours, ["subject", "official"]);
  adapterSuite(ours, ["official", "subject"]);
}
