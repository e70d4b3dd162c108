import { isDeepStrictEqual } from "node:util";
import { clientFrame } from "./frames.mjs";

/** @import { Case } from "../cases.mjs" */
/** @import { Target, WebSocketClient } from "./websocket-client.mjs" */

/**
 * What the load does in a case. Every method ends with nothing in flight, so that the CPU time that
 * the server spent between two calls belongs to the counted operations, exactly.
 *
 * @typedef {object} Driver
 * @property {() => Promise<void>} prepare connects, and checks the contents of one answer
 * @property {() => Promise<void>} [leadIn] what is done after a pause, before work is counted
 * @property {(seconds: number) => Promise<number>} work returns the number of operations
 * @property {() => Promise<boolean>} rest closes what must not pile up; whether it did
 */

/** @typedef {{ bench: Case, target: Target }} Job */

/**
 * Sends one request and checks what comes back.
 *
 * @param {WebSocketClient} client
 * @param {Case} bench
 */
export async function checkAnswer(client, bench) {
  const answer = client.receive(bench.answer.length);
  client.send(Buffer.concat(bench.request.map(clientFrame)));
  expectAnswer(await answer, bench.answer);
}

/**
 * @param {unknown[]} received
 * @param {unknown[]} expected
 */
export function expectAnswer(received, expected) {
  if (isDeepStrictEqual(received, expected)) return;
  throw new Error(`the answer was ${show(received)}, expected ${show(expected)}`);
}

/** @param {unknown} value */
function show(value) {
  return JSON.stringify(value).slice(0, 300);
}
