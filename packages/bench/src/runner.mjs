import { fitToLimit, openFilesLimit } from "./limits.mjs";
import { measure } from "./measure.mjs";
import { summarize } from "./summary.mjs";
import { row } from "./table.mjs";

/** @import { Case } from "./cases.mjs" */
/** @import { Options } from "./options.mjs" */
/** @import { Summary } from "./summary.mjs" */

/** @typedef {{ name: string, message: string }} Failure */

/** Runs cases one after the other and prints a line for each. */
export class Runner {
  /** @type {Failure[]} */
  failures = [];
  limit = openFilesLimit();
  #options;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @param {Case} wanted
   * @returns {Promise<Summary[]>} nothing when the case failed
   */
  async run(wanted) {
    const bench = fitToLimit(wanted, this.limit);
    if (bench !== wanted) {
      console.log(
        `${bench.sockets} instead of ${wanted.sockets} connections: ulimit -n is ${this.limit}`,
      );
    }
    try {
      const summary = summarize(bench, await measure(bench, this.#options));
      console.log(row(summary));
      return [summary];
    } catch (error) {
      const message = /** @type {Error} */ (error).message;
      this.failures.push({ name: bench.name, message });
      console.log(`${bench.name} FAILED: ${message}`);
      return [];
    }
  }
}
