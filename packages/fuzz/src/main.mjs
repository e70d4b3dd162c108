import { readFileSync } from "node:fs";
import { Fuzzer } from "./fuzzer.mjs";
import { parseOptions, USAGE } from "./options.mjs";
import { caseAt } from "./wire/cases.mjs";
import { printExceeded } from "./wire/limits.mjs";
import { replay } from "./wire/shrink-cases.mjs";

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {string[]} args
 * @returns {Promise<number>} 0; 1 when something was found; 2 when the command line is wrong
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
  if (options.replay !== undefined) return replayOnly(options.replay, options);
  return (await new Fuzzer(options).run()) ? 0 : 1;
}

/** @param {string} what @param {import("./options.mjs").Options} options */
async function replayOnly(what, options) {
  const cases = /^\d+(?:,\d+)*$/.test(what)
    ? what.split(",").map((index) => caseAt(options.seed, Number(index)))
    : JSON.parse(readFileSync(what, "utf8"));
  console.log(JSON.stringify(cases, undefined, 1));
  const { failure, exceeded } = await replay(cases, options);
  printExceeded(exceeded);
  console.log(failure === undefined ? "nothing happened" : `${failure.kind}: ${failure.detail}`);
  return failure === undefined ? 0 : 1;
}
