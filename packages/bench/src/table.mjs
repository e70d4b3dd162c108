import { measured, range, targets, verdict } from "./format.mjs";

/** @import { Summary } from "./summary.mjs" */

/** Text of a row's cells, left to right. @type {{ head: string, width: number, cell: (summary: Summary) => string }[]} */
const COLUMNS = [
  { head: "case", width: -58, cell: ({ title, name }) => `${title} (${name})` },
  { head: "official", width: 10, cell: (summary) => measured(summary, "official") },
  { head: "ours", width: 10, cell: (summary) => measured(summary, "candidate") },
  { head: "ratio (min–max)", width: 18, cell: ({ ratios }) => range(ratios["official"]) },
  { head: "bare ws", width: 10, cell: (summary) => measured(summary, "bare-ws") },
  { head: "ours/ws", width: 7, cell: (summary) => floor(summary, "bare-ws") },
  { head: "bare TCP", width: 10, cell: (summary) => measured(summary, "bare-tcp") },
  { head: "ours/TCP", width: 8, cell: (summary) => floor(summary, "bare-tcp") },
  { head: "target", width: -22, cell: targets },
  { head: "verdict", width: -8, cell: verdict },
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
 * @param {string} role
 */
function floor({ ratios }, role) {
  return ratios[role]?.median.toFixed(2) ?? "";
}
