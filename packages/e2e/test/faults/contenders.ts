import { createAdapter as createPostgresAdapter } from "@socket.io/postgres-adapter";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { createClient } from "redis";
import type { Broker } from "../adapters/brokers.js";
import { createTable } from "../adapters/postgres-kit.js";
import type { RedisPackage } from "../adapters/redis-kits.js";

/** Takes what the listeners of the application for errors of the broker's client are told. */
export type OnBrokerError = (error: Error) => void;

/** An adapter with its connections, as an application makes it. */
export interface Parts {
  readonly adapter: unknown;
  /** The numbers that the broker was to keep, and the adapter was told that it did not. */
  readonly rejected?: readonly number[];
  release(): Promise<unknown> | void;
}

/** A published adapter on a client for its broker. */
export interface Contender {
  readonly name: string;
  /** Whether the client sends again what the broker may have had, once it is connected again. */
  readonly isResending: boolean;
  /** Whether one connection carries everything that a server publishes, always. */
  readonly hasOneWriter: boolean;
  /** Whether the broker keeps what it was told, so that servers read it when it is back. */
  readonly isDurable: boolean;
  /** Whether the adapter tells nobody but its option `errorHandler` that the broker refuses. */
  readonly isSecretive: boolean;
  make(broker: Broker, prefix: string, onError: OnBrokerError): Promise<Parts>;
}

interface Connection {
  readonly client: object;
  close(): void;
}

async function connect(
  kind: RedisPackage,
  { port }: Broker,
  onError: OnBrokerError,
): Promise<Connection> {
  if (kind === "ioredis") {
    const client = new Redis(port, "127.0.0.1", { lazyConnect: true });
    client.on("error", onError);
    await client.connect();
    return { client, close: () => client.disconnect() };
  }
  const client = createClient({ socket: { host: "127.0.0.1", port } });
  client.on("error", onError);
  await client.connect();
  return { client, close: () => client.destroy() };
}

/** How long the classic adapter waits for the others. */
const REQUESTS_TIMEOUT = 500;

function classic(kind: RedisPackage): Contender {
  return {
    name: `@socket.io/redis-adapter, ${kind}`,
    isResending: kind === "ioredis",
    hasOneWriter: true,
    isDurable: false,
    isSecretive: false,
    async make(broker, key, onError) {
      const [pub, sub] = [
        await connect(kind, broker, onError),
        await connect(kind, broker, onError),
      ];
      return {
        adapter: createAdapter(pub.client, sub.client, { key, requestsTimeout: REQUESTS_TIMEOUT }),
        release() {
          pub.close();
          sub.close();
        },
      };
    },
  };
}

function sharded(kind: RedisPackage): Contender {
  return {
    name: `@socket.io/redis-adapter sharded, ${kind}`,
    isResending: kind === "ioredis",
    hasOneWriter: true,
    isDurable: false,
    isSecretive: false,
    async make(broker, channelPrefix, onError) {
      const [pub, sub] = [
        await connect(kind, broker, onError),
        await connect(kind, broker, onError),
      ];
      return {
        adapter: createShardedAdapter(pub.client, sub.client, { channelPrefix }),
        release() {
          pub.close();
          sub.close();
        },
      };
    },
  };
}

/**
 * The adapter drops the promises of `publish` and keeps its client to itself, so the application has
 * to look after them. From docs/reliability.md.
 */
function reportRejections(client: object, onError: OnBrokerError): void {
  const owner = client as { publish(...args: unknown[]): Promise<unknown> };
  const publish = owner.publish.bind(owner);
  owner.publish = (...args) => {
    const published = publish(...args);
    published.catch(onError);
    return published;
  };
}

/** Notes the numbers that a client for Redis could not add to a stream. */
function noteRejected(client: object): readonly number[] {
  const rejected: number[] = [];
  const owner = client as { xAdd?(...args: unknown[]): Promise<string> };
  const xAdd = owner.xAdd?.bind(owner);
  // The other package sends again what was refused, so nothing is.
  if (xAdd === undefined) return rejected;
  owner.xAdd = async (...args) => {
    try {
      return await xAdd(...args);
    } catch (error) {
      const [, number] = /"number",\d,(\d+)/.exec((args[2] as { data: string }).data) ?? [];
      if (number !== undefined) rejected.push(Number(number));
      throw error;
    }
  };
  return rejected;
}

function streams(kind: RedisPackage): Contender {
  return {
    name: `@socket.io/redis-streams-adapter, ${kind}`,
    isResending: kind === "ioredis",
    hasOneWriter: true,
    isDurable: true,
    isSecretive: false,
    async make(broker, prefix, onError) {
      const connection = await connect(kind, broker, onError);
      reportRejections(connection.client, onError);
      const rejected = noteRejected(connection.client);
      const options = { streamName: prefix, channelPrefix: prefix, blockTimeInMs: 200 };
      return {
        adapter: createStreamsAdapter(connection.client, options),
        rejected,
        release: () => connection.close(),
      };
    },
  };
}

/** All adapters for Redis. */
export const REDIS_CONTENDERS: readonly Contender[] = (["redis", "ioredis"] as const).flatMap(
  (kind) => [classic(kind), sharded(kind), streams(kind)],
);

/**
 * Without the listeners for `error` the death of the database ends the process, and the adapter
 * never gives back the connection it has listened on. From docs/reliability.md.
 */
function surviveDatabase(pool: Pool, onError: OnBrokerError): void {
  pool.on("error", onError);
  pool.on("connect", (connection) => {
    connection.on("error", onError);
    connection.once("end", () => {
      if (connection.listenerCount("notification") > 0) connection.release(true);
    });
  });
}

/** The adapter for PostgreSQL. */
export const POSTGRES_CONTENDER: Contender = {
  name: "@socket.io/postgres-adapter",
  isResending: false,
  // Of a pool. While nobody listens, both of them write.
  hasOneWriter: false,
  isDurable: false,
  isSecretive: true,
  async make({ port }, channelPrefix, onError) {
    const settings = { host: "127.0.0.1", port, user: "postgres", database: "postgres" };
    await createTable(settings);
    // One connection to listen and one to speak: with more of them notifications lose their order.
    const pool = new Pool({ ...settings, max: 2 });
    surviveDatabase(pool, onError);
    const adapter = createPostgresAdapter(pool, {
      channelPrefix,
      heartbeatInterval: 200,
      errorHandler: onError,
    });
    return { adapter, release: () => pool.end() };
  },
};
