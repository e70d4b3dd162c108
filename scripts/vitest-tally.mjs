// A vitest reporter that writes { passed, failed, failures, unsteady, skipped } as JSON to the file
// named by TALLY_FILE: numbers, but for the failures, which are texts that tell which tests have
// failed and why, and the names of the tests that passed at the second attempt.
import { writeFileSync } from "node:fs";

function skipReason(test) {
  const { note } = test.result();
  if (note !== undefined) return note;
  const reasons = { skip: "no reason given", todo: "to do" };
  return `${reasons[test.options.mode] ?? "the set-up failed"} in ${test.module.relativeModuleId}`;
}

/** The file, the name, and what was thrown, the first lines of it. */
function describe(where, errors) {
  const reasons = errors.map(({ message = "", stack = "" }) => `${message}\n${stack}`);
  const lines = reasons.join("\n").split("\n");
  const ours = lines.filter((line) => !line.includes("node_modules")).slice(0, 12);
  return [where, ...ours].join("\n    ");
}

// oxlint-disable-next-line import/no-default-export -- vitest takes a reporter's default export
export default class Tally {
  onTestRunEnd(modules, unhandledErrors) {
    const failures = unhandledErrors.map((error) => describe("beside the tests", [error]));
    const tally = { passed: 0, failed: 0, failures, unsteady: [], skipped: {} };
    for (const module of modules) {
      const { relativeModuleId } = module;
      // A file that does not load and a failed beforeAll have no failed test to show for it.
      for (const container of [module, ...module.children.allSuites()]) {
        const errors = container.errors();
        const name = `${relativeModuleId} > ${container.fullName ?? "the file"}`;
        if (errors.length > 0) failures.push(describe(name, errors));
      }
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result();
        if (state === "failed") {
          failures.push(describe(`${relativeModuleId} > ${test.fullName}`, errors));
        } else if (state === "passed") {
          tally.passed += 1;
          if (test.diagnostic()?.flaky) {
            tally.unsteady.push(describe(`${relativeModuleId} > ${test.fullName}`, errors));
          }
        } else {
          const reason = skipReason(test);
          tally.skipped[reason] = (tally.skipped[reason] ?? 0) + 1;
        }
      }
    }
    tally.failed = failures.length;
    writeFileSync(process.env.TALLY_FILE, JSON.stringify(tally));
  }
}
