/** @import { Summary } from "./summary.mjs" */

/** Text of a row's cells, left to right. @type {{ head: string, width: number, cell: (summary: Summary) => string }[]} */
const COLUMNS = [
  { head: "case", width: -48, cell: ({ title, name }) => `${title} (${name})` },
  { head: "official", width: 11, cell: (summary) => amount(summary, "official") },
  { head: "ours", width: 11, cell: (summary) => amount(summary, "candidate") },
  { head: "ratio (min-max)", width: 20, cell: ratio },
  { head: "to ws", width: 7, cell: (summary) => floor(summary, "bare-ws") },
  { head: "to tcp", width: 7, cell: (summary) => floor(summary, "bare-tcp") },
  { head: "budget", width: 14, cell: budget },
];

/** The first lines of the table. */
export const HEAD = [
  line(COLUMNS.map((column) => column.head)),
  line(COLUMNS.map((column) => "-".repeat(Math.abs(column.width)))),
].join("\n");

/**
 * One line of the table.
 *
 * @param {Summary} summary
 * @returns {string}
 */
export function row(summary) {
  return line(COLUMNS.map((column) => column.cell(summary)));
}

/** @param {string[]} cells */
function line(cells) {
  return COLUMNS.map(({ width }, index) => {
    const cell = cells[index] ?? "";
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  })
    .join(" ")
    .trimEnd();
}

/**
 * @param {Summary} summary
 * @param {string} server
 */
function amount({ unit, servers }, server) {
  const value = servers[server]?.median ?? Number.NaN;
  if (unit === "bytes") return value < 1000 ? `${value.toFixed(0)} B` : `${fix(value / 1000)} kB`;
  return value < 1000 ? `${value.toFixed(0)}/s` : `${fix(value / 1000)} k/s`;
}

/** @param {number} value */
function fix(value) {
  return value.toFixed(value < 100 ? 1 : 0);
}

/** @param {Summary} summary */
function ratio({ ratio: { median, min, max } }) {
  const digits = median < 0.2 ? 3 : 2;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

/**
 * @param {Summary} summary
 * @param {string} name
 */
function floor({ floors }, name) {
  return floors[name]?.toFixed(2) ?? "";
}

/** @param {Summary} summary */
function budget({ budget: given, withinBudget }) {
  if (given === undefined) return "";
  const text = "atLeast" in given ? `>= ${given.atLeast}` : `<= ${fix(given.atMost / 1000)} kB`;
  return `${text} ${withinBudget ? "ok" : "MISS"}`;
}
