import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";

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

/** Not to block the cookies of other sites than the page's: Debian's Chromium does by default. */
const PREFERENCES = { profile: { cookie_controls_mode: 0 } };

/**
 * Starts a browser without windows in which pages may use the cookies of other sites, and every
 * certificate is good. The caller has to close it.
 *
 * @param folder an empty one, for the profile: windows without one are incognito, where such
 * cookies are blocked whatever the preferences say
 */
export async function launchProfile(folder: string): Promise<BrowserContext> {
  const { chromium } = await import("playwright-core");
  await mkdir(join(folder, "Default"));
  await writeFile(join(folder, "Default/Preferences"), JSON.stringify(PREFERENCES));
  return chromium.launchPersistentContext(folder, {
    executablePath: PROGRAM,
    args: [...ARGUMENTS, "--disable-quic"],
    timeout: LAUNCH_TIMEOUT_MS,
    ignoreHTTPSErrors: true,
  });
}
