// A vitest reporter that writes { passed, failed, skipped } as JSON to the file named by TALLY_FILE.
import { writeFileSync } from "node:fs";

function skipReason(test) {
  const { note } = test.result();
  if (note !== undefined) return note;
  const reasons = { skip: "no reason given", todo: "to do" };
  return `${reasons[test.options.mode] ?? "the set-up failed"} in ${test.module.relativeModuleId}`;
}

// oxlint-disable-next-line import/no-default-export -- vitest takes a reporter's default export
export default class Tally {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: {} };
    for (const module of modules) {
      // A file that does not load and a failed beforeAll have no failed test to show for it.
      const containers = [module, ...module.children.allSuites()];
      tally.failed += containers.filter((container) => container.errors().length > 0).length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed") {
          tally[state] += 1;
        } else {
          const reason = skipReason(test);
          tally.skipped[reason] = (tally.skipped[reason] ?? 0) + 1;
        }
      }
    }
    writeFileSync(process.env.TALLY_FILE, JSON.stringify(tally));
  }
}
