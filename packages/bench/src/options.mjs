import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CASES } from "./cases.mjs";
import { CURVES } from "./curves.mjs";
import { withSockets } from "./limits.mjs";

/** @import { Case } from "./cases.mjs" */
/** @import { Curve } from "./curves.mjs" */

/** What `--help` prints. */
export const USAGE = `npm run bench -- [options]

  --cases a,b       only these cases: ${CASES.map((bench) => bench.name).join(", ")}
  --curves          instead of the cases, how costs change with scale: ${CURVES.map(({ name }) => name).join(", ")}
  --all             the cases and the curves
  --rounds 3        how often each server is measured, in turns
  --seconds 1       how long, after warming up
  --quick           one short round, few connections, no floors: shows that it works, not how fast
  --no-floors       only the two servers
  --candidate ours  what is compared with "official": "official" again (shows the noise), or a file
  --profile         writes CPU and heap profiles of the candidate to results/profiles
  --out FILE        where the numbers go, default packages/bench/results/latest.json
  --report          writes docs/performance.md and its pictures from FILE, measures nothing
  --docs FOLDER     where that document is, default docs
  --help`;

const LATEST = new URL("../results/latest.json", import.meta.url);
const DOCS = new URL("../../../docs/", import.meta.url);
const NORMAL = { rounds: "3", seconds: "1", warmUp: 0.8 };
const QUICK = { rounds: "1", seconds: "0.2", warmUp: 0.1 };

/**
 * @typedef {object} Options
 * @property {Case[]} cases in the order of the table
 * @property {Curve[]} curves in the order of the pictures
 * @property {number} rounds how often each server is measured
 * @property {boolean} floors whether floors are measured
 * @property {number} seconds of work per measurement
 * @property {number} warmUp seconds of work before it
 * @property {string} candidate what is compared with "official": a name or a file
 * @property {boolean} profile whether profiles of the candidate are written
 * @property {URL} out the file for the numbers
 * @property {boolean} report whether to write the document from that file instead of measuring
 * @property {URL} docs the folder of the document
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
      curves: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-floors": { type: "boolean", default: false },
      candidate: { type: "string", default: "ours" },
      profile: { type: "boolean", default: false },
      out: { type: "string" },
      report: { type: "boolean", default: false },
      docs: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, candidate, profile, report, help } = values;
  const cases = selectCases(values.cases, values.curves && !values.all);
  const curves = values.curves || values.all ? CURVES : [];
  const defaults = quick ? QUICK : NORMAL;
  return {
    cases: quick ? cases.map(reduce) : cases,
    curves: quick ? curves.map(reduceCurve) : curves,
    rounds: Math.ceil(positive("rounds", values.rounds ?? defaults.rounds)),
    floors: !quick && !values["no-floors"],
    seconds: positive("seconds", values.seconds ?? defaults.seconds),
    warmUp: defaults.warmUp,
    candidate,
    profile,
    out: values.out ? pathToFileURL(values.out) : LATEST,
    report,
    docs: values.docs ? pathToFileURL(`${values.docs}/`) : DOCS,
    help,
  };
}

/**
 * @param {string | undefined} names separated by commas
 * @param {boolean} onlyNamed whether none are wanted when none are named
 * @returns {Case[]}
 */
function selectCases(names, onlyNamed) {
  if (names === undefined) return onlyNamed ? [] : CASES;
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
  if (bench.driver === "idle") return withSockets(bench, Math.min(bench.sockets, 1000));
  if (bench.driver === "broadcast") return withSockets(bench, Math.min(bench.sockets, 1000));
  return bench.driver === "connects" ? { ...bench, sockets: 300 } : bench;
}

/**
 * @param {Curve} curve
 * @returns {Curve} the same without its last point, and with few idle connections
 */
function reduceCurve(curve) {
  const points = curve.points.slice(0, -1).map((point) => {
    if (point.bench.driver !== "idle") return point;
    const x = point.x / 10;
    return { x, bench: withSockets(point.bench, x) };
  });
  return { ...curve, points };
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
