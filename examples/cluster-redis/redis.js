// A Redis server for this example alone: on a port of its own, and nothing on the disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { end, failure, ON_ITS_OWN } from "./child.js";

const NOT_INSTALLED = `This example needs Redis, and there is no program "redis-server".
  Debian, Ubuntu:  apt-get install redis-server
  macOS:           brew install redis
Or say where one runs already: REDIS_URL=redis://localhost:6379 npm run example:cluster-redis`;

/**
 * Starts Redis, unless REDIS_URL names one that runs already. Resolves when it is ready; `failed`
 * rejects when it ends by itself.
 */
export async function startRedis() {
  const { REDIS_URL } = process.env;
  if (REDIS_URL) return { url: REDIS_URL, failed: new Promise(() => {}), async stop() {} };

  const port = await freePort();
  const where = ["--bind", "127.0.0.1", "--port", String(port)];
  const child = spawn("redis-server", [...where, "--save", "", "--appendonly", "no"], {
    ...ON_ITS_OWN,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const failed = failure(child, "Redis").catch((error) => {
    throw error.code === "ENOENT" ? new Error(NOT_INSTALLED) : error;
  });
  await Promise.race([ready(child), failed]);
  console.log(`Redis:  process ${child.pid}, port ${port}`);

  let isStopping = false;
  return {
    url: `redis://127.0.0.1:${port}`,
    failed: failed.catch((error) => {
      if (!isStopping) throw error;
    }),
    stop() {
      isStopping = true;
      return end(child);
    },
  };
}

function ready(child) {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.includes("Ready to accept connections")) resolve();
    });
  });
}

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
