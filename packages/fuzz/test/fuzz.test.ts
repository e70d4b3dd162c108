import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.mjs", import.meta.url));
const LONG = { timeout: 300_000 };

/** Runs the fuzzer; resolves with the exit status and what was printed. */
async function fuzz(...args: string[]): Promise<{ status: unknown; printed: string }> {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
  }
  const [status] = await once(child, "close");
  return { status, printed };
}

/** Makes a folder that is removed after the test. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test("a seed and a number are always the same case", LONG, async () => {
  const [one, other] = await Promise.all([
    fuzz("--seed", "5", "--replay", "3,4"),
    fuzz("--seed", "5", "--replay", "3,4"),
  ]);
  const caseOf = ({ status, printed }: typeof one) => [status, printed.split("limits exceeded")[0]];
  expect(one.printed).toContain('"steps"');
  expect(caseOf(one)).toEqual(caseOf({ ...other, status: 0 }));
});

test("attackers get beyond every limit, and harm nobody", LONG, async () => {
  const cases = Array.from({ length: 800 }, (_, index) => index).join(",");
  const { status, printed } = await fuzz("--seed", "5", "--replay", cases);
  expect(printed).toContain("nothing happened");
  expect(status).toBe(0);
  const above = Object.fromEntries(
    [...printed.matchAll(/limits exceeded on the server "(\w+)": (.*)/g)].map(
      ([, server = "", counts = ""]) => [server, counts.match(/\w+(?= [1-9])/g)],
    ),
  );
  const all = [
    "maxNamespacesPerConnection",
    "maxDynamicNamespacesPerConnection",
    "maxRoomsPerSocket",
    "maxPendingAcksPerSocket",
    "eventRate",
  ];
  expect(above["everything"]).toEqual(all);
  expect(above["limited"]).toEqual(expect.arrayContaining(all));
});

test("a crash is found, made small, and happens again when it is replayed", LONG, async () => {
  const output = await temporaryFolder();
  const args = ["--only", "wire", "--seed", "1", "--defect", "crash"];
  const found = await fuzz(...args, "--shrink", "60", "--output", output);
  expect(found.printed).toMatch(/FAILED: complaint: uncaught exception: Error: planted/);
  expect(found.printed).toContain("found something, seed 1");
  expect(found.status).toBe(1);

  const file = join(output, "failure-1.json");
  expect(found.printed).toContain(`npm run fuzz -- --seed 1 --replay ${file}`);
  const script: unknown = JSON.parse(await readFile(file, "utf8"));
  expect(script).toHaveLength(1);
  const again = await fuzz(...args, "--replay", file);
  expect(again.printed).toContain("complaint: uncaught exception: Error: planted");
  expect(again.status).toBe(1);
  expect((await fuzz("--replay", file)).printed).toContain("nothing happened");
});

test.each([
  ["leak", /FAILED: leftovers: \d+ rooms \(\d+ before\)/],
  ["hang", /FAILED: (?:hang: |witness: .* ping timeout)/],
  ["loss", /FAILED: (?:witness: .* got \d+ in the place of \d+|hang: )/],
])("a %s is found", LONG, async (defect, message) => {
  const output = await temporaryFolder();
  const args = ["--only", "wire", "--seconds", "10", "--seed", "1", "--defect", defect];
  const { status, printed } = await fuzz(...args, "--shrink", "0", "--output", output);
  expect(printed).toMatch(message);
  expect(status).toBe(1);
});

test("a wrong option is refused", async () => {
  for (const args of [
    ["--seconds", "0"],
    ["--only", "x"],
    ["--seed", "x"],
    ["--defect", "x"],
    ["-x"],
  ]) {
    const { status, printed } = await fuzz(...args);
    expect(printed).toContain("npm run fuzz -- [options]");
    expect(status).toBe(2);
  }
});
