// oxlint-disable no-await-in-loop -- each step needs the one before
// npm run soak: install what is missing, build, put a server under load and count every event.
import { installDependencies } from "./pnpm.mjs";
import { requireNode, run } from "./run.mjs";

requireNode();
const steps = [
  installDependencies,
  () => run("npm", ["run", "--silent", "build"]),
  () => run(process.execPath, ["packages/soak/src/main.mjs", ...process.argv.slice(2)]),
];
for (const step of steps) {
  const status = await step();
  if (status !== 0) process.exit(status);
}
