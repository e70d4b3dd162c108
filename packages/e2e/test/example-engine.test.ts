// The example in a process of its own, as its readers start it; only the packages below it are the
// sources, bundled, so that the test needs no build and cannot meet a stale one.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Socket } from "engine.io-client";
import { rolldown } from "rolldown";
import { expect, onTestFinished, test } from "vitest";
import { received } from "./support/wait.js";

const EXAMPLE = fileURLToPath(new URL("../../../examples/engine/server.js", import.meta.url));

async function bundleExample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "jackfield-example-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const build = await rolldown({
    input: EXAMPLE,
    platform: "node",
    resolve: { conditionNames: ["@jackfield/source", "node", "import", "default"] },
    logLevel: "silent",
  });
  const file = join(folder, "server.mjs");
  await build.write({ file, format: "esm", codeSplitting: false });
  await build.close();
  return file;
}

interface RunningExample {
  readonly child: ChildProcess;
  readonly url: string;
  /** Resolves with the next line that the example prints. */
  readonly nextLine: () => Promise<string>;
}

async function startExample(): Promise<RunningExample> {
  const child = spawn(process.execPath, [await bundleExample()], {
    env: { ...process.env, NODE_OPTIONS: "", PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const url = /http:\S+/.exec(await nextLine())?.[0] ?? "";
  return { child, url, nextLine };
}

test.each([["polling"], ["websocket"]])(
  "the Engine.IO example echoes text and bytes over %s",
  { timeout: 60_000 },
  async (transport) => {
    const { child, url, nextLine } = await startExample();
    const client = new Socket(url, { transports: [transport] });
    client.binaryType = "nodebuffer" as never;
    await received(client, "open");
    for (const message of ["héllo", Buffer.from([1, 2, 3])]) {
      const echo = received(client, "message");
      client.send(message);
      expect(await echo).toEqual([message]);
    }
    const id = client.id ?? "";
    client.close();
    expect(await nextLine()).toBe(`${id}: transport close`);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  },
);
