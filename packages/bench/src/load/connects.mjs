import { openMany } from "./websocket-client.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { WebSocketClient } from "./websocket-client.mjs" */

/**
 * Opens connections, 50 at a time; closing them again is not measured.
 *
 * @implements {Driver}
 */
export class Connects {
  #job;
  /** @type {WebSocketClient[]} */
  #clients = [];

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
  }

  async prepare() {}

  async work() {
    this.#clients = await openMany(this.#job.target, this.#job.bench.sockets);
    return this.#clients.length;
  }

  async rest() {
    for (const client of this.#clients) client.close();
    this.#clients = [];
    return true;
  }
}
