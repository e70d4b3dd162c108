import {
  createAdapter as createClassicAdapter,
  createShardedAdapter,
  type RedisAdapterOptions,
} from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { createClient } from "redis";
import type { Broker } from "./brokers.js";
import { type AdapterParts, eventually, inProcessKit, type Kit } from "./cluster.js";

/** Which of the packages that speak to Redis. */
export type RedisPackage = "redis" | "ioredis";

/** A connection to Redis as the adapters take it. */
export interface RedisConnection {
  readonly client: object;
  /** Resolves when what was asked for is answered and the connection closed. */
  close(): Promise<unknown>;
}

/** Opens a connection. Its copies have its name. */
export async function connectRedis(
  kind: RedisPackage,
  { port }: Broker,
  name = "test",
): Promise<RedisConnection> {
  if (kind === "ioredis") {
    const client = new Redis(port, "127.0.0.1", { lazyConnect: true, connectionName: name });
    await client.connect();
    return { client, close: () => client.quit() };
  }
  const client = createClient({ name, socket: { host: "127.0.0.1", port } });
  // A client without a listener for its errors throws them.
  client.on("error", () => {});
  await client.connect();
  return { client, close: () => client.close() };
}

/** Two connections, for publishing and subscribing. */
async function withPair(
  kind: RedisPackage,
  broker: Broker,
  make: (pub: object, sub: object) => unknown,
): Promise<AdapterParts> {
  const [pub, sub] = await Promise.all([connectRedis(kind, broker), connectRedis(kind, broker)]);
  return {
    adapter: make(pub.client, sub.client),
    async release() {
      await Promise.all([pub.close(), sub.close()]);
    },
  };
}

/** Asks Redis something, on a connection for this question alone. */
export async function ask(broker: Broker, ...command: string[]): Promise<unknown> {
  const client = createClient({ socket: { host: "127.0.0.1", port: broker.port } });
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

/** The adapter that uses one channel per room and one for requests. */
export function classicKit(
  kind: RedisPackage,
  broker: Broker,
  options: Partial<RedisAdapterOptions> = {},
): Kit {
  const details = Object.keys(options).join(", ");
  return inProcessKit({
    name: `@socket.io/redis-adapter, ${kind}${details === "" ? "" : `, ${details}`}`,
    makeAdapter: (key) =>
      withPair(kind, broker, (pub, sub) => createClassicAdapter(pub, sub, { ...options, key })),
  });
}

/** The adapter that uses sharded channels. */
export function shardedKit(
  kind: RedisPackage,
  broker: Broker,
  subscriptionMode: "static" | "dynamic" | "dynamic-private",
  create = createShardedAdapter,
): Kit {
  return inProcessKit({
    name: `@socket.io/redis-adapter sharded, ${kind}, ${subscriptionMode}`,
    makeAdapter: (channelPrefix) =>
      withPair(kind, broker, (pub, sub) => create(pub, sub, { channelPrefix, subscriptionMode })),
    async ready(prefix, nodes) {
      // Each has a channel of its own for responses, and all share one, in both namespaces.
      const count = async (nsp: string) => {
        const pattern = `${prefix}#${nsp}#*`;
        return ((await ask(broker, "PUBSUB", "SHARDCHANNELS", pattern)) as unknown[]).length;
      };
      for (const nsp of ["/", "/side"]) await eventually(() => count(nsp), nodes + 1);
    },
    async roomReady(prefix, { nsp, room }, nodes) {
      if (subscriptionMode === "static") return;
      const channel = `${prefix}#${nsp}#${room}#`;
      const count = async () => {
        const [, subscribers] = (await ask(broker, "PUBSUB", "SHARDNUMSUB", channel)) as unknown[];
        return Number(subscribers);
      };
      await eventually(count, nodes);
    },
  });
}

/** The adapter that uses a stream, and channels for what is not to be kept. */
export function streamsKit(kind: RedisPackage, broker: Broker, create = createStreamsAdapter): Kit {
  return inProcessKit({
    name: `@socket.io/redis-streams-adapter, ${kind}`,
    async makeAdapter(prefix) {
      const connection = await connectRedis(kind, broker, prefix);
      const options = { streamName: prefix, channelPrefix: prefix };
      return {
        adapter: create(connection.client, options),
        async release() {
          await connection.close();
        },
      };
    },
    async ready(prefix, nodes) {
      // A reader begins with what is written while it reads: what was written before is lost.
      await eventually(async () => (await readers(broker, prefix)).length, nodes);
      // From its first entry on, a reader knows where it is.
      await ask(broker, "XADD", prefix, "*", "first", "entry");
    },
    async beforeRelease(prefix) {
      // The readers look only between two reads, which last five seconds, whether to stop.
      for (const id of await readers(broker, prefix)) await ask(broker, "CLIENT", "UNBLOCK", id);
      await eventually(async () => (await readers(broker, prefix)).length, 0);
    },
  });
}

/** The ids of the connections that wait for an entry in a stream. */
async function readers(broker: Broker, name: string): Promise<string[]> {
  const clients = String(await ask(broker, "CLIENT", "LIST"));
  return clients.split("\n").flatMap((line) => {
    const [, id, of] = /^id=(\d+) .* name=(\w+) .*flags=b.* cmd=xread\b/.exec(line) ?? [];
    return id === undefined || of !== name ? [] : [id];
  });
}
