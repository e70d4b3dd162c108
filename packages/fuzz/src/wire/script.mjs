/** @import { Random } from "../random.mjs" */
/** @import { Step } from "./steps.js" */

/** The servers that are attacked, by index: see server.mjs. The last one is an engine by itself. */
const SERVER_COUNT = 3;
/** The index of the server that speaks no Socket.IO. */
export const ENGINE = SERVER_COUNT - 1;

/** What is between the packets of a payload of protocol 4. */
export const SEPARATOR = "\u001e";

/** What is known while a case is made up. */
export class Script {
  /** @type {Step[]} */
  steps = [];
  random;
  server;
  protocol;

  /** @param {Random} random */
  constructor(random) {
    this.random = random;
    this.server = random.below(SERVER_COUNT);
    this.protocol = random.oneIn(3) ? 3 : 4;
  }

  get path() {
    return this.server === ENGINE ? "/engine.io/" : "/socket.io/";
  }

  /** @param {Step[]} steps */
  add(...steps) {
    this.steps.push(...steps);
  }
}
