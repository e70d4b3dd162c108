import { checkAnswer } from "./driver.mjs";
import { clientFrame } from "./frames.mjs";
import { openMany } from "./websocket-client.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { WebSocketClient } from "./websocket-client.mjs" */

/**
 * The frames of one request.
 *
 * @param {Job} job
 * @returns {Buffer}
 */
export function requestOf({ bench }) {
  return Buffer.concat(bench.request.map(clientFrame));
}

/**
 * Each client keeps some requests in flight and sends a new one for every answer: each with a write
 * of its own, as the official client does. Sent together, they would go round as one packet for
 * ever, and a server that answers them together would look better than it is.
 *
 * @implements {Driver}
 */
export class Exchange {
  #job;
  #request;
  /** @type {WebSocketClient[]} */
  #clients = [];

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
    this.#request = requestOf(job);
  }

  /** Those that send. */
  get clients() {
    return this.#clients;
  }

  async prepare() {
    const { bench, target } = this.#job;
    const clients = await openMany(target, bench.sockets);
    this.#clients = clients.slice(0, bench.active ?? bench.sockets);
    const [first] = this.#clients;
    if (first) await checkAnswer(first, bench);
  }

  /** @param {number} seconds */
  async work(seconds) {
    let answers = 0;
    let stopping = false;
    const timer = setTimeout(() => {
      stopping = true;
    }, seconds * 1000);
    const keepGoing = (/** @type {number} */ count) => {
      answers += count;
      return !stopping;
    };
    try {
      await Promise.all(this.#clients.map((client) => this.#drive(client, keepGoing)));
    } finally {
      clearTimeout(timer);
    }
    return answers * this.#job.bench.weight;
  }

  async rest() {
    return false;
  }

  /**
   * @param {WebSocketClient} client
   * @param {(answers: number) => boolean} keepGoing
   * @returns {Promise<void>}
   */
  #drive(client, keepGoing) {
    const { inFlight, answer } = this.#job.bench;
    let pending = inFlight;
    let surplus = 0;
    return new Promise((resolve, reject) => {
      client.onLost = reject;
      client.onFrames = (frames) => {
        surplus += frames;
        const answers = Math.floor(surplus / answer.length);
        surplus -= answers * answer.length;
        if (keepGoing(answers)) this.#send(client, answers);
        else if ((pending -= answers) === 0) resolve();
      };
      this.#send(client, inFlight);
    });
  }

  /**
   * @param {WebSocketClient} client
   * @param {number} count
   */
  #send(client, count) {
    for (let left = count; left > 0; left--) client.send(this.#request);
  }
}
