// Runs pnpm in the version that package.json pins: node scripts/pnpm.mjs <arguments of pnpm>
//
// A fresh machine has no pnpm, and the corepack that comes with older Node.js releases refuses
// today's signing keys. npx is always there; it also puts this pnpm on the PATH of what it runs,
// which is where publint looks for it.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { manifest, requireNode, run } from "./run.mjs";

const [, version] = /^pnpm@([^+]+)/.exec(manifest.packageManager);

function installedVersion() {
  // Not in this folder: there an installed pnpm of another version would fetch the pinned one.
  const { stdout } = spawnSync("pnpm", ["--version"], {
    cwd: tmpdir(),
    encoding: "utf8",
    env: { ...process.env, COREPACK_ENABLE_NETWORK: "0" },
    shell: process.platform === "win32",
    timeout: 10_000,
  });
  return stdout?.trim();
}

/** Runs pnpm with these arguments in the root folder; resolves with its exit status. */
export function pnpm(...args) {
  return installedVersion() === version
    ? run("pnpm", args)
    : run("npx", ["--yes", `pnpm@${version}`, ...args]);
}

/** Installs exactly what the lockfile says; takes a second when it is there already. */
export function installDependencies() {
  // Without a terminal pnpm would refuse to replace a node_modules that something else has made.
  return pnpm("install", "--frozen-lockfile", "--config.confirm-modules-purge=false");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  requireNode();
  process.exitCode = await pnpm(...process.argv.slice(2));
}
