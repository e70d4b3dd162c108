/**
 * Makes a table as prettier leaves it: the first column to the left, the others to the right.
 *
 * @param {string[]} head
 * @param {string[][]} rows
 * @returns {string}
 */
export function markdownTable(head, rows) {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((cells) => (cells[column] ?? "").length)),
  );
  const pad = (/** @type {string} */ cell, /** @type {number} */ column) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const line = (/** @type {string[]} */ cells) => `| ${cells.map(pad).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/**
 * Replaces what is between `<!-- NAME -->` and `<!-- end NAME -->`.
 *
 * @param {string} document
 * @param {string} name
 * @param {string} text
 * @returns {string}
 * @throws {Error} when the document has no such place
 */
export function replaceBlock(document, name, text) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- end ${name} -->`];
  const start = document.indexOf(open);
  const end = document.indexOf(close);
  if (start < 0 || end < start) throw new Error(`there is no "${open}" to "${close}"`);
  return `${document.slice(0, start + open.length)}\n\n${text}\n\n${document.slice(end)}`;
}
