import { useRedis } from "./brokers.js";
import { classicKit, shardedKit, streamsKit } from "./redis-kits.js";
import { adapterSuite } from "./suite.js";

const redis = useRedis();

for (const kit of [
  classicKit("redis", redis),
  streamsKit("redis", redis),
  shardedKit("redis", redis, "dynamic"),
]) {
  // The first of the two gives the commands.
  adapterSuite(kit, ["subject", "official"]);
  adapterSuite(kit, ["official", "subject"]);
}
