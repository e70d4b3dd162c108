/** @import { Case, Target } from "./cases.mjs" */
/** @import { Measurement } from "./contender.mjs" */

/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @typedef {object} Summary
 * @property {string} name of the case
 * @property {string} title of the case
 * @property {Case["unit"]} unit of the case
 * @property {number} sockets after lowering them to what the system allows
 * @property {Record<string, Spread>} servers the figures of merit by role
 * @property {Record<string, Spread>} ratios candidate to every other role, of the measurements of
 *   one round
 * @property {Verdict[]} verdicts one per target
 * @property {Record<string, Measurement[]>} measurements by role, one per round
 */

/** @typedef {Target & { value: number, isMet: boolean }} Verdict */

/**
 * Reduces the measurements of a case to medians and their ratios.
 *
 * @param {Case} bench
 * @param {Record<string, Measurement[]>} measurements by role: "official", "candidate", floors
 * @returns {Summary}
 */
export function summarize(bench, measurements) {
  const { candidate = [], ...others } = measurements;
  /** @type {Record<string, Spread>} */
  const servers = {};
  /** @type {Record<string, Spread>} */
  const ratios = {};
  for (const [role, list] of Object.entries(measurements)) {
    servers[role] = spread(list.map(({ value }) => value));
  }
  for (const [role, list] of Object.entries(others)) {
    ratios[role] = spread(list.map(({ value }, round) => (candidate[round]?.value ?? NaN) / value));
  }
  const own = servers["candidate"]?.median ?? NaN;
  const verdicts = bench.targets
    .filter(({ of }) => of === "bytes" || ratios[of] !== undefined)
    .map((target) =>
      judge(target, target.of === "bytes" ? own : (ratios[target.of]?.median ?? NaN)),
    );
  const { name, title, unit, sockets } = bench;
  return { name, title, unit, sockets, servers, ratios, verdicts, measurements };
}

/**
 * @param {Target} target
 * @param {number} value
 * @returns {Verdict}
 */
function judge(target, value) {
  const { atLeast = -Infinity, atMost = Infinity } = target;
  return { ...target, value, isMet: value >= atLeast && value <= atMost };
}

/**
 * @param {number[]} values
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? NaN;
  const high = sorted[Math.ceil(middle)] ?? NaN;
  return { median: (low + high) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}
