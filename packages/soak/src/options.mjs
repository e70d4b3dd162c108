import { parseArgs } from "node:util";

export const USAGE = `npm run soak -- [options]

  --seconds N   how long there is load, all cycles together (default 60)
  --seed N      what the load is made from (default: another one each time)
  --clients N   clients at the same time (default 50)
  --rate N      broadcasts and messages of the server per second (default 2000)`;

/**
 * @typedef {object} Options
 * @property {number} seconds how long there is load
 * @property {number} seed what the load is made from
 * @property {number} clients how many at the same time
 * @property {number} rate what the server sends per second
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
      clients: { type: "string", default: "50" },
      rate: { type: "string", default: "2000" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    seconds: positive("seconds", values.seconds),
    seed: values.seed === undefined ? newSeed() : positive("seed", values.seed),
    clients: positive("clients", values.clients),
    rate: positive("rate", values.rate),
    help: values.help,
  };
}

function newSeed() {
  return 1 + Math.floor(Math.random() * 2 ** 31);
}

/**
 * @param {string} name
 * @param {string} text
 */
function positive(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) throw new Error(`--${name} must be a whole number`);
  return number;
}
