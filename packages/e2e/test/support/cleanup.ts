import { afterEach, vi } from "vitest";

// Generous, because the machines that run this are slow and shared; no test waits for it to pass.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const pending: (() => unknown)[] = [];

/** Runs `release` after the current test, latest first, whether the test passed or not. */
export function onCleanup(release: () => unknown): void {
  pending.push(release);
}

afterEach(async () => {
  for (let release = pending.pop(); release !== undefined; release = pending.pop()) {
    await release();
  }
});
