/** @import { Case } from "./cases.mjs" */
/** @import { Measurement } from "./contender.mjs" */

/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @typedef {object} Summary
 * @property {string} name of the case
 * @property {string} title of the case
 * @property {Case["unit"]} unit of the case
 * @property {number} sockets after lowering them to what the system allows
 * @property {Record<string, Spread>} servers the figures of merit by role
 * @property {Spread} ratio candidate to official, of the measurements that followed each other
 * @property {Record<string, number>} floors candidate to floor, of the medians
 * @property {Case["budget"]} budget of the case
 * @property {boolean | undefined} withinBudget undefined without a budget
 * @property {Record<string, Measurement[]>} measurements by role, one per round
 */

/**
 * Reduces the measurements of a case to medians and their ratios.
 *
 * @param {Case} bench
 * @param {Record<string, Measurement[]>} measurements by role: "official", "candidate", floors
 * @returns {Summary}
 */
export function summarize(bench, measurements) {
  const { official = [], candidate = [] } = measurements;
  const ratio = spread(
    candidate.map(({ value }, round) => value / (official[round]?.value ?? Number.NaN)),
  );
  const servers = Object.fromEntries(
    Object.entries(measurements).map(([name, list]) => [name, spread(list.map((m) => m.value))]),
  );
  const own = servers["candidate"]?.median ?? Number.NaN;
  const floors = bench.floors
    .filter((floor) => servers[floor] !== undefined)
    .map((floor) => [floor, own / (servers[floor]?.median ?? Number.NaN)]);
  const { name, title, unit, sockets, budget } = bench;
  return {
    name,
    title,
    unit,
    sockets,
    servers,
    ratio,
    floors: Object.fromEntries(floors),
    budget,
    withinBudget: withinBudget(budget, ratio.median, own),
    measurements,
  };
}

/**
 * @param {Case["budget"]} budget
 * @param {number} ratio
 * @param {number} value
 */
function withinBudget(budget, ratio, value) {
  if (budget === undefined) return undefined;
  return "atLeast" in budget ? ratio >= budget.atLeast : value <= budget.atMost;
}

/**
 * @param {number[]} values
 * @returns {Spread}
 */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? Number.NaN;
  const high = sorted[Math.ceil(middle)] ?? Number.NaN;
  return {
    median: (low + high) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}
