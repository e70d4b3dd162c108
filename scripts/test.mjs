// npm test: install what the tests need, run every check, count.
//
// A failed check does not stop the others. The last line is "N passed, N failed": each test counts,
// and each check beside the tests counts as one. With arguments (npm test -- packages/parser) only
// vitest runs, with these arguments.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPrograms } from "./debian.mjs";
import { installDependencies, pnpm } from "./pnpm.mjs";
import { requireNode, run } from "./run.mjs";

const npmRun = (script) => run("npm", ["run", "--silent", script]);

const CHECKS = [
  { name: "build", run: () => npmRun("build") },
  { name: "format", run: () => npmRun("format:check") },
  { name: "lint", run: () => npmRun("lint") },
  { name: "types", run: () => npmRun("typecheck") },
  { name: "tests", run: runTests },
  {
    name: "fuzz",
    run: () => run(process.execPath, ["packages/fuzz/src/main.mjs", "--patience", "3"]),
  },
  {
    name: "soak",
    run: () => run(process.execPath, ["packages/soak/src/main.mjs", "--seconds", "8"]),
  },
  { name: "packages", run: () => pnpm("-r", "--no-bail", "--if-present", "run", "check:package") },
  { name: "API reference", run: () => npmRun("docs:check") },
  { name: "unused code", run: () => npmRun("knip") },
];

/** @type {{ passed: number, failed: number, failures: string[], unsteady: string[], skipped: Record<string, number> }} */
const total = { passed: 0, failed: 0, failures: [], unsteady: [], skipped: {} };
const summary = [];

function count(name, { passed, failed, failures = [], unsteady = [], skipped = {} }) {
  total.passed += passed;
  total.failed += failed;
  total.failures.push(...failures);
  total.unsteady.push(...unsteady);
  for (const [reason, times] of Object.entries(skipped)) {
    total.skipped[reason] = (total.skipped[reason] ?? 0) + times;
  }
  summary.push(`${failed === 0 ? "ok    " : "FAILED"}  ${name}`);
}

async function runTests(...args) {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-test-"));
  const file = join(folder, "tally.json");
  const reporters = [
    "--reporter=default",
    `--reporter=${import.meta.resolve("./vitest-tally.mjs")}`,
  ];
  const status = await run("npx", ["--no-install", "vitest", "run", ...reporters, ...args], {
    env: { TALLY_FILE: file },
  });
  let tally = { passed: 0, failed: 0, failures: [], unsteady: [], skipped: {} };
  try {
    tally = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    console.error("vitest ended before it could report.");
  }
  rmSync(folder, { recursive: true });
  // Whatever vitest objects to beside its tests must not pass as a success.
  if (status !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

function finish() {
  console.log(`\n${summary.join("\n")}\n`);
  // Again, because whoever reads the end of a long output wants to know what has failed.
  for (const test of total.unsteady) console.log(`passed at the second attempt: ${test}\n`);
  for (const failure of total.failures) console.log(`FAILED  ${failure}\n`);
  for (const [reason, times] of Object.entries(total.skipped)) {
    console.log(`${times} skipped: ${reason}`);
  }
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

async function main(args) {
  requireNode();
  if ((await installDependencies()) !== 0) {
    count("installing the dependencies", { passed: 0, failed: 1 });
    return;
  }
  if (!(await installPrograms())) {
    count("installing the programs that tests run", { passed: 0, failed: 1 });
  }
  const checks = args.length === 0 ? CHECKS : [{ name: "tests", run: () => runTests(...args) }];
  for (const check of checks) {
    console.log(`\n--- ${check.name}`);
    // oxlint-disable-next-line no-await-in-loop -- side by side they would mix their outputs
    const result = await check.run();
    const passed = result === 0 ? 1 : 0;
    count(check.name, typeof result === "number" ? { passed, failed: 1 - passed } : result);
  }
}

await main(process.argv.slice(2));
finish();
