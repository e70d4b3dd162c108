import { createAdapter } from "@socket.io/postgres-adapter";
import { Client, Pool } from "pg";
import type { Broker } from "./brokers.js";
import { inProcessKit, type Kit } from "./cluster.js";

/** Where the adapter puts what is too long, or not text. The schema is the one of its manual. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS socket_io_attachments (
    id bigserial UNIQUE,
    created_at timestamptz DEFAULT NOW(),
    payload bytea
  )`;

/** How often a server tells the others that it is there. Until it has, nobody counts it. */
const HEARTBEAT_MS = 100;

/** The adapter that uses the notifications of PostgreSQL. */
export function postgresKit(broker: Broker): Kit {
  return inProcessKit({
    name: "@socket.io/postgres-adapter",
    async makeAdapter(channelPrefix) {
      const settings = {
        host: "127.0.0.1",
        port: broker.port,
        user: "postgres",
        database: "postgres",
      };
      await createTable(settings);
      // One connection to listen and one to speak: with more of them notifications lose their order.
      const pool = new Pool({ ...settings, max: 2 });
      // Its end does not wait for the connections, which then notice that the database stops.
      pool.on("connect", (client) => client.on("error", () => {}));
      pool.on("error", () => {});
      return {
        adapter: createAdapter(pool, { channelPrefix, heartbeatInterval: HEARTBEAT_MS }),
        release: () => pool.end(),
      };
    },
  });
}

/** Makes that table, if it is not there. */
export async function createTable(settings: object): Promise<void> {
  const client = new Client(settings);
  await client.connect();
  try {
    // Not even IF NOT EXISTS allows two servers to create it at the same time.
    await client.query("SELECT pg_advisory_lock(1)");
    await client.query(TABLE);
  } finally {
    await client.end();
  }
}
