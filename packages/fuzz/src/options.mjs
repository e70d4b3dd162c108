import { parseArgs } from "node:util";

export const USAGE = `npm run fuzz -- [options]

  --seconds N      how long (default 60)
  --seed N         what the inputs are made from (default: another one each time)
  --only KIND      "codec" or "wire" (default: both)
  --replay WHAT    runs only this: numbers of cases ("17,93"), or a file that a failure left
  --patience N     multiplies every limit of time, for slow machines (default 1)
  --shrink N       seconds in which a failure is made smaller (default 240; 0 for not at all)
  --output FOLDER  where a failure leaves its script (default: the folder of this package)
  --defect KIND    plants "crash", "leak", "hang" or "loss" in the server, to test the fuzzer`;

const DEFECTS = ["crash", "leak", "hang", "loss"];

/**
 * @typedef {object} Options
 * @property {number} seconds how long
 * @property {number} seed what the inputs are made from
 * @property {"codec" | "wire" | undefined} only this kind of attack
 * @property {string | undefined} replay only this: numbers of cases, or a file
 * @property {number} patience what every limit of time is multiplied by
 * @property {number} shrink seconds in which a failure is made smaller
 * @property {string} defect what is wrong with the server, or ""
 * @property {string} output the folder for scripts of failures
 * @property {boolean} help whether to say how to use it
 */

/**
 * @param {string[]} args
 * @returns {Options}
 * @throws {Error} when they are wrong
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string" },
      only: { type: "string" },
      replay: { type: "string" },
      patience: { type: "string", default: "1" },
      shrink: { type: "string", default: "240" },
      defect: { type: "string", default: "" },
      output: { type: "string", default: new URL("..", import.meta.url).pathname },
      help: { type: "boolean", default: false },
    },
  });
  const { only, replay, output, defect, help } = values;
  if (only !== undefined && only !== "codec" && only !== "wire") {
    throw new Error(`--only ${only}: it takes "codec" or "wire"`);
  }
  if (defect !== "" && !DEFECTS.includes(defect)) {
    throw new Error(`--defect ${defect}: it takes ${DEFECTS.join(", ")}`);
  }
  return {
    seconds: positive("seconds", values.seconds),
    seed:
      values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("seed", values.seed),
    patience: positive("patience", values.patience),
    shrink: whole("shrink", values.shrink),
    only,
    replay,
    defect,
    output,
    help,
  };
}

/** @param {string} name @param {string} text */
function positive(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: it takes a number above 0`);
  return value;
}

/** @param {string} name @param {string} text */
function whole(name, text) {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`--${name} ${text}: it takes a whole number`);
  return value;
}
