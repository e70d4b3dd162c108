// oxlint-disable no-await-in-loop -- the servers work in turns, never together
import { Contender } from "./contender.mjs";

/** @import { Case } from "./cases.mjs" */
/** @import { Measurement } from "./contender.mjs" */
/** @import { Options } from "./options.mjs" */

const PROFILES = new URL("../results/profiles/", import.meta.url);

/** Into so many turns the time of a round is cut. */
const SLICES = 4;

/**
 * Measures the servers of a case, round for round, each round with fresh processes: how a program
 * happens to be laid out and compiled differs from process to process.
 *
 * @param {Case} bench
 * @param {Options} options
 * @returns {Promise<Record<string, Measurement[]>>} by role: "official", "candidate", the floors
 * @throws {Error} when a server, the load or the protocol failed
 */
export async function measure(bench, options) {
  /** @type {Record<string, Measurement[]>} */
  const measurements = {};
  for (let round = 0; round < options.rounds; round++) {
    const floors = round < options.floorRounds ? bench.floors : [];
    const roles = ["official", "candidate", ...floors];
    const results =
      bench.unit === "bytes"
        ? await measureMemory(bench, roles, options)
        : await measureWork(bench, roles, options);
    for (const [index, role] of roles.entries()) {
      (measurements[role] ??= []).push(/** @type {Measurement} */ (results[index]));
    }
  }
  return measurements;
}

/**
 * Lets the servers work in short turns, A B B A, so that what else the machine does at the time
 * meets all of them alike. Those whose turn it is not are idle.
 *
 * @param {Case} bench
 * @param {string[]} roles
 * @param {Options} options
 */
async function measureWork(bench, roles, options) {
  /** @type {Contender[]} */
  const contenders = [];
  try {
    for (const role of roles) {
      const contender = enter(bench, role, options);
      contenders.push(contender);
      await contender.start();
      await contender.warmUp(options.warmUp);
    }
    for (let slice = 0; slice < SLICES; slice++) {
      const turns = slice % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of turns) await contender.work(options.seconds / SLICES);
    }
    return await Promise.all(contenders.map((contender) => contender.result()));
  } finally {
    await Promise.all(contenders.map((contender) => contender.end()));
  }
}

/**
 * @param {Case} bench
 * @param {string[]} roles
 * @param {Options} options
 */
async function measureMemory(bench, roles, options) {
  const results = [];
  for (const role of roles) {
    const contender = enter(bench, role, options);
    try {
      await contender.start();
      results.push(await contender.memory());
    } finally {
      await contender.end();
    }
  }
  return results;
}

/**
 * @param {Case} bench
 * @param {string} role
 * @param {Options} options
 */
function enter(bench, role, options) {
  return role === "candidate"
    ? new Contender(bench, options.candidate, options.profile ? PROFILES : undefined)
    : new Contender(bench, role);
}
