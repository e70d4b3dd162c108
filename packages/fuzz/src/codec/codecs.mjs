import { fork } from "node:child_process";
import { Random } from "../random.mjs";
import { shrinkValue } from "../shrink.mjs";
import { TARGETS } from "./targets.mjs";

/**
 * @typedef {object} CodecJob
 * @property {number} seed what the inputs are made from
 * @property {number} from number of the first input
 * @property {number} count of the inputs
 * @property {boolean} careful tells before each input that it begins
 */

/** @typedef {{ index: number, detail: string }} CodecFailure */

/** How long a few hundred inputs may take, in ms. */
const HANG = 20_000;

/** The process in which codecs are attacked. */
export class Codecs {
  #process = fork(new URL("child.mjs", import.meta.url), { serialization: "advanced" });

  /**
   * @param {CodecJob} job
   * @param {number} patience
   * @returns {Promise<CodecFailure | undefined>}
   */
  async run(job, patience) {
    const outcome = await this.#ask(job, patience);
    if (outcome !== "hang") return outcome;
    this.end();
    this.#process = fork(new URL("child.mjs", import.meta.url), { serialization: "advanced" });
    return { index: this.#at, detail: `no answer in ${HANG * patience} ms` };
  }

  end() {
    this.#process.kill("SIGKILL");
  }

  #at = 0;

  /** @param {CodecJob} job @param {number} patience @returns {Promise<CodecFailure | undefined | "hang">} */
  #ask(job, patience) {
    const child = this.#process;
    return new Promise((resolve) => {
      /** @type {NodeJS.Timeout} */
      let timer;
      const settle = (/** @type {CodecFailure | undefined | "hang"} */ outcome) => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(outcome);
      };
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          if (job.careful) settle("hang");
          else void this.#narrow(job, patience).then(settle);
        }, HANG * patience);
      };
      const onMessage = (/** @type {any} */ message) => {
        wait();
        if (message.at !== undefined) this.#at = message.at;
        else if (message.failed !== undefined)
          settle({ index: message.failed, detail: message.detail });
        else settle(undefined);
      };
      const onExit = () => settle({ index: this.#at, detail: "the process ended" });
      child.on("message", onMessage);
      child.on("exit", onExit);
      wait();
      child.send(job);
    });
  }

  /** Finds the input of a job that hangs. @param {CodecJob} job @param {number} patience */
  #narrow(job, patience) {
    this.end();
    this.#process = fork(new URL("child.mjs", import.meta.url), { serialization: "advanced" });
    const from = this.#at;
    return this.#ask({ ...job, from, count: job.from + job.count - from, careful: true }, patience);
  }
}

/**
 * The input of this number, as small as it can be made to fail.
 *
 * @param {number} seed
 * @param {number} index
 */
export async function smallestInput(seed, index) {
  const target = TARGETS[index % TARGETS.length];
  if (target === undefined) throw new RangeError(`no target for input ${index}`);
  const fails = (/** @type {unknown} */ input) => {
    try {
      target.check(input);
      return false;
    } catch {
      return true;
    }
  };
  const input = target.make(new Random(seed, index));
  return { name: target.name, input: fails(input) ? await shrinkValue(input, fails) : input };
}
