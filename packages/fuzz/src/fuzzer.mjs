// oxlint-disable no-await-in-loop -- one round after the other
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Codecs, smallestInput } from "./codec/codecs.mjs";
import { show } from "./codec/violation.mjs";
import { Heap } from "./heap.mjs";
import { Arena } from "./wire/arena.mjs";
import { caseAt } from "./wire/cases.mjs";
import { printExceeded } from "./wire/limits.mjs";
import { shrinkCases } from "./wire/shrink-cases.mjs";

/** @import { Options } from "./options.mjs" */
/** @import { Exceeded, Failure } from "./wire/arena.mjs" */
/** @import { Case } from "./wire/steps.js" */

/** Cases between two looks at what is left of them. */
const BATCH = 4000;
/** Cases that run side by side. */
const CONCURRENCY = 32;
/** Codec inputs per batch of cases. */
const CODEC_ROUND = 60_000;
/** Characters of a script that are printed; the file has all of it. */
const PRINTED = 4000;
/** Time between two lines about the progress, in ms. */
const REPORT_INTERVAL = 10_000;

/** One run: rounds of codec inputs and of cases against a server, until the time is over. */
export class Fuzzer {
  #options;
  #began = performance.now();
  #lastReport = performance.now();
  #codecInputs = 0;
  #codecSeconds = 0;
  #cases = 0;
  #steps = 0;
  #wireSeconds = 0;
  #answers = 0;
  #heap = new Heap();
  /** @type {Exceeded} */
  #exceeded = {};

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
  }

  /** @returns {Promise<boolean>} whether nothing was found */
  async run() {
    const { seed, only } = this.#options;
    console.log(`seed ${seed}`);
    const codecs = new Codecs();
    const arena = only === "codec" ? undefined : await Arena.start(this.#options);
    let isClean = true;
    try {
      while (isClean && !this.#isOver()) {
        if (only !== "wire") isClean = await this.#codecRound(codecs);
        if (isClean && arena !== undefined) isClean = await this.#wireRound(arena);
        this.#report(false);
      }
      isClean &&= this.#judgeHeap();
    } finally {
      codecs.end();
      await arena?.end();
    }
    this.#report(true);
    printExceeded(this.#exceeded);
    console.log(isClean ? "nothing found" : `found something, seed ${seed}`);
    return isClean;
  }

  /** By the clock of `performance`. */
  get #end() {
    return this.#began + this.#options.seconds * 1000;
  }

  #isOver() {
    return performance.now() >= this.#end;
  }

  /** @param {Codecs} codecs */
  async #codecRound(codecs) {
    const { seed, patience } = this.#options;
    const start = performance.now();
    const job = { seed, from: this.#codecInputs, count: CODEC_ROUND, careful: false };
    const failure = await codecs.run(job, patience);
    this.#codecSeconds += (performance.now() - start) / 1000;
    if (failure === undefined) {
      this.#codecInputs += CODEC_ROUND;
      return true;
    }
    console.log(`\nFAILED: codec input ${failure.index} of seed ${seed}: ${failure.detail}`);
    if (!failure.detail.startsWith("no answer")) {
      const { name, input } = await smallestInput(seed, failure.index);
      console.log(`${name}\nminimal input: ${show(input)}`);
    }
    return false;
  }

  /** @param {Arena} arena */
  async #wireRound(arena) {
    const { seed } = this.#options;
    const start = performance.now();
    const first = this.#cases;
    const batch = Array.from({ length: BATCH }, (...[, index]) => caseAt(seed, first + index));
    const count = await arena.run(batch, CONCURRENCY, this.#end);
    const begun = batch.slice(0, count);
    const suspects = [...arena.running];
    const stats = arena.failure === undefined ? await arena.settle() : undefined;
    this.#wireSeconds += (performance.now() - start) / 1000;
    this.#cases += count;
    this.#steps += begun.reduce((sum, { steps }) => sum + steps.length, 0);
    this.#answers = arena.answers;
    if (arena.failure === undefined) {
      if (stats !== undefined) this.#heap.add(stats.heap);
      this.#exceeded = (await arena.limits()) ?? {};
      return true;
    }
    await this.#explain(arena.failure, suspects, begun, first);
    return false;
  }

  /** @param {Failure} failure @param {Case[]} suspects @param {Case[]} batch @param {number} first */
  async #explain(failure, suspects, batch, first) {
    const { seed, output } = this.#options;
    console.log(`\nFAILED: ${failure.kind}: ${failure.detail}`);
    console.log(`seed ${seed}, cases ${first} to ${first + batch.length - 1}`);
    if (this.#options.shrink === 0) return;
    console.log("shrinking ...");
    const cases = await shrinkCases(suspects, batch, failure, this.#options);
    if (cases === undefined) {
      console.log(
        `the same cases by themselves do no harm: it takes their timing, or earlier ones`,
      );
      return;
    }
    const file = join(output, `failure-${seed}.json`);
    writeFileSync(file, JSON.stringify(cases, undefined, 1));
    console.log(`minimal script:\n${JSON.stringify(cases).slice(0, PRINTED)}`);
    console.log(`npm run fuzz -- --seed ${seed} --replay ${file}`);
  }

  #judgeHeap() {
    const growth = this.#heap.complaint();
    if (growth !== undefined) console.log(`\nFAILED: ${growth}`);
    return growth === undefined;
  }

  /** @param {boolean} isLast */
  #report(isLast) {
    if (!isLast && performance.now() - this.#lastReport < REPORT_INTERVAL) return;
    this.#lastReport = performance.now();
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    console.log(
      `${seconds} s: codec inputs ${rate(this.#codecInputs, this.#codecSeconds)}, ` +
        `cases ${rate(this.#cases, this.#wireSeconds)}, ` +
        `steps ${rate(this.#steps, this.#wireSeconds)}, ` +
        `answers of the witnesses ${this.#answers}, ${this.#heap.summary()}`,
    );
  }
}

/** @param {number} count @param {number} seconds */
function rate(count, seconds) {
  return `${count} (${seconds === 0 ? 0 : Math.round(count / seconds)}/s)`;
}
