import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { onCleanup } from "../support/cleanup.js";
import type { Probe } from "./probe.js";

/** Ignored by git. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/guard", import.meta.url));

/** Calls a method of a server in another process. */
export type CallProbe = <Name extends keyof Probe>(
  method: Name,
  ...argument: Parameters<Probe[Name]>
) => Promise<Awaited<ReturnType<Probe[Name]>>>;

/** Starts the server of probe.ts in a process of its own, which ends after the test. */
export async function startProbe(...nodeOptions: string[]): Promise<CallProbe> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "run-"));
  onCleanup(() => rm(folder, { recursive: true }));
  await bundle(folder);
  const execArgv = ["--expose-gc", "--no-warnings", ...nodeOptions];
  const child = fork(join(folder, "probe.mjs"), { execArgv });
  onCleanup(async () => {
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
  });
  const waiting = new Map<number, (result: unknown) => void>();
  child.on("message", (message) => {
    const { id, result } = message as { id: number; result: unknown };
    waiting.get(id)?.(result);
  });
  let lastId = 0;
  const call = (method: string, argument?: unknown) =>
    new Promise((resolve) => {
      waiting.set(++lastId, resolve);
      child.send({ id: lastId, method, argument });
    });
  return call as CallProbe;
}

/** Node.js 20 runs no TypeScript. */
async function bundle(dir: string): Promise<void> {
  const build = await rolldown({
    input: { probe: fileURLToPath(new URL("probe.ts", import.meta.url)) },
    platform: "node",
    resolve: { conditionNames: ["@jackfield/source", "node", "import"] },
    logLevel: "silent",
  });
  await build.write({ dir, format: "esm", entryFileNames: "[name].mjs" });
  await build.close();
}
