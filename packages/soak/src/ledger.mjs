import { add, compare, emptyAccount } from "./account.mjs";

/**
 * @typedef {object} Half what one of the ends says of a stream
 * @property {string} sid the id of the socket
 * @property {number[]} [expected] by the server: what its client has to receive
 * @property {boolean} [isFinished] by the server: whether both have agreed on the end
 * @property {Map<number, number[]>} [sent] by the client, by connection
 * @property {any} received by both: a list of the client, a map by connection of the server
 */

/** Brings together what both ends say of each stream. */
export class Ledger {
  /** @type {Map<string, Half>} */
  #servers = new Map();
  /** @type {Map<string, Half>} */
  #clients = new Map();
  downwards = emptyAccount();
  upwards = emptyAccount();
  streams = 0;
  /** @type {string[]} */
  findings = [];

  /** @param {Half} half */
  fromServer(half) {
    this.#servers.set(half.sid, half);
    this.#settle(half.sid);
  }

  /** @param {Half} half */
  fromClient(half) {
    this.#clients.set(half.sid, half);
    this.#settle(half.sid);
  }

  /** Streams of which only one end has said anything. */
  get onesided() {
    return this.#servers.size + this.#clients.size;
  }

  /** The ids of those that the server has not reported, or the client. */
  leftovers() {
    return { server: [...this.#servers.keys()], client: [...this.#clients.keys()] };
  }

  /** @param {string} sid */
  #settle(sid) {
    const server = this.#servers.get(sid);
    const client = this.#clients.get(sid);
    if (server === undefined || client === undefined) return;
    this.#servers.delete(sid);
    this.#clients.delete(sid);
    this.streams += 1;
    const isFinished = server.isFinished === true;
    this.#enter("downwards", sid, compare(server.expected ?? [], client.received, isFinished));
    const connections = [...(client.sent ?? [])];
    for (const [index, [connection, sent]] of connections.entries()) {
      const isComplete = isFinished && index === connections.length - 1;
      const received = server.received.get(connection) ?? [];
      this.#enter("upwards", sid, compare(sent, received, isComplete));
    }
  }

  /**
   * @param {"downwards" | "upwards"} direction
   * @param {string} sid
   * @param {import("./account.mjs").Account} account
   */
  #enter(direction, sid, account) {
    add(this[direction], account);
    const { lost, duplicated, reordered, foreign } = account;
    if (lost + duplicated + reordered + foreign === 0) return;
    this.findings.push(`${direction} ${sid}: ${JSON.stringify(account)}`);
  }
}
