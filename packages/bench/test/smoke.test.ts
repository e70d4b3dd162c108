import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const DOCUMENT = fileURLToPath(new URL("../../../docs/performance.md", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/main.mjs", import.meta.url));

/** Runs the benchmarks; resolves with the exit status and what was printed. */
async function bench(...args: string[]): Promise<{ status: unknown; printed: string }> {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
  }
  const [status] = await once(child, "close");
  return { status, printed };
}

/** Runs the cheapest case of all, shortly. */
function quickly(candidate: string, output: string): ReturnType<typeof bench> {
  return bench("--quick", "--cases", "echo1", "--candidate", candidate, "--out", output);
}

/** Names a file in a directory that is removed after the test. */
async function temporaryFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "bench-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, "numbers.json");
}

test(
  "a case runs on two servers and leaves a row and the numbers",
  { timeout: 60_000 },
  async () => {
    const output = await temporaryFile();
    const run = await quickly("official", output);

    expect(run.printed).toContain("(echo1)");
    expect(run.status).toBe(0);
    const { results, failures } = JSON.parse(await readFile(output, "utf8"));
    expect(failures).toEqual([]);
    expect(results).toHaveLength(1);
    for (const role of ["official", "candidate"]) {
      expect(results[0].measurements[role]).toHaveLength(1);
      expect(results[0].measurements[role][0].operations).toBeGreaterThan(0);
      expect(results[0].measurements[role][0].serverCpu).toBeGreaterThan(0);
    }
  },
);

test("the engine alone runs by websocket and by polling", { timeout: 60_000 }, async () => {
  const output = await temporaryFile();
  const cases = ["engine-echo10", "engine-echo1", "engine-connects", "engine-polling"];
  const run = await bench(
    "--quick",
    "--cases",
    cases.join(","),
    "--candidate",
    "official",
    "--out",
    output,
  );

  expect(run.status).toBe(0);
  const { results, failures } = JSON.parse(await readFile(output, "utf8"));
  expect(failures).toEqual([]);
  expect(results.map(({ name }: { name: string }) => name)).toEqual(cases);
  for (const { measurements } of results) {
    expect(measurements.official[0].operations).toBeGreaterThan(0);
    expect(measurements.candidate[0].operations).toBeGreaterThan(0);
  }
});

test(
  "curves and latencies are measured, and the document is written from the numbers",
  { timeout: 300_000 },
  async () => {
    const output = await temporaryFile();
    const run = await bench("--quick", "--cases", "latency", "--curves", "--out", output);
    expect(run.status).toBe(0);

    const docs = dirname(output);
    await copyFile(DOCUMENT, join(docs, "performance.md"));
    const report = await bench("--report", "--out", output, "--docs", docs);
    expect(report.status).toBe(0);
    const document = await readFile(join(docs, "performance.md"), "utf8");
    expect(document).toContain("`--cases latency`");
    const { results, curves } = JSON.parse(
      await readFile(join(docs, "performance/results.json"), "utf8"),
    );
    expect(results[0].servers.candidate.median).toBeGreaterThan(0);
    expect(curves.map(({ name }: { name: string }) => name)).toEqual([
      "deliveries",
      "memberships",
      "connections",
    ]);
    for (const { name, points } of curves) {
      expect(points).toHaveLength(2);
      expect(document).toContain(`(performance/${name}.svg)`);
      const picture = await readFile(join(docs, `performance/${name}.svg`), "utf8");
      expect(picture.match(/<polyline/g)).toHaveLength(2);
    }
  },
);

test("a server that does not start fails its case", { timeout: 60_000 }, async () => {
  const output = await temporaryFile();
  const run = await quickly("missing.mjs", output);

  expect(run.status).toBe(1);
  expect(run.printed).toContain("echo1 FAILED");
  expect(JSON.parse(await readFile(output, "utf8")).failures).toMatchObject([{ name: "echo1" }]);
});

test("an unknown case is refused with the list of cases", async () => {
  const { status, printed } = await bench("--cases", "nonsense");

  expect(status).toBe(2);
  expect(printed).toContain('there is no case "nonsense"');
  expect(printed).toContain("echo10");
});
