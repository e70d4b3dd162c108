// The programs that tests run, and the Debian packages they come in.
import { existsSync, readdirSync } from "node:fs";
import { run } from "./run.mjs";

const PROGRAMS = [
  { path: "/usr/bin/chromium", package: "chromium", use: "the browser tests" },
  { path: "/usr/bin/redis-server", package: "redis-server", use: "the adapter tests" },
  { path: "/usr/lib/postgresql/*/bin/postgres", package: "postgresql", use: "the adapter tests" },
];

/** Whether there is such a file; `*` stands for any folder. */
function exists(path) {
  const [parent, rest] = path.split("/*/");
  if (rest === undefined) return existsSync(path);
  return (
    existsSync(parent) &&
    readdirSync(parent).some((name) => existsSync(`${parent}/${name}/${rest}`))
  );
}

const missing = () => PROGRAMS.filter(({ path }) => !exists(path));

function aptGet(...args) {
  return run("apt-get", ["-q", "-y", ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
}

/**
 * Installs the missing programs with apt-get, which needs root.
 * Resolves with true when all of them are there; otherwise says what to install.
 */
export async function installPrograms() {
  const wanted = missing();
  if (wanted.length === 0) return true;
  const packages = wanted.map((program) => program.package);
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log(`Installing ${packages.join(", ")} ...`);
    await aptGet("update");
    await aptGet("install", "--no-install-recommends", ...packages);
  }
  const stillMissing = missing();
  for (const program of stillMissing) {
    console.error(`${program.path} is missing; ${program.use} need it.`);
  }
  if (stillMissing.length > 0) {
    const names = stillMissing.map((program) => program.package).join(" ");
    console.error(
      `Install it and try again: sudo apt-get install --no-install-recommends ${names}`,
    );
  }
  return stillMissing.length === 0;
}
