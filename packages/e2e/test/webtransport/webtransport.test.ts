import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepare, type Prepared } from "./prepare.js";
import type { Outcome } from "./runner.js";
import { scenarios } from "./scenarios.js";

// Every test of this file runs in a process of its own kind, for which see `prepare`.

const PREPARE_TIMEOUT_MS = 150_000;
const SCENARIO_TIMEOUT_MS = 20_000;

let prepared: Prepared | undefined;
let missing: string | undefined;
let runner: ChildProcess;

beforeAll(async () => {
  const result = await prepare();
  if (typeof result === "string") {
    missing = result;
    return;
  }
  prepared = result;
  runner = spawn(prepared.command, prepared.args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(runner, "message");
}, PREPARE_TIMEOUT_MS);

afterAll(async () => {
  if (prepared === undefined) return;
  const exited = once(runner, "exit");
  runner.disconnect();
  await exited;
  await rm(prepared.folder, { recursive: true });
});

test.for(Object.keys(scenarios))("%s", { timeout: SCENARIO_TIMEOUT_MS }, async (name, { skip }) => {
  skip(missing !== undefined, missing);
  const answered = once(runner, "message");
  runner.send(name);
  const [{ error, skipped }] = (await answered) as [Outcome];
  skip(skipped !== undefined, skipped);
  expect(error).toBeUndefined();
});
