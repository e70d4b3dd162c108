// oxlint-disable no-await-in-loop -- the CPU time is read between two pieces of work
import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Child } from "./child.mjs";

/** @import { Case } from "./cases.mjs" */
/** @import { Protocol } from "./load/websocket-client.mjs" */

/**
 * One measurement. For memory, `operations` are what the memory is divided by.
 *
 * @typedef {object} Measurement
 * @property {number} value the figure of merit: operations per second of the server's CPU, bytes, or
 *   the 99th percentile in µs
 * @property {number} operations what was counted, in the unit of the case
 * @property {number} [serverCpu] seconds, user and system
 * @property {number} [serverSystemCpu] seconds of it that the kernel took: reading and writing
 * @property {number} [loadCpu] seconds
 * @property {number} [wall] seconds
 * @property {{ before: Memory, after: Memory }} [memory] of the server
 * @property {number} [used] bytes of objects, where `value` is of resident memory
 * @property {{ rate: number, p50: number, p99: number, p999: number }} [latency] µs, at
 *   `rate` requests per second
 */

/**
 * Bytes after collecting garbage: resident, and what objects take on the heap and outside of it.
 *
 * @typedef {{ rss: number, used: number }} Memory
 */

/** The servers that come with the benchmarks, by protocol and name. */
const SERVERS = {
  "socket.io": new Map([
    ["ours", new URL("./servers/ours.mjs", import.meta.url)],
    ["official", new URL("./servers/official.mjs", import.meta.url)],
  ]),
  "engine.io": new Map([
    ["ours", new URL("./servers/our-engine.mjs", import.meta.url)],
    ["official", new URL("./servers/official-engine.mjs", import.meta.url)],
  ]),
  none: new Map([
    ["bare-ws", new URL("./servers/bare-ws.mjs", import.meta.url)],
    ["bare-tcp", new URL("./servers/bare-tcp.mjs", import.meta.url)],
  ]),
};

const NOTHING = { operations: 0, serverCpu: 0, serverSystemCpu: 0, loadCpu: 0, wall: 0 };

const LOAD = new URL("./load/main.mjs", import.meta.url);

/** A server under test and its load, each in a process of its own. */
export class Contender {
  #bench;
  /** @type {Protocol} */
  #protocol;
  #server;
  #load;
  #profile;
  #total = { ...NOTHING };
  /** @type {Float64Array[]} ms */
  #latencies = [];

  /**
   * @param {Case} bench
   * @param {string} name of a server that comes with the benchmarks, or the file of another one
   * @param {URL} [profiles] directory to which a profile is written
   */
  constructor(bench, name, profiles) {
    this.#bench = bench;
    this.#protocol = SERVERS.none.has(name) ? "none" : bench.protocol;
    const file = SERVERS[this.#protocol].get(name) ?? pathToFileURL(name);
    this.#server = new Child(file, ["--expose-gc"]);
    this.#load = new Child(LOAD);
    this.#profile = profiles && fileURLToPath(new URL(`${bench.name}-${basename(name)}`, profiles));
    if (profiles) mkdirSync(profiles, { recursive: true });
  }

  /** Starts the server and connects the load; rejects when an answer is not what it must be. */
  async start() {
    const port = await this.#server.call("start", this.#bench);
    const target = { port, protocol: this.#protocol };
    await this.#load.call("prepare", { bench: this.#bench, target });
  }

  /**
   * Works for some time without counting.
   *
   * @param {number} seconds
   */
  async warmUp(seconds) {
    await this.work(seconds);
    this.#total = { ...NOTHING };
    if (this.#profile) await this.#server.call("startCpuProfile");
  }

  /**
   * Works for some time; the lead-in, and what happens between two pieces of work, is not counted.
   *
   * @param {number} seconds
   */
  async work(seconds) {
    await this.#load.call("leadIn");
    const end = performance.now() + seconds * 1000;
    for (let left = seconds; left > 0; left = (end - performance.now()) / 1000) {
      const before = await this.#usage();
      this.#total.operations += await this.#load.call("work", left, 60_000 + left * 1000);
      const after = await this.#usage();
      this.#total.serverCpu += after.serverCpu - before.serverCpu;
      this.#total.serverSystemCpu += after.serverSystemCpu - before.serverSystemCpu;
      this.#total.loadCpu += after.loadCpu - before.loadCpu;
      this.#total.wall += after.wall - before.wall;
      await this.#rest();
    }
  }

  /**
   * @returns {Promise<Measurement>} of everything since warming up
   */
  async result() {
    if (this.#profile) await this.#server.call("stopProfile", `${this.#profile}.cpuprofile`);
    return { value: this.#total.operations / this.#total.serverCpu, ...this.#total };
  }

  /**
   * Sends at a fixed rate for some time and keeps how long every answer took.
   *
   * @param {number} seconds
   * @param {number} rate requests per second
   */
  async pace(seconds, rate) {
    this.#latencies.push(await this.#load.call("pace", { seconds, rate }));
  }

  /**
   * The 99th percentile is the median of those of all turns: a turn in which the machine was busy
   * with something else does not count for more than one.
   *
   * @param {number} rate at which the requests were sent
   * @returns {Measurement} of everything that was sent at that rate
   */
  latency(rate) {
    const turns = this.#latencies.map((samples) => samples.sort());
    const median = (/** @type {number} */ share) => {
      const values = turns.map((samples) => 1000 * quantile(samples, share));
      return quantile(Float64Array.from(values).sort(), 0.5);
    };
    const latency = { rate, p50: median(0.5), p99: median(0.99), p999: median(0.999) };
    const operations = turns.reduce((sum, samples) => sum + samples.length, 0);
    return { value: latency.p99, operations, latency };
  }

  /**
   * Measures by how much the resident memory grows with what the load opens or joins.
   *
   * @returns {Promise<Measurement>}
   */
  async memory() {
    await this.#rest();
    const before = await this.#server.call("memory");
    if (this.#profile) await this.#server.call("startHeapProfile");
    const operations = await this.#load.call("work", undefined, 120_000);
    const after = await this.#server.call("memory");
    if (this.#profile) await this.#server.call("stopProfile", `${this.#profile}.heapprofile`);
    const value = (after.rss - before.rss) / operations;
    const used = (after.used - before.used) / operations;
    return { value, operations, used, memory: { before, after } };
  }

  /** Ends both processes, whatever they are doing. */
  async end() {
    await Promise.all([this.#server.end(), this.#load.end()]);
  }

  async #rest() {
    const disconnected = await this.#load.call("rest");
    if (disconnected) await this.#server.call("emptied");
  }

  async #usage() {
    const [server, load] = await Promise.all([
      this.#server.call("usage"),
      this.#load.call("usage"),
    ]);
    return {
      serverSystemCpu: server.system / 1e6,
      serverCpu: (server.user + server.system) / 1e6,
      loadCpu: (load.user + load.system) / 1e6,
      wall: performance.now() / 1000,
    };
  }
}

/**
 * @param {Float64Array} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
