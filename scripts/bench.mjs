// oxlint-disable no-await-in-loop -- each step needs the one before
// npm run bench: install what is missing, build, compare our server with the npm package socket.io.
import { installDependencies, pnpm } from "./pnpm.mjs";
import { requireNode, run } from "./run.mjs";

requireNode();
const steps = [
  installDependencies,
  () => pnpm("run", "build"),
  () => run(process.execPath, ["packages/bench/src/main.mjs", ...process.argv.slice(2)]),
];
for (const step of steps) {
  const status = await step();
  if (status !== 0) process.exit(status);
}
