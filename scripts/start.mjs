// npm start: install what is missing, build, serve the example chat on http://localhost:3000.
import { prepare } from "./prepare.mjs";

await prepare();

// Only now: the chat imports the packages that were just installed and built.
const { main } = await import("../examples/chat/server.js");
await main();
