import { Agent } from "node:http";

/** The TCP connections of one client, which can be cut all at once. */
export class CuttableAgent extends Agent {
  /** @type {Set<import("node:stream").Duplex>} */
  #open = new Set();
  #isClosed = false;

  constructor() {
    // What the client makes requests with repeats those that fail on a connection that was used
    // before, and so doubles the events in them.
    super({ keepAlive: false });
  }

  /**
   * @override
   * @param {any} options
   * @param {any} callback
   * @returns {any}
   */
  createConnection(options, callback) {
    // The types of Node.js do not know this method of the base class.
    const base = /** @type {any} */ (Agent.prototype);
    const stream = base.createConnection.call(this, options, callback);
    this.adopt(stream);
    return stream;
  }

  /**
   * Makes a connection one of those that are cut.
   *
   * @param {import("node:stream").Duplex} stream
   */
  adopt(stream) {
    this.#open.add(stream);
    // A request that was given up leaves its connection behind.
    if (this.#isClosed) stream.destroy();
    stream.on("close", () => this.#open.delete(stream));
  }

  /** Cuts every connection, without a word to the other end. */
  cut() {
    for (const stream of this.#open) stream.destroy();
  }

  /** Cuts every connection, those to come included. */
  close() {
    this.#isClosed = true;
    this.cut();
  }
}
