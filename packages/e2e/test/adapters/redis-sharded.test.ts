import { useRedis } from "./brokers.js";
import { shardedKit } from "./redis-kits.js";
import { adapterSuite } from "./suite.js";

const redis = useRedis();
const servers = ["subject", "subject", "subject"] as const;

adapterSuite(shardedKit("redis", redis, "dynamic"), servers);
adapterSuite(shardedKit("ioredis", redis, "dynamic-private"), servers);
adapterSuite(shardedKit("redis", redis, "static"), servers);
