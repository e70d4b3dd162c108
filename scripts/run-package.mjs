// npm run bench, fuzz, soak: install what is missing, build, run the package of that name.
import { prepare } from "./prepare.mjs";
import { run } from "./run.mjs";

const [name, ...args] = process.argv.slice(2);

await prepare();
process.exitCode = await run(process.execPath, [`packages/${name}/src/main.mjs`, ...args]);
