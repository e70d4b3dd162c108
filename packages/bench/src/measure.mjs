// oxlint-disable no-await-in-loop -- the servers work in turns, never together
import { Contender } from "./contender.mjs";

/** @import { Case } from "./cases.mjs" */
/** @import { Measurement } from "./contender.mjs" */
/** @import { Options } from "./options.mjs" */

const PROFILES = new URL("../results/profiles/", import.meta.url);

/** Into so many turns the time of a round is cut. */
const SLICES = 4;

/** So often the turns of a round are taken where latency is measured. */
const LATENCY_TIMES = 5;

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
    const roles = ["official", "candidate", ...(options.floors ? bench.floors : [])];
    const results = await measureRound(bench, roles, options);
    for (const [index, role] of roles.entries()) {
      (measurements[role] ??= []).push(/** @type {Measurement} */ (results[index]));
    }
  }
  return measurements;
}

/**
 * @param {Case} bench
 * @param {string[]} roles
 * @param {Options} options
 */
function measureRound(bench, roles, options) {
  if (bench.unit === "bytes") return measureMemory(bench, roles, options);
  if (bench.unit === "µs") return measureLatency(bench, roles, options);
  return measureWork(bench, roles, options);
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
  return withContenders(bench, roles, options, async (contenders) => {
    await takeTurns(contenders, (contender) => contender.work(options.seconds / SLICES));
    return Promise.all(contenders.map((contender) => contender.result()));
  });
}

/**
 * Finds out how much the official server can do in a second, kept busy; then all servers get half
 * of that per second, in turns. (A second of the clock, unlike everywhere else: what the machine
 * does besides takes the same part of it then and later.)
 *
 * @param {Case} bench
 * @param {string[]} roles
 * @param {Options} options
 */
async function measureLatency(bench, roles, options) {
  return withContenders(bench, roles, options, async (contenders) => {
    const [official] = contenders;
    if (official === undefined) return [];
    await official.work(options.seconds);
    const { operations, wall = NaN } = await official.result();
    const rate = operations / wall / 2;
    const seconds = options.seconds / SLICES;
    // Longer than other work: of the answers, one in a hundred says what is wanted.
    for (let time = 0; time < LATENCY_TIMES; time++) {
      await takeTurns(contenders, (contender) => contender.pace(seconds, rate));
    }
    return contenders.map((contender) => contender.latency(rate));
  });
}

/**
 * Starts the servers of a case, warms them up, and ends them whatever happens.
 *
 * @template T
 * @param {Case} bench
 * @param {string[]} roles
 * @param {Options} options
 * @param {(contenders: Contender[]) => Promise<T>} use
 */
async function withContenders(bench, roles, options, use) {
  /** @type {Contender[]} */
  const contenders = [];
  try {
    for (const role of roles) {
      const contender = enter(bench, role, options);
      contenders.push(contender);
      await contender.start();
      await contender.warmUp(options.warmUp);
    }
    return await use(contenders);
  } finally {
    await Promise.all(contenders.map((contender) => contender.end()));
  }
}

/**
 * A B B A A B B A: whatever else drifts meets all of them alike.
 *
 * @param {Contender[]} contenders
 * @param {(contender: Contender) => Promise<void>} turn
 */
async function takeTurns(contenders, turn) {
  for (let slice = 0; slice < SLICES; slice++) {
    const order = slice % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) await turn(contender);
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
