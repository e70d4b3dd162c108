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
 * @property {number} value the figure of merit: operations per second of the server's CPU, or bytes
 * @property {number} operations what was counted, in the unit of the case
 * @property {number} [serverCpu] seconds, user and system
 * @property {number} [serverSystemCpu] seconds of it that the kernel took: reading and writing
 * @property {number} [loadCpu] seconds
 * @property {number} [wall] seconds
 * @property {{ before: Memory, after: Memory }} [memory] of the server
 */

/** @typedef {{ rss: number, heapUsed: number }} Memory bytes, after collecting garbage */

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
   * Works for some time; what happens between two pieces of work is not counted.
   *
   * @param {number} seconds
   */
  async work(seconds) {
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
   * Measures memory: the resident memory for connections; for memberships the heap, because they
   * are so small that what growing tables leave behind would hide them.
   *
   * @returns {Promise<Measurement>}
   */
  async memory() {
    await this.#rest();
    const before = await this.#server.call("memory");
    if (this.#profile) await this.#server.call("startHeapProfile");
    const operations = await this.#load.call("work");
    const after = await this.#server.call("memory");
    if (this.#profile) await this.#server.call("stopProfile", `${this.#profile}.heapprofile`);
    const measure = this.#bench.driver === "idle" ? "rss" : "heapUsed";
    const value = (after[measure] - before[measure]) / operations;
    return { value, operations, memory: { before, after } };
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
