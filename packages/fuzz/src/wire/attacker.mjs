// oxlint-disable no-await-in-loop -- the order of the steps is the point
import { connect } from "node:net";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import { formatFrame, formatHttp } from "./format.mjs";

/** @import { Socket } from "node:net" */
/** @import { Case, Damage, SendingStep, Step } from "./steps.js" */

/** How long a step waits for bytes of the server, in ms. Many answers never come. */
const PATIENCE = 60;

/** How many characters of what the server sends are searched for ids. */
const MEMORY = 4096;

/** A connection of an attacker. */
class Connection {
  socket;
  #bytes = 0;
  #seen = 0;
  #isGone = false;
  #isOver = false;
  /** @type {(() => void) | undefined} */
  #wake;

  /**
   * @param {number} port
   * @param {(text: string) => void} onText
   */
  constructor(port, onText) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let memory = "";
    this.socket.on("data", (chunk) => {
      memory = (memory + chunk.toString("latin1")).slice(-MEMORY);
      this.#bytes += chunk.length;
      onText(memory);
      this.#wake?.();
    });
    // A reset is one of the answers that attackers get.
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#isGone = true;
      this.#wake?.();
    });
  }

  get isOver() {
    return this.#isOver || this.socket.destroyed;
  }

  destroy() {
    if (!this.#isOver) this.socket.destroy();
    this.#isOver = true;
  }

  /**
   * Closes the connection in a way that the server gets for an error. Node forgets to close a socket
   * that is reset while its end is under way, and one that is destroyed while its reset is.
   */
  reset() {
    const { connecting, writableEnded, writableLength } = this.socket;
    if (connecting || writableEnded || writableLength > 0) this.destroy();
    else if (!this.#isOver) this.socket.resetAndDestroy();
    this.#isOver = true;
  }

  /** Resolves when there are bytes that came since the last call, or the connection is gone. */
  async news() {
    if (this.#bytes === this.#seen && !this.#isGone) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, PATIENCE, undefined);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
      this.#wake = undefined;
    }
    this.#seen = this.#bytes;
  }
}

/** What an attacker learns from the server. */
class Knowledge {
  /** @type {Record<string, string[]>} */
  #values = { sid: [], pid: [], offset: [] };

  /** @param {string} text */
  learn(text) {
    this.#add("sid", /"sid":"([\w-]{20})","upgrades"/g, text);
    this.#add("pid", /"pid":"([^"]{1,40})"/g, text);
    this.#add("offset", /,"([\w.-]{5,40})"\]/g, text);
  }

  /** @param {string} text */
  fill(text) {
    return text.replace(/\{(sid|pid|offset)(\d)\}/g, (...[, kind, index]) => {
      return (
        this.#values[kind]?.[Number(index)] ?? this.#values[kind]?.at(-1) ?? "unknown-----unknown-"
      );
    });
  }

  /**
   * @param {string} kind
   * @param {RegExp} pattern
   * @param {string} text
   */
  #add(kind, pattern, text) {
    const values = this.#values[kind] ?? [];
    for (const [, value = ""] of text.matchAll(pattern)) {
      if (!values.includes(value)) values.push(value);
    }
  }
}

/**
 * Does what the case says and leaves. Never rejects.
 *
 * @param {Case} attack
 * @param {readonly number[]} ports of the servers
 * @param {Set<Promise<void>>} leaving gets what resolves when a connection is gone
 * @param {number} linger how long to stay after the last step, in ms
 */
export async function runCase({ server, steps }, ports, leaving, linger) {
  const port = ports[server] ?? 0;
  /** @type {Map<number, Connection>} */
  const connections = new Map();
  const knowledge = new Knowledge();
  const connectionOf = (/** @type {number} */ c) => {
    let connection = connections.get(c);
    if (connection === undefined || connection.isOver) {
      connection = new Connection(port, (text) => knowledge.learn(text));
      connections.set(c, connection);
      const { socket } = connection;
      /** @type {Promise<void>} */
      const gone = new Promise((resolve) => {
        socket.on("close", () => resolve());
      });
      leaving.add(gone);
      void gone.then(() => leaving.delete(gone));
    }
    return connection;
  };
  for (const step of steps) await take(step, connectionOf, knowledge);
  if (linger > 0) await pause(linger);
  for (const connection of connections.values()) connection.destroy();
}

/**
 * @param {Step} step
 * @param {(c: number) => Connection} connectionOf
 * @param {Knowledge} knowledge
 */
async function take(step, connectionOf, knowledge) {
  switch (step.do) {
    case "turn":
      await turn();
      break;
    case "await":
      await connectionOf(step.c).news();
      break;
    case "end":
      connectionOf(step.c).socket.end();
      break;
    case "destroy":
      connectionOf(step.c).destroy();
      break;
    case "reset":
      connectionOf(step.c).reset();
      break;
    case "pause":
      connectionOf(step.c).socket.pause();
      break;
    case "resume":
      connectionOf(step.c).socket.resume();
      break;
    default:
      await send(connectionOf(step.c).socket, bytesOf(filled(step, knowledge)), step.split);
  }
}

/**
 * @param {Socket} socket
 * @param {Buffer} bytes
 * @param {number | undefined} split
 */
async function send(socket, bytes, split) {
  const size = split ?? Math.max(1, bytes.length);
  for (let start = 0; start < bytes.length; start += size) {
    if (start > 0) await turn();
    if (socket.destroyed || socket.writableEnded) return;
    socket.write(bytes.subarray(start, start + size));
  }
}

/**
 * @template {SendingStep} S
 * @param {S} step
 * @param {Knowledge} knowledge
 * @returns {S}
 */
function filled(step, knowledge) {
  if (step.do === "http") {
    const { target, body } = step;
    const filledBody = typeof body === "string" ? { body: knowledge.fill(body) } : {};
    return { ...step, target: knowledge.fill(target), ...filledBody };
  }
  if (step.do === "frame" && typeof step.payload === "string") {
    return { ...step, payload: knowledge.fill(step.payload) };
  }
  return step;
}

/** @param {SendingStep} step */
function bytesOf(step) {
  /** @type {Buffer} */
  let bytes =
    step.do === "http"
      ? formatHttp(step)
      : step.do === "frame"
        ? formatFrame(step)
        : Buffer.from(step.base64, "base64");
  for (const damage of step.damage ?? []) bytes = damaged(bytes, damage);
  return bytes;
}

/**
 * @param {Buffer} bytes
 * @param {Damage} damage
 */
function damaged(bytes, { kind, at, value }) {
  const start = Math.floor(at * bytes.length);
  const before = bytes.subarray(0, start);
  const length = 1 + (value % 16);
  switch (kind) {
    case "cut":
      return before;
    case "drop":
      return Buffer.concat([before, bytes.subarray(start + length)]);
    case "double":
      return Buffer.concat([bytes.subarray(0, start + length), bytes.subarray(start)]);
    case "insert":
      return Buffer.concat([before, Buffer.from([value & 0xff]), bytes.subarray(start)]);
    default: {
      const copy = Buffer.from(bytes);
      if (start < copy.length) copy[start] = (copy[start] ?? 0) ^ (1 << (value & 7));
      return copy;
    }
  }
}
