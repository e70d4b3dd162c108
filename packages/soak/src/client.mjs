// oxlint-disable no-await-in-loop -- a client does one thing after the other
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Manager } from "socket.io-client";
import { CuttableAgent } from "./cuttable-agent.mjs";
import { isPayloadOf, payloadOf } from "./payload.mjs";

/**
 * What a client does: `stay` until it says goodbye, be cut and `recover` before it does, or be cut
 * and `vanish`.
 *
 * @typedef {"stay" | "recover" | "vanish"} Kind
 */

export const KINDS = /** @type {const} */ (["stay", "stay", "recover", "vanish"]);
export const TRANSPORTS = [
  ["polling"],
  ["websocket"],
  ["webtransport"],
  ["polling", "websocket"],
  ["polling", "webtransport"],
  ["polling", "websocket", "webtransport"],
];

/**
 * One socket of a client, with what it got and sent.
 *
 * @typedef {object} End
 * @property {import("socket.io-client").Socket} socket what the client has in its hands
 * @property {string} sid the last id it had
 * @property {Map<string, number[]>} received by the id of the socket
 * @property {Map<string, Map<number, number[]>>} sent by the id of the socket and connection
 * @property {Set<string>} finished the ids of sockets whose end was agreed on
 * @property {number} unacknowledged how many of its events the server owes an answer to
 */

/** @typedef {ReturnType<typeof emptyTally>} Tally */

export function emptyTally() {
  return {
    clients: 0,
    cuts: 0,
    recovered: 0,
    /** Disconnected without being cut. */
    dropped: 0,
    /** Upgrades to WebSocket. */
    upgrades: 0,
    /** Connections over WebTransport from the beginning. */
    webTransports: 0,
    webTransportUpgrades: 0,
    acknowledged: 0,
    unacknowledged: 0,
    corrupt: 0,
  };
}

/** A client with a socket in each of some namespaces. */
export class Client {
  #manager;
  #agent = new CuttableAgent();
  /** @type {End[]} */
  #ends;
  #kind;
  #random;
  #tally;
  #onDrop;
  #disconnects = 0;
  #isCut = false;
  #isLeaving = false;

  /**
   * @param {object} init
   * @param {number} init.port
   * @param {number} init.webTransportPort
   * @param {string[]} init.namespaces
   * @param {Kind} init.kind
   * @param {string[]} init.transports
   * @param {import("./random.mjs").Random} init.random
   * @param {Tally} init.tally
   * @param {() => number} init.nextId
   * @param {(text: string) => void} init.onDrop is told of connections that end by themselves
   */
  constructor({
    port,
    webTransportPort,
    namespaces,
    kind,
    transports,
    random,
    tally,
    nextId,
    onDrop,
  }) {
    this.#onDrop = onDrop;
    this.#kind = kind;
    this.#random = random;
    this.#tally = tally;
    this.nextId = nextId;
    this.#manager = new Manager(`http://127.0.0.1:${port}`, {
      transports,
      agent: /** @type {any} */ (this.#agent),
      transportOptions: { webtransport: { port: webTransportPort, agent: this.#agent } },
      reconnectionDelay: 5,
      reconnectionDelayMax: 20,
      autoConnect: false,
    });
    this.#ends = namespaces.map((nsp) => this.#openEnd(nsp));
    tally.clients += 1;
  }

  get ends() {
    return this.#ends;
  }

  /**
   * Lives, and ends as its kind does.
   *
   * @param {number} ms how long, about
   */
  async live(ms) {
    for (const { socket } of this.#ends) socket.connect();
    this.#countTransports();
    await this.#connected();
    const until = Date.now() + ms;
    while (Date.now() < until) {
      for (let count = this.#random.below(6); count > 0; count--) this.#emit();
      await sleep(this.#random.below(60));
      if (this.#kind === "recover" && this.#random.oneIn(12)) await this.#breakOff();
    }
    if (this.#kind === "vanish") await this.#vanish();
    else await this.#sayGoodbye();
    // The last words of a client that polls may be on their way.
    setTimeout(() => this.#agent.close(), 500);
  }

  /** @param {string} nsp */
  #openEnd(nsp) {
    let connections = 0;
    const socket = this.#manager.socket(nsp, {
      auth: (answer) => answer({ kind: this.#kind, connection: ++connections, before: end.sid }),
    });
    /** @type {End} */
    const end = {
      socket,
      sid: "",
      received: new Map(),
      sent: new Map(),
      finished: new Set(),
      unacknowledged: 0,
    };
    socket.on("connect", () => {
      const sid = String(socket.id);
      if (socket.recovered) this.#tally.recovered += 1;
      end.sid = sid;
      if (!end.received.has(sid)) end.received.set(sid, []);
      const sent = end.sent.get(sid) ?? new Map();
      end.sent.set(sid, sent.set(connections, []));
      this.#isCut = false;
    });
    socket.on("event", (id, payload, ...rest) => {
      if (end.finished.has(end.sid)) return;
      end.received.get(end.sid)?.push(id);
      if (!isPayloadOf(id, payload)) this.#tally.corrupt += 1;
      // Behind the payload may be the offset, and behind that a function that answers.
      const answer = rest.at(-1);
      if (typeof answer === "function") answer(id);
    });
    socket.on("disconnect", (reason) => {
      this.#disconnects += 1;
      if (this.#isCut || this.#isLeaving) return;
      const { name } = this.#manager.engine.transport;
      this.#tally.dropped += 1;
      this.#onDrop(`a client that was to ${this.#kind} lost its ${name} connection: ${reason}`);
    });
    // A connection that was cut may fail more than once before it stands again.
    socket.on("connect_error", () => {});
    return end;
  }

  /** Each connection has an engine of its own, which is there before it is open. */
  #countTransports() {
    const watch = () => {
      const { engine } = this.#manager;
      engine.once("open", () => {
        if (engine.transport.name === "webtransport") this.#tally.webTransports += 1;
      });
      engine.once("upgrade", ({ name }) => {
        if (name === "webtransport") this.#tally.webTransportUpgrades += 1;
        else this.#tally.upgrades += 1;
      });
    };
    watch();
    this.#manager.on("reconnect_attempt", () => setImmediate(watch));
  }

  async #connected() {
    for (const { socket } of this.#ends) {
      while (!socket.connected) await once(/** @type {any} */ (socket), "connect");
    }
  }

  #emit() {
    const end = this.#random.pick(this.#ends);
    const { socket } = end;
    if (!socket.connected) return;
    const id = this.nextId();
    const payload = payloadOf(id);
    [...(end.sent.get(end.sid)?.values() ?? [])].at(-1)?.push(id);
    if (this.#kind !== "stay" || this.#random.oneIn(2)) {
      socket.emit("event", id, payload);
      return;
    }
    end.unacknowledged += 1;
    socket.emit("event", id, payload, (/** @type {number} */ same, /** @type {unknown} */ echo) => {
      if (same !== id || !isPayloadOf(id, echo)) this.#tally.corrupt += 1;
      end.unacknowledged -= 1;
      this.#tally.acknowledged += 1;
    });
  }

  /** Loses the connection, and waits until it stands again. */
  async #breakOff() {
    this.#tally.cuts += 1;
    this.#isCut = true;
    await this.#cut();
    await this.#connected();
  }

  async #vanish() {
    this.#tally.cuts += 1;
    this.#isCut = true;
    this.#manager.reconnection(false);
    await this.#cut();
  }

  /** A client that polls does not notice between two requests, but soon after. */
  async #cut() {
    const goal = this.#disconnects + this.#ends.length;
    while (this.#disconnects < goal && this.#ends.some(({ socket }) => socket.connected)) {
      this.#agent.cut();
      await sleep(10);
    }
  }

  /** Agrees with the server on the end of each stream, and goes. */
  async #sayGoodbye() {
    const isServerToLeave = this.#random.oneIn(3);
    await Promise.all(
      this.#ends.map(async (end) => {
        const { socket } = end;
        await new Promise((resolve) => {
          socket.emit("finish", () => {
            end.finished.add(end.sid);
            this.#tally.unacknowledged += end.unacknowledged;
            resolve(undefined);
          });
        });
        // Whoever closes a WebTransport session drops what is on its way: the answers that were given
        // while the server had not heard of the end must be there before.
        await new Promise((resolve) => {
          socket.emit("arrived", () => resolve(undefined));
        });
      }),
    );
    this.#isLeaving = true;
    const gone = once(/** @type {any} */ (this.#manager.engine), "close");
    if (isServerToLeave) this.#ends[0]?.socket.emit("leave");
    else for (const { socket } of this.#ends) socket.disconnect();
    await gone;
    this.#manager.reconnection(false);
  }
}
