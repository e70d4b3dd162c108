import { Exchange, requestOf } from "./exchange.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { WebSocketClient } from "./websocket-client.mjs" */

/**
 * First finds out, as `Exchange`, how much a server can do; then sends at a fixed rate, whatever the
 * server does, and takes the time from the moment at which a request was due to the moment at which
 * its answer was read. A request that leaves late because the server or the load was busy counts in
 * full: otherwise the worst moments would be the ones that are measured least.
 *
 * @implements {Driver}
 */
export class Latency extends Exchange {
  #request;

  /** @param {Job} job */
  constructor(job) {
    super(job);
    this.#request = requestOf(job);
  }

  /**
   * Sends for some time at a rate, one client after the other.
   *
   * @param {{ seconds: number, rate: number }} options requests per second, of all clients together
   * @returns {Promise<Float64Array>} ms per request
   */
  pace({ seconds, rate }) {
    const lanes = this.clients.map((client) => new Lane(client));
    const samples = new Float64Array(Math.ceil(seconds * rate));
    let sent = 0;
    let received = 0;
    return new Promise((resolve, reject) => {
      for (const lane of lanes) {
        lane.client.onLost = reject;
        lane.client.onFrames = (frames) => {
          const now = performance.now();
          for (let left = frames; left > 0; left--) samples[received++] = now - lane.nextDue();
          if (received === samples.length) resolve(samples);
        };
      }
      const start = performance.now();
      const sendDue = () => {
        const elapsed = performance.now() - start;
        const due = Math.min(samples.length, Math.floor((elapsed * rate) / 1000) + 1);
        for (; sent < due; sent++) {
          const lane = /** @type {Lane} */ (lanes[sent % lanes.length]);
          lane.due.push(start + (sent * 1000) / rate);
          lane.client.send(this.#request);
        }
        // A timer is a millisecond late or more: between two looks at the clock, sockets are read.
        if (sent < samples.length) setImmediate(sendDue);
      };
      sendDue();
    });
  }
}

/** One client, and when its unanswered requests were due: answers come in order. */
class Lane {
  /** @type {number[]} */
  due = [];
  #next = 0;

  /** @param {WebSocketClient} client */
  constructor(client) {
    this.client = client;
  }

  /** Takes the time of the oldest request. */
  nextDue() {
    return this.due[this.#next++] ?? Number.NaN;
  }
}
