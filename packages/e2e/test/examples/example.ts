// The examples in processes of their own, as their readers start them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { build } from "../support/build.js";
import { needBuild } from "../support/built.js";
import { onCleanup } from "../support/cleanup.js";

const ROOT = new URL("../../../../", import.meta.url);

/** What an example says of itself. */
interface Manifest {
  readonly main: string;
  readonly scripts: Readonly<Record<string, string>>;
}

/** How a process has ended. */
export type Ending = [code: number | null, signal: NodeJS.Signals | null];

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Everything it has printed so far, both streams. */
  readonly output: () => string;
  /** Resolves with the match when the output has it; rejects when the program ends without it. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** How it ends. */
  readonly ended: Promise<Ending>;
  /** Asks it to end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ending>;
}

/** An example that listens. */
export interface Example extends Running {
  readonly port: number;
  readonly url: string;
}

/** The folder of an example. */
export function folderOf(name: string): URL {
  return new URL(`examples/${name}/`, ROOT);
}

/** Builds the example, if it needs that, before the tests of the calling file. */
export function useExample(name: string): void {
  needBuild();
  beforeAll(() => {
    if (manifestOf(name).scripts["build"] !== undefined) build(folderOf(name));
  }, 180_000);
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(new URL("package.json", folderOf(name)), "utf8")) as Manifest;
}

/** Starts an example on a free port, unless `env` says otherwise; resolves when it listens. */
export function startExample(name: string, env: NodeJS.ProcessEnv = {}): Promise<Example> {
  return listening(runProgram(name, manifestOf(name).main, [], env));
}

/**
 * Starts an example that all tests of the calling file may use, and ends it after them.
 *
 * @returns how the tests get it
 */
export function shareExample(name: string): () => Example {
  let program: Running;
  let example: Example;
  beforeAll(async () => {
    program = launch(name, manifestOf(name).main);
    example = await listening(program);
  }, 30_000);
  afterAll(() => end(program));
  return () => example;
}

async function listening(running: Running): Promise<Example> {
  const [url, port] = await running.printed(/http:\/\/localhost:(\d+)/);
  return { ...running, url, port: Number(port) };
}

/** Runs a program of an example. It is ended after the test. */
export function runProgram(
  name: string,
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Running {
  const running = launch(name, file, args, env);
  onCleanup(() => end(running));
  return running;
}

function launch(
  name: string,
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Running {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, folderOf(name))), ...args], {
    env: { ...process.env, NODE_OPTIONS: "", PORT: "0", ...env },
    stdio: "pipe",
    // In a group of its own, as a terminal would have it.
    detached: true,
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      for (const look of watchers) look();
    });
  }
  const output = (): string => lines.join("\n");
  const ended = once(child, "close") as Promise<Ending>;
  const stop = (signal: NodeJS.Signals = "SIGTERM"): Promise<Ending> => {
    child.kill(signal);
    return ended;
  };
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output());
        if (match === null) return;
        watchers.delete(look);
        resolve(match);
      };
      watchers.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${output()}`)));
    });
  return { child, output, printed, ended, stop };
}

async function end({ child, output, stop }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // Whoever stops a program that has started others wants these stopped by it.
  const timer = setTimeout(() => killAll(child, output()), 10_000);
  await stop();
  clearTimeout(timer);
}

/** The processes that a program has said to have started, by name; of several the latest. */
export function processesOf(output: string): Map<string, number> {
  const found = output.matchAll(/^(.+?): +process (\d+)/gm);
  return new Map([...found].map(([, name = "", pid]) => [name, Number(pid)]));
}

/** The end of a program that does not stop when it is asked to. */
function killAll(child: ChildProcess, output: string): void {
  child.kill("SIGKILL");
  for (const pid of processesOf(output).values()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

/** Whether there is a process with this id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
