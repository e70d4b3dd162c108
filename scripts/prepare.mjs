// What comes before an example or a package of ours runs: install what is missing, build.
import { installDependencies } from "./pnpm.mjs";
import { requireNode, run } from "./run.mjs";

/** Says what is done, and does it; ends the process when that fails. */
export async function step(what, work) {
  console.log(`${what} ...`);
  const status = await work();
  if (status === 0) return;
  console.error(`\n${what} failed; the reason is above.`);
  process.exit(status);
}

/** Installs the dependencies and builds the packages. */
export async function prepare() {
  requireNode();
  await step("Installing", installDependencies);
  await step("Building", () => run("npm", ["run", "--silent", "build"]));
}
