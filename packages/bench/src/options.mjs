import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CASES } from "./cases.mjs";

/** @import { Case } from "./cases.mjs" */

/** What `--help` prints. */
export const USAGE = `npm run bench -- [options]

  --cases a,b       only these cases: ${CASES.map((bench) => bench.name).join(", ")}
  --rounds 3        how often each server is measured, in turns
  --seconds 1       how long, after warming up
  --quick           one short round, few connections, no floors: shows that it works, not how fast
  --no-floors       only the two servers
  --candidate ours  what is compared with "official": "official" again (shows the noise), or a file
  --profile         writes CPU and heap profiles of the candidate to results/profiles
  --output FILE     where the numbers go, default results/latest.json
  --help`;

/**
 * @typedef {object} Options
 * @property {Case[]} cases in the order of the table
 * @property {number} rounds how often each of the two servers is measured
 * @property {number} floorRounds how often each floor is measured
 * @property {number} seconds of work per measurement
 * @property {number} warmUp seconds of work before it
 * @property {string} candidate what is compared with "official": a name or a file
 * @property {boolean} profile whether profiles of the candidate are written
 * @property {URL} output the file for the numbers
 * @property {boolean} help whether only to say how it is used
 */

/**
 * Reads the command line.
 *
 * @param {string[]} args
 * @returns {Options}
 * @throws {Error} when an option or a case is unknown, or a number is not one
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      cases: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-floors": { type: "boolean", default: false },
      candidate: { type: "string", default: "ours" },
      profile: { type: "boolean", default: false },
      output: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const quick = values.quick;
  const rounds = Math.ceil(positive("rounds", values.rounds ?? (quick ? "1" : "3")));
  const cases = selectCases(values.cases);
  return {
    cases: quick ? cases.map(reduce) : cases,
    rounds,
    seconds: positive("seconds", values.seconds ?? (quick ? "0.2" : "1")),
    warmUp: quick ? 0.1 : 0.8,
    // A floor is only something to look at: two rounds do.
    floorRounds: quick || values["no-floors"] ? 0 : Math.min(rounds, 2),
    candidate: values.candidate,
    profile: values.profile,
    output: values.output
      ? pathToFileURL(values.output)
      : new URL("../results/latest.json", import.meta.url),
    help: values.help,
  };
}

/**
 * @param {string | undefined} names separated by commas
 * @returns {Case[]}
 */
function selectCases(names) {
  if (names === undefined) return CASES.filter((bench) => !bench.onRequest);
  return names.split(",").map((name) => {
    const found = CASES.find((bench) => bench.name === name);
    if (!found) throw new Error(`there is no case "${name}"`);
    return found;
  });
}

/**
 * @param {Case} bench
 * @returns {Case} the same with fewer connections where their number is not what is measured
 */
function reduce(bench) {
  if (bench.driver === "exchange") return bench;
  if (bench.driver === "idle") return { ...bench, sockets: 1000 };
  return bench.driver === "connects" ? { ...bench, sockets: 300 } : bench;
}

/**
 * @param {string} name
 * @param {string} value
 */
function positive(name, value) {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} must be a number greater than 0`);
}
