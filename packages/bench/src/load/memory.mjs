import { event } from "../messages.mjs";
import { checkAnswer } from "./driver.mjs";
import { openMany } from "./websocket-client.mjs";

/** @import { Message } from "../messages.mjs" */
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
 * Everybody joins and leaves once before, because joining leaves garbage, for which the heap grows
 * and then stays as large as it is: the official server makes a set per join, some 26 MB for 100,000
 * memberships that take 4.5 MB.
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
    await this.#ask([event("join and leave", undefined, 7)]);
  }

  async work() {
    const { request, weight } = this.#job.bench;
    await this.#ask(request);
    return weight;
  }

  async rest() {
    return false;
  }

  /** @param {Message[]} request */
  async #ask(request) {
    const [first] = this.#clients;
    if (first) await checkAnswer(first, { ...this.#job.bench, request });
  }
}
