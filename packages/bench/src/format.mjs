/** @import { Case } from "./cases.mjs" */
/** @import { Spread, Summary, Verdict } from "./summary.mjs" */

/**
 * A figure of merit as text, with its unit.
 *
 * @param {Case["unit"]} unit
 * @param {number} value
 * @returns {string}
 */
export function amount(unit, value) {
  if (unit === "bytes") return bytes(value);
  if (unit === "µs") return value < 1000 ? `${value.toFixed(0)} µs` : `${fix(value / 1000)} ms`;
  return value < 1000 ? `${value.toFixed(0)}/s` : `${fix(value / 1000)} k/s`;
}

/** @param {number} value */
function bytes(value) {
  return Math.abs(value) < 1000 ? `${value.toFixed(1)} B` : `${(value / 1000).toFixed(2)} kB`;
}

/** @param {number} value */
function fix(value) {
  return value.toFixed(value < 100 ? 1 : 0);
}

/**
 * The figure of merit of one server of a case.
 *
 * @param {Summary} summary
 * @param {string} role
 * @returns {string} empty when it was not measured
 */
export function measured({ unit, servers }, role) {
  const value = servers[role];
  return value === undefined ? "" : amount(unit, value.median);
}

/**
 * @param {Spread | undefined} spread
 * @returns {string} the median, and between what it lies
 */
export function range(spread) {
  if (spread === undefined) return "";
  const { median, min, max } = spread;
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/**
 * @param {Verdict} verdict
 * @returns {string} for instance "≥ 1.8", "≥ 0.9 of TCP", "≤ 7.50 kB"
 */
export function target({ of, atLeast, atMost }) {
  const bound = atLeast ?? atMost ?? NaN;
  const text = of === "bytes" ? bytes(bound) : String(bound);
  return `${atLeast === undefined ? "≤" : "≥"} ${text}${SUFFIXES[of]}`;
}

const SUFFIXES = { official: "", bytes: "", "bare-ws": " of ws", "bare-tcp": " of TCP" };

/**
 * @param {Summary} summary
 * @returns {string} "met", or the targets that are missed; empty without targets
 */
export function verdict({ verdicts }) {
  if (verdicts.length === 0) return "";
  const missed = verdicts.filter(({ isMet }) => !isMet);
  if (missed.length === 0) return "met";
  return missed.length === verdicts.length
    ? "MISSED"
    : `MISSED ${missed.map((entry) => target(entry)).join(", ")}`;
}

/**
 * @param {Summary} summary
 * @returns {string} all targets of a case
 */
export function targets({ verdicts }) {
  return verdicts.map((entry) => target(entry)).join(", ");
}
