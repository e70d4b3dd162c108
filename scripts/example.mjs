// npm run example:<name>: install what is missing, build, run examples/<name>.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prepare, step } from "./prepare.mjs";
import { run } from "./run.mjs";

const folder = new URL(`../examples/${process.argv[2]}/`, import.meta.url);
const { main, scripts } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));

await prepare();
if (scripts.build !== undefined) {
  const path = fileURLToPath(folder);
  await step("Compiling", () => run("npm", ["run", "--silent", "--prefix", path, "build"]));
}

// In this process, so that it is the example itself that gets Ctrl+C and SIGTERM.
await import(new URL(main, folder));
