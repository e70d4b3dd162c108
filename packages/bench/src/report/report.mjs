import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { amount, measured, range, targets, verdict } from "../format.mjs";
import { drawChart } from "./chart.mjs";
import { markdownTable, replaceBlock } from "./markdown.mjs";

/** @import { CurveResult, Outcome } from "../main.mjs" */
/** @import { Summary } from "../summary.mjs" */
/** @import { Series } from "./chart.mjs" */

/** The lines of a picture, by role. @type {[role: string, label: string, colour: Series["colour"]][]} */
const LINES = [
  ["candidate", "ours", "first"],
  ["official", "official", "second"],
  ["bare-tcp", "bare TCP", "third"],
];

/**
 * Writes the generated parts of performance.md, and its pictures and numbers beside it. Curves that
 * were not measured stay as they are.
 *
 * @param {Outcome} outcome of `npm run bench`
 * @param {URL} docs the folder of the document
 * @returns {string[]} the files that were written
 */
export function writeReport(outcome, docs) {
  const file = new URL("performance.md", docs);
  const folder = new URL("performance/", docs);
  mkdirSync(folder, { recursive: true });
  let document = readFileSync(file, "utf8");
  document = replaceBlock(document, "run", describeRun(outcome));
  document = replaceBlock(document, "cases", casesTable(outcome.results));
  document = replaceBlock(document, "verdict", describeVerdict(outcome));
  const pictures = outcome.curves.map((curve) => {
    document = replaceBlock(document, curve.name, curveTable(curve));
    return write(new URL(`${curve.name}.svg`, folder), curvePicture(curve));
  });
  const numbers = `${JSON.stringify(shorten(outcome), undefined, 2)}\n`;
  return [write(file, document), ...pictures, write(new URL("results.json", folder), numbers)];
}

/** @param {Outcome} outcome */
function describeRun({ started, took, machine, rounds, seconds }) {
  const { cpu, cores, node, kernel, openFiles } = machine;
  return (
    `Measured on ${started.slice(0, 10)}, ${rounds} times ${seconds} s per server and line, ` +
    `${Math.round(took / 60)} minutes in all.\n` +
    `${cpu}, ${cores} cores, Linux ${kernel}, Node.js ${node}, \`ulimit -n\` ${openFiles}.`
  );
}

/** @param {Summary[]} results */
function casesTable(results) {
  const head = [
    "work",
    "official",
    "ours",
    "ours/official (min–max)",
    "bare ws",
    "bare TCP",
    "ours/TCP",
    "target",
    "verdict",
    "`npm run bench --`",
  ];
  const rows = results.map((summary) => [
    summary.title,
    measured(summary, "official"),
    measured(summary, "candidate"),
    range(summary.ratios["official"]),
    measured(summary, "bare-ws"),
    measured(summary, "bare-tcp"),
    summary.ratios["bare-tcp"]?.median.toFixed(2) ?? "",
    targets(summary),
    verdict(summary),
    `\`--cases ${summary.name}\``,
  ]);
  return markdownTable(head, rows);
}

/** @param {Outcome} outcome */
function describeVerdict({ results, failures }) {
  const verdicts = results.flatMap((summary) => summary.verdicts);
  const missed = results.filter((summary) => summary.verdicts.some(({ isMet }) => !isMet));
  const met = verdicts.filter(({ isMet }) => isMet).length;
  const lines = [`${met} of ${verdicts.length} targets are met.`];
  if (missed.length > 0) {
    lines.push(`Missed: ${missed.map(({ title }) => title).join("; ")}.`);
  }
  for (const { name, message } of failures) lines.push(`\`${name}\` failed: ${message}.`);
  return lines.join("\n");
}

/** @param {CurveResult} curve */
function curveTable({ name, title, xLabel, points }) {
  const roles = LINES.filter(([role]) => points.some(({ summary }) => summary.servers[role]));
  const head = [xLabel, ...roles.map(([, label]) => label), "ours/official (min–max)"];
  const rows = points.map(({ x, summary }) => [
    x.toLocaleString("en"),
    ...roles.map(([role]) => measured(summary, role)),
    range(summary.ratios["official"]),
  ]);
  return `![${title}](performance/${name}.svg)\n\n${markdownTable(head, rows)}${change(points)}`;
}

/**
 * Says how far ours is from flat.
 *
 * @param {CurveResult["points"]} points
 */
function change(points) {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last) return "";
  const ends = [first, last].map(({ summary }) => summary.servers["candidate"]?.median ?? NaN);
  const percent = (100 * ((ends[1] ?? NaN) / (ends[0] ?? NaN) - 1)).toFixed(0);
  const [from, to] = ends.map((value) => amount(first.summary.unit, value));
  return `\n\nOurs from ${first.x.toLocaleString("en")} to ${last.x.toLocaleString("en")}: ${from} to ${to} (${percent} %).`;
}

/** @param {CurveResult} curve */
function curvePicture({ title, xLabel, yLabel, points }) {
  const series = LINES.map(([role, label, colour]) => ({
    label,
    colour,
    points: points.flatMap(({ x, summary }) => {
      const value = summary.servers[role];
      return value === undefined ? [] : [{ x, y: value.median, min: value.min, max: value.max }];
    }),
  })).filter((line) => line.points.length > 0);
  return drawChart({ title, xLabel, yLabel, series });
}

/**
 * @param {Outcome} outcome
 * @returns {object} the same without single measurements
 */
function shorten({ results, curves, ...rest }) {
  return {
    ...rest,
    results: results.map(withoutMeasurements),
    curves: curves.map((curve) => ({
      ...curve,
      points: curve.points.map(({ x, summary }) => ({ x, summary: withoutMeasurements(summary) })),
    })),
  };
}

/** @param {Summary} summary */
function withoutMeasurements({ name, title, unit, sockets, servers, ratios, verdicts }) {
  return { name, title, unit, sockets, servers, ratios, verdicts };
}

/**
 * @param {URL} url
 * @param {string} text
 */
function write(url, text) {
  writeFileSync(url, text);
  return fileURLToPath(url);
}
