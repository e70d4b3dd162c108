// oxlint-disable no-await-in-loop -- one case after the other
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { parseOptions, USAGE } from "./options.mjs";
import { writeReport } from "./report/report.mjs";
import { Runner } from "./runner.mjs";
import { HEAD } from "./table.mjs";

/** @import { Curve } from "./curves.mjs" */
/** @import { Options } from "./options.mjs" */
/** @import { Failure } from "./runner.mjs" */
/** @import { Summary } from "./summary.mjs" */

/**
 * Everything that one run has found out; what the file of numbers holds.
 *
 * @typedef {object} Outcome
 * @property {string} started ISO 8601
 * @property {number} took seconds
 * @property {{ node: string, cpu: string, cores: number, kernel: string, openFiles: number }} machine
 *   what it ran on
 * @property {number} rounds how often each server was measured
 * @property {number} seconds of work per measurement
 * @property {number} warmUp seconds of work before it
 * @property {string} candidate what was compared with the official server
 * @property {Summary[]} results of the cases
 * @property {CurveResult[]} curves in the order of the pictures
 * @property {Failure[]} failures of cases that did not come to their end
 */

/**
 * @typedef {Omit<Curve, "points"> & { points: { x: number, summary: Summary }[] }} CurveResult
 *   `x` after lowering it to what the system allows
 */

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} 0; 1 when a case failed; 2 when the command line is wrong
 */
async function main(args) {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.report) {
    const outcome = JSON.parse(readFileSync(options.out, "utf8"));
    for (const file of writeReport(outcome, options.docs)) console.log(file);
    return 0;
  }
  return (await runAll(options)) ? 0 : 1;
}

/**
 * @param {Options} options
 * @returns {Promise<boolean>} whether every case came to its end
 */
async function runAll(options) {
  const started = new Date();
  const runner = new Runner(options);
  console.log(`Per second of the server's CPU; ours = "${options.candidate}".\n\n${HEAD}`);
  const results = [];
  for (const bench of options.cases) results.push(...(await runner.run(bench)));
  const curves = [];
  for (const curve of options.curves) {
    const points = [];
    for (const { x, bench } of curve.points) {
      for (const summary of await runner.run(bench)) {
        points.push({ x: x === bench.sockets ? summary.sockets : x, summary });
      }
    }
    curves.push({ ...curve, points });
  }
  const { failures, limit } = runner;
  const took = Math.round((Date.now() - started.getTime()) / 1000);
  write(options, { started, took, openFiles: limit, results, curves, failures });
  return failures.length === 0;
}

/**
 * @param {Options} options
 * @param {{ started: Date, took: number, openFiles: number, results: Summary[], curves: CurveResult[], failures: Failure[] }} found
 */
function write(options, { openFiles, took, ...found }) {
  const { rounds, seconds, warmUp, candidate, out } = options;
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    kernel: release(),
    openFiles,
  };
  const outcome = { ...found, took, machine, rounds, seconds, warmUp, candidate };
  mkdirSync(new URL(".", out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(outcome, undefined, 2)}\n`);
  console.log(`\n${took} s; all numbers: ${fileURLToPath(out)}`);
}
