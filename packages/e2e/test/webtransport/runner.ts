import { runCleanups } from "./host.js";
import { scenarios } from "./scenarios.js";

// The process in which the scenarios run: the only one with a C library that suits the QUIC binding.
// It is told names of scenarios, one at a time, and answers how they ended.

/** How a scenario ended; without an `error`, well. */
export interface Outcome {
  readonly error?: string;
  /** Why it could not be run. */
  readonly skipped?: string;
}

/** Long enough for every machine, and shorter than what the test waits for the outcome. */
const TIMEOUT_MS = 15_000;

const rejections: unknown[] = [];
process.on("unhandledRejection", (error) => rejections.push(error));

async function run(name: string): Promise<Outcome> {
  const scenario = scenarios[name];
  if (scenario === undefined) return { error: `there is no scenario "${name}"` };
  rejections.length = 0;
  let outcome: Outcome;
  try {
    const skipped = await withinTime(scenario.run());
    outcome = skipped === undefined ? {} : { skipped };
  } catch (error) {
    outcome = { error: describe(error) };
  }
  await runCleanups();
  // The Engine.IO client leaves promises alone that are rejected when a session ends.
  if (outcome.error === undefined && !scenario.usesEngineClient && rejections.length > 0) {
    outcome = { error: `unhandled: ${rejections.map(describe).join("\n")}` };
  }
  return outcome;
}

/** Rejects when the promise takes so long that it will not be settled any more. */
async function withinTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("nothing happens any more")), TIMEOUT_MS);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

process.on("message", (name: string) => {
  run(name).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => process.send?.({ error: describe(error) } satisfies Outcome),
  );
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
