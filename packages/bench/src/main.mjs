// oxlint-disable no-await-in-loop -- one case after the other
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { fitToLimit, openFilesLimit } from "./limits.mjs";
import { measure } from "./measure.mjs";
import { parseOptions, USAGE } from "./options.mjs";
import { summarize } from "./summary.mjs";
import { HEAD, row } from "./table.mjs";

/** @import { Options } from "./options.mjs" */

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
  return (await runCases(options)) ? 0 : 1;
}

/**
 * @param {Options} options
 * @returns {Promise<boolean>} whether every case came to its end
 */
async function runCases(options) {
  const started = new Date();
  const results = [];
  const failures = [];
  const limit = openFilesLimit();
  console.log(`Per second of the server's CPU; ours = "${options.candidate}".\n\n${HEAD}`);
  for (const wanted of options.cases) {
    const bench = fitToLimit(wanted, limit);
    if (bench !== wanted) console.log(`${bench.sockets} connections only: ulimit -n is ${limit}`);
    try {
      const summary = summarize(bench, await measure(bench, options));
      results.push(summary);
      console.log(row(summary));
    } catch (error) {
      const message = /** @type {Error} */ (error).message;
      failures.push({ name: bench.name, message });
      console.log(`${bench.name} FAILED: ${message}`);
    }
  }
  write(options, { started, results, failures });
  return failures.length === 0;
}

/**
 * @param {Options} options
 * @param {{ started: Date, results: object[], failures: object[] }} outcome
 */
function write(options, { started, results, failures }) {
  const { rounds, seconds, warmUp, candidate, output } = options;
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  const report = { started, machine, rounds, seconds, warmUp, candidate, results, failures };
  mkdirSync(new URL(".", output), { recursive: true });
  writeFileSync(output, `${JSON.stringify(report, undefined, 2)}\n`);
  const took = Math.round((Date.now() - started.getTime()) / 1000);
  console.log(`\n${took} s; all numbers: ${fileURLToPath(output)}`);
}
