import { checkAnswer } from "./driver.mjs";
import { openMany } from "./websocket-client.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { WebSocketClient } from "./websocket-client.mjs" */

/** So many connections come and go first: code is loaded and compiled with them, not later. */
const FIRST = 100;

/**
 * Opens connections that do nothing.
 *
 * @implements {Driver}
 */
export class Idle {
  #job;
  /** @type {WebSocketClient[]} */
  #clients = [];

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
  }

  async prepare() {
    this.#clients = await openMany(this.#job.target, FIRST);
  }

  async work() {
    this.#clients = await openMany(this.#job.target, this.#job.bench.sockets);
    return this.#clients.length;
  }

  async rest() {
    for (const client of this.#clients) client.close();
    return true;
  }
}

/**
 * Opens connections, then has the application make each of them join rooms.
 *
 * @implements {Driver}
 */
export class Memberships {
  #job;
  /** @type {WebSocketClient[]} */
  #clients = [];

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
  }

  async prepare() {
    this.#clients = await openMany(this.#job.target, this.#job.bench.sockets);
  }

  async work() {
    const { bench } = this.#job;
    const [first] = this.#clients;
    if (first) await checkAnswer(first, bench);
    return bench.weight;
  }

  async rest() {
    return false;
  }
}
