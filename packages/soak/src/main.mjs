// oxlint-disable no-await-in-loop -- one cycle after the other
import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "./child.mjs";
import { emptyTally } from "./client.mjs";
import { Ledger } from "./ledger.mjs";
import { parseOptions, USAGE } from "./options.mjs";
import { failuresOf, figuresOf } from "./summary.mjs";

/** How long the load of one cycle lasts, in seconds, about. */
const CYCLE_SECONDS = 5;
/** How long everything may take to be back at its base after a cycle, in ms. */
const SETTLE_MS = 30_000;
/** How long the clients may take to say goodbye at the end of a cycle, in ms. */
const LOAD_TIMEOUT_MS = 60_000;
/** How many failures are printed. */
const MAX_FAILURES = 20;

/**
 * @param {import("./options.mjs").Options} options
 * @returns {Promise<import("./summary.mjs").Result>}
 */
async function soak({ seconds, seed, clients, rate }) {
  const ledger = new Ledger();
  const tally = emptyTally();
  /** @type {string[]} */
  const drops = [];
  const server = new Child(new URL("./server.mjs", import.meta.url), {
    execArgv: ["--expose-gc"],
    onMessage: (half) => ledger.fromServer(half),
  });
  const load = new Child(new URL("./load.mjs", import.meta.url), {
    onMessage: (message) => {
      if (message.drop === undefined) ledger.fromClient(message);
      else drops.push(message.drop);
    },
  });
  const heaps = [];
  /** @type {string[]} */
  const left = [];
  try {
    const ports = await server.call("listen");
    const base = await server.call("settle");
    const cycles = Math.max(2, Math.round(seconds / CYCLE_SECONDS));
    for (let cycle = 0; cycle < cycles; cycle++) {
      await server.call("start", { seed: seed + cycle, rate });
      const order = { ...ports, clients, seconds: seconds / cycles, seed: seed + cycle * 104_729 };
      const counts = await load.call("run", order, LOAD_TIMEOUT_MS + order.seconds * 1000);
      for (const key of /** @type {(keyof typeof tally)[]} */ (Object.keys(tally))) {
        tally[key] += counts[key];
      }
      await server.call("stop");
      const rest = await settle(server, base);
      if (rest !== undefined) left.push(`cycle ${cycle + 1}: ${rest}`);
      console.log(`cycle ${cycle + 1} of ${cycles}  ${ledger.streams} sockets so far`);
      heaps.push(await server.call("heap"));
    }
    const counts = await server.call("counts");
    return { ledger, tally, heaps, left, drops, ...counts };
  } finally {
    await Promise.all([server.end(), load.end()]);
  }
}

/**
 * Waits until a server holds what it held before the load.
 *
 * @param {Child} server
 * @param {object} base
 * @returns {Promise<string | undefined>} what is left if it never does
 */
async function settle(server, base) {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const now = await server.call("settle");
    if (isDeepStrictEqual(now, base)) return undefined;
    if (Date.now() > deadline) return difference(base, now);
    await sleep(100);
  }
}

/**
 * @param {Record<string, any>} base
 * @param {Record<string, any>} now
 */
function difference(base, now) {
  return Object.keys(base)
    .filter((key) => !isDeepStrictEqual(base[key], now[key]))
    .map((key) => `${key} ${JSON.stringify(base[key])} → ${JSON.stringify(now[key])}`)
    .join(", ");
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  console.log(
    `soak  ${options.seconds} s of load, ${options.clients} clients, --seed ${options.seed}`,
  );
  const result = await soak(options);
  for (const line of figuresOf(result)) console.log(line);
  const failures = failuresOf(result);
  for (const failure of failures.slice(0, MAX_FAILURES)) console.log(`FAILED  ${failure}`);
  if (failures.length > MAX_FAILURES) {
    console.log(`... and ${failures.length - MAX_FAILURES} more`);
  }
  if (failures.length > 0) process.exitCode = 1;
}

await main();
