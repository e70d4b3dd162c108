import { Socket as EngineSocket } from "engine.io-client";
import { io } from "socket.io-client";

/** Time between an answer and the next question of a witness, in ms. */
const PAUSE = 10;

/**
 * A healthy client, connected all the time: it sends numbers and must get each of them back, once
 * and in order.
 */
export class Witness {
  name;
  /** How many numbers came back. */
  answers = 0;
  /** The time of the last answer, in ms since the start of the process. */
  lastAnswer = performance.now();
  /** What went wrong. @type {string | undefined} */
  failure;
  #isLeaving = false;
  #ask;
  #leave;
  #sent = 0;
  #received = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {string} name
   * @param {(onAnswer: (number: unknown) => void, onEnd: (why: string) => void) => { ask: (number: number) => void, leave: () => void }} connect
   */
  constructor(name, connect) {
    this.name = name;
    const { ask, leave } = connect(
      (number) => this.#onAnswer(number),
      (why) => {
        if (!this.#isLeaving) this.failure ??= `${name} was disconnected: ${why}`;
      },
    );
    this.#ask = ask;
    this.#leave = leave;
  }

  /** Begins to ask. Two questions are always on their way. */
  start() {
    this.#next();
    this.#next();
  }

  leave() {
    this.#isLeaving = true;
    clearTimeout(this.#timer);
    this.#leave();
  }

  #next() {
    if (this.#isLeaving) return;
    this.#sent += 1;
    this.#ask(this.#sent);
  }

  #onAnswer(/** @type {unknown} */ number) {
    if (this.#isLeaving) return;
    this.#received += 1;
    if (number !== this.#received) {
      this.failure ??= `${this.name} got ${String(number)} in the place of ${this.#received}`;
    }
    this.answers += 1;
    this.lastAnswer = performance.now();
    this.#timer = setTimeout(() => this.#next(), PAUSE);
  }
}

/**
 * The witnesses of the servers, one for each way to connect.
 *
 * @param {readonly number[]} ports
 * @returns {Promise<Witness[]>}
 */
export async function callWitnesses([plain = 0, full = 0, bare = 0, limited = 0]) {
  const witnesses = await Promise.all([
    socketWitness("a client on WebSocket", plain, ["websocket"]),
    socketWitness("a polling client", plain, ["polling"]),
    socketWitness("a compressing client", full, ["websocket"]),
    socketWitness("an upgraded client", full, ["polling", "websocket"]),
    engineWitness("an engine client", bare),
    socketWitness("a client of the limited server", limited, ["websocket"]),
    socketWitness("a polling client of the limited server", limited, ["polling"]),
  ]);
  for (const witness of witnesses) witness.start();
  return witnesses;
}

/** @param {string} name @param {number} port @param {("polling" | "websocket")[]} transports */
async function socketWitness(name, port, transports) {
  const socket = io(`http://127.0.0.1:${port}`, {
    forceNew: true,
    reconnection: false,
    transports,
    perMessageDeflate: { threshold: 0 },
  });
  await new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(undefined));
    socket.once("connect_error", reject);
  });
  if (transports.length > 1 && socket.io.engine.transport.name === "polling") {
    await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  }
  return new Witness(name, (onAnswer, onEnd) => {
    socket.on("echo", (number) => onAnswer(number));
    socket.on("disconnect", onEnd);
    return {
      // Both ways to answer, in turns.
      ask: (number) =>
        number % 2 === 0
          ? socket.emit("echo", number, { text: "é", bytes: Buffer.of(1, 2) })
          : socket.emit("echo", number, (/** @type {unknown} */ answer) => onAnswer(answer)),
      leave: () => socket.disconnect(),
    };
  });
}

/** @param {string} name @param {number} port */
async function engineWitness(name, port) {
  const socket = new EngineSocket(`http://127.0.0.1:${port}`, { path: "/engine.io" });
  await new Promise((resolve, reject) => {
    socket.once("upgrade", () => resolve(undefined));
    socket.once("error", reject);
  });
  return new Witness(name, (onAnswer, onEnd) => {
    socket.on("message", (data) => onAnswer(Number(data)));
    socket.on("close", (reason) => onEnd(reason));
    return { ask: (number) => socket.send(String(number)), leave: () => socket.close() };
  });
}
