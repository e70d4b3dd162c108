// What the scripts of this folder share: where the repository is, and how to run a command in it.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export const manifest = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

/**
 * Runs a command in the root folder with the terminal of this process.
 * Resolves with the exit status (1 when a signal ended it, 127 when it could not be started);
 * never rejects.
 */
export function run(command, args, { quiet = false, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: quiet ? "ignore" : "inherit",
      // On Windows npm and npx are .cmd files, which only a shell can run.
      shell: process.platform === "win32",
    });
    child.on("error", (error) => {
      if (!quiet) console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Ends the process with a message when this Node.js is older than the packages support. */
export function requireNode() {
  const wanted = manifest.engines.node.replace(/^>=/, "");
  const [major, minor] = wanted.split(".").map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split(".").map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  console.error(`Jackfield needs Node.js ${wanted} or newer; this is ${process.version}.`);
  process.exit(1);
}
