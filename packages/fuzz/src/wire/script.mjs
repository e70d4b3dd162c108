/** @import { Random } from "../random.mjs" */
/** @import { Step } from "./steps.js" */

// The servers that are attacked, by index: see server.mjs.
export const PLAIN = 0;
export const FULL = 1;
/** The one that speaks no Socket.IO. */
export const ENGINE = 2;
export const LIMITED = 3;
/** How many servers a case is made for at first; see cases.mjs. */
const SERVER_COUNT = 3;

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
    return pathOf(this.server);
  }

  /** @param {Step[]} steps */
  add(...steps) {
    this.steps.push(...steps);
  }
}

/** What the URLs of a server begin with. @param {number} server */
export function pathOf(server) {
  return server === ENGINE ? "/engine.io/" : "/socket.io/";
}
