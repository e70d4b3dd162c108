// oxlint-disable no-await-in-loop -- waiting is the purpose
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { answerCalls } from "../answer.mjs";
import { Profiler } from "./profiler.mjs";

/** @import { Case } from "../cases.mjs" */
/** @import { Server as HttpServer } from "node:http" */

/**
 * Runs a server under test: it prints nothing and answers calls of the parent process.
 *
 * @param {(httpServer: HttpServer, bench: Case) => void} start puts the server on an HTTP server
 */
export function host(start) {
  const httpServer = createServer();
  const profiler = new Profiler();
  answerCalls({
    /** @param {Case} bench */
    async start(bench) {
      start(httpServer, bench);
      await /** @type {Promise<void>} */ (
        new Promise((resolve, reject) => {
          httpServer.once("error", reject).listen(0, "127.0.0.1", resolve);
        })
      );
      return /** @type {import("node:net").AddressInfo} */ (httpServer.address()).port;
    },
    usage: () => process.cpuUsage(),
    memory: () => settledMemory(),
    emptied: () => emptied(httpServer),
    startCpuProfile: () => profiler.startCpu(),
    startHeapProfile: () => profiler.startHeap(),
    stopProfile: (/** @type {string} */ path) => profiler.stop(path),
  });
}

/**
 * Collects garbage until neither the heap nor the resident memory shrinks any more: finalizers free
 * more between two collections, and pages go back to the system some time after them.
 *
 * @returns {Promise<{ rss: number, used: number }>} the least of each that was seen; `used` is what
 *   objects take, on the heap and outside of it
 */
async function settledMemory() {
  const least = { rss: Infinity, used: Infinity };
  for (let unchanged = 0; unchanged < 4; unchanged++) {
    globalThis.gc?.();
    await delay(100);
    const { rss, heapUsed, external } = process.memoryUsage();
    const used = heapUsed + external;
    if (rss < least.rss * 0.998 || used < least.used * 0.998) unchanged = 0;
    least.rss = Math.min(rss, least.rss);
    least.used = Math.min(used, least.used);
  }
  return least;
}

/**
 * Waits until the clients' connections are gone, so that their end is not part of what follows.
 *
 * @param {HttpServer} httpServer
 */
async function emptied(httpServer) {
  const count = () =>
    new Promise((resolve, reject) => {
      httpServer.getConnections((error, open) => (error ? reject(error) : resolve(open)));
    });
  while ((await count()) !== 0) await delay(20);
}
