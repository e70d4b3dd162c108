// npm start: install what is missing, build, serve the example chat on http://localhost:3000.
import { installDependencies } from "./pnpm.mjs";
import { requireNode, run } from "./run.mjs";

async function prepare(what, work) {
  console.log(`${what} ...`);
  const status = await work();
  if (status === 0) return;
  console.error(`\n${what} failed; the reason is above.`);
  process.exit(status);
}

requireNode();
await prepare("Installing", installDependencies);
await prepare("Building", () => run("npm", ["run", "--silent", "build"]));

// Only now: the chat imports the packages that were just installed and built.
const { main } = await import("../examples/chat/server.js");
await main();
