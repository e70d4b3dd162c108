import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";

// Without vitest: the process in which WebTransport is tested has this file, too.

const PROGRAM = "/usr/bin/chromium";

/** How long to wait for a browser to start: the machines that run this are slow and shared. */
export const LAUNCH_TIMEOUT_MS = 60_000;

const ARGUMENTS = [
  "--no-sandbox", // root has no sandbox
  "--disable-gpu",
  "--no-first-run",
  // Whatever else a browser does in the background needs a network.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What {@link launchChromium} takes. */
export interface ChromiumInit {
  /** Lets it speak QUIC, which WebTransport needs. Default `false`. */
  readonly hasQuic?: boolean;
}

/** Why there is no browser on this machine; `undefined` if there is one. */
export function missingChromium(): string | undefined {
  return existsSync(PROGRAM) ? undefined : `${PROGRAM} is missing`;
}

/** Starts a browser without windows, which the caller has to close. */
export async function launchChromium({ hasQuic = false }: ChromiumInit = {}): Promise<Browser> {
  // Loaded by whoever has use for it: it is large.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: PROGRAM,
    args: hasQuic ? ARGUMENTS : [...ARGUMENTS, "--disable-quic"],
    timeout: LAUNCH_TIMEOUT_MS,
  });
}
