// oxlint-disable no-await-in-loop -- one broadcast after the other
import { checkAnswer } from "./driver.mjs";
import { clientFrame } from "./frames.mjs";
import { openMany } from "./websocket-client.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { WebSocketClient } from "./websocket-client.mjs" */

/** @typedef {{ resolve(): void, reject(error: Error): void }} PromiseSettlers */

/**
 * So many broadcasts come first after a pause. A receiving kernel acknowledges the first 16 segments
 * after a pause at once, which on loopback is the work of whoever sends: everything costs the server
 * half as much again until that is over.
 */
const LEAD_IN = 17;

/**
 * One client asks for a broadcast; when every client, itself included, has all of it, for the next.
 *
 * @implements {Driver}
 */
export class Broadcast {
  #job;
  #request;
  /** @type {WebSocketClient[]} */
  #clients = [];
  #missing = 0;
  /** The delivery that is waited for. @type {PromiseSettlers} */
  #delivered = { resolve() {}, reject() {} };

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
    this.#request = Buffer.concat(job.bench.request.map(clientFrame));
  }

  async prepare() {
    const { bench, target } = this.#job;
    this.#clients = await openMany(target, bench.sockets);
    for (const client of this.#clients) {
      client.onFrames = (frames) => this.#receive(frames);
      client.onLost = (error) => this.#delivered.reject(error);
    }
    const [asking] = this.#clients;
    if (asking === undefined) return;
    const others = this.#delivery(bench.weight - bench.answer.length);
    await checkAnswer(asking, bench);
    if (bench.sockets > 1) await others;
  }

  async leadIn() {
    for (let broadcast = 0; broadcast < LEAD_IN; broadcast++) await this.#broadcast();
  }

  /** @param {number} seconds */
  async work(seconds) {
    const end = performance.now() + seconds * 1000;
    let broadcasts = 0;
    do {
      await this.#broadcast();
      broadcasts++;
    } while (performance.now() < end);
    return broadcasts * this.#job.bench.weight;
  }

  async rest() {
    return false;
  }

  /** @returns {Promise<void>} */
  #broadcast() {
    const delivered = this.#delivery(this.#job.bench.weight);
    this.#clients[0]?.send(this.#request);
    return delivered;
  }

  /**
   * @param {number} deliveries how many must arrive
   * @returns {Promise<void>}
   */
  #delivery(deliveries) {
    this.#missing = deliveries;
    return new Promise((resolve, reject) => {
      this.#delivered = { resolve, reject };
    });
  }

  /** @param {number} frames */
  #receive(frames) {
    if ((this.#missing -= frames) === 0) this.#delivered.resolve();
  }
}
