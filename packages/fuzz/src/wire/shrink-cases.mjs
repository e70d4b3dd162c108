// oxlint-disable no-await-in-loop -- one part after the other
import { setTimeout as pause } from "node:timers/promises";
import { shrinkList, shrinkText } from "../shrink.mjs";
import { Arena } from "./arena.mjs";

/** @import { Options } from "../options.mjs" */
/** @import { Exceeded, Failure } from "./arena.mjs" */
/** @import { Case, Step } from "./steps.js" */

/** How many cases run side by side. */
const CONCURRENCY = 24;
/**
 * How many cases one attempt runs: few cases run several times, because what they do to each other
 * depends on the timing.
 */
const RUNS = 60;
/** How long attackers may stay after their last step, in ms. */
const LINGER = 100;
/** How long a failure may come after its cases, in ms. */
const AFTERMATH = 500;

/**
 * Runs cases against a process of their own.
 *
 * @param {readonly Case[]} cases
 * @param {Options} options
 * @param {Failure["kind"]} [kind] what to look for; without it, anything
 * @returns {Promise<{ failure: Failure | undefined, exceeded: Exceeded }>}
 */
export async function replay(cases, options, kind) {
  const arena = await Arena.start(options);
  try {
    const times = Math.ceil(RUNS / cases.length);
    const all = Array.from({ length: times }, () => cases).flat();
    // Some failures need attackers that leave at once, others those that stay for an answer.
    const lingerOf = (/** @type {number} */ index) => (index % 3 === 0 ? 0 : LINGER);
    await arena.run(all, CONCURRENCY, Infinity, lingerOf);
    // What crashes, crashes at once; only leftovers have to be waited for.
    if (kind === "crash" || kind === "complaint") await pause(AFTERMATH * options.patience);
    else await arena.settle();
    const exceeded = (await arena.limits()) ?? {};
    return { failure: arena.failure, exceeded };
  } finally {
    await arena.end();
  }
}

/**
 * Finds few cases with few steps that still end in the same kind of failure.
 *
 * @param {readonly Case[]} suspects the cases that ran when it happened
 * @param {readonly Case[]} batch all cases before it, too
 * @param {Failure} failure
 * @param {Options} options
 * @returns {Promise<Case[] | undefined>} undefined when it does not happen again
 */
export async function shrinkCases(suspects, batch, failure, options) {
  const end = performance.now() + options.shrink * 1000;
  const fails = async (/** @type {readonly Case[]} */ cases) => {
    if (performance.now() >= end) return false;
    const again = await replay(cases, options, failure.kind);
    return again.failure?.kind === failure.kind;
  };
  let start;
  if (suspects.length > 0 && (await fails(suspects))) start = suspects;
  else if (await fails(batch)) start = batch;
  else return undefined;
  const cases = await shrinkList(start, fails);
  for (const [index, attack] of cases.entries()) {
    const failsWith = (/** @type {Step[]} */ steps) =>
      fails(cases.with(index, { ...attack, steps }));
    const steps = await shrinkList(attack.steps, failsWith);
    for (const [at, step] of steps.entries()) {
      steps[at] = await shrinkStep(step, (smaller) => failsWith(steps.with(at, smaller)));
    }
    cases[index] = { ...attack, steps };
  }
  return cases;
}

/** @param {Step} step @param {(step: Step) => Promise<boolean>} fails @returns {Promise<Step>} */
async function shrinkStep(step, fails) {
  let rest = step;
  for (const key of ["damage", "split", "chunks", "length"]) {
    if (!(key in rest)) continue;
    const { [key]: _dropped, ...without } = /** @type {any} */ (rest);
    if (await fails(without)) rest = without;
  }
  if (rest.do === "http") {
    const { headers } = rest;
    const http = rest;
    rest = {
      ...rest,
      headers: await shrinkList(headers, (some) => fails({ ...http, headers: some })),
    };
  }
  if (rest.do === "http" && typeof rest.body === "string") {
    const http = rest;
    return { ...rest, body: await shrinkText(rest.body, (body) => fails({ ...http, body })) };
  }
  if (rest.do === "frame" && typeof rest.payload === "string") {
    const frame = rest;
    return {
      ...rest,
      payload: await shrinkText(rest.payload, (payload) => fails({ ...frame, payload })),
    };
  }
  return rest;
}
