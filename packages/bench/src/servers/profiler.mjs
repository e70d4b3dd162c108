import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

/** Records a CPU profile, or where the memory that is still in use was allocated. */
export class Profiler {
  /** @type {Session | undefined} */
  #session;
  /** @type {() => Promise<unknown>} */
  #finish = async () => ({});

  /** Starts sampling the CPU, every 200 µs. */
  async startCpu() {
    const session = this.#connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 200 });
    await session.post("Profiler.start");
    this.#finish = async () => (await session.post("Profiler.stop")).profile;
  }

  /** Starts sampling allocations, every 256 bytes; freed objects leave the profile. */
  async startHeap() {
    const session = this.#connect();
    await session.post("HeapProfiler.startSampling", { samplingInterval: 256 });
    this.#finish = async () => (await session.post("HeapProfiler.stopSampling")).profile;
  }

  /**
   * Stops sampling and writes the profile as the browser's developer tools read it.
   *
   * @param {string} path
   */
  async stop(path) {
    writeFileSync(path, JSON.stringify(await this.#finish()));
    this.#session?.disconnect();
    this.#session = undefined;
  }

  #connect() {
    this.#session = new Session();
    this.#session.connect();
    return this.#session;
  }
}
