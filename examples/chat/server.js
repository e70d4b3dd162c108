// A chat on Jackfield: rooms, nicknames, typing notices, acknowledged messages.
// Run it with `npm start` in the root folder; PORT and HOST say where it listens.
import { once } from "node:events";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { Server } from "@jackfield/socketio";
import { serveChat } from "./chat.js";
import { staticFiles } from "./static-files.js";

/** Starts a chat; resolves, once it listens, with its port, its URL and a way to stop it. */
export async function createChat({ port = 3000, host } = {}) {
  const httpServer = createServer(staticFiles(new URL("./public/", import.meta.url)));
  // A text of 1000 characters fits into 8 KB, whatever they are; nobody needs to send more.
  const io = new Server(httpServer, {
    maxHttpBufferSize: 8192,
    pingInterval: 10_000,
    pingTimeout: 5000,
  });
  const stop = serveChat(io);

  httpServer.listen(port, host);
  await once(httpServer, "listening");
  const actual = httpServer.address().port;
  return {
    port: actual,
    url: `http://localhost:${actual}`,
    async close() {
      stop();
      const closed = once(httpServer, "close");
      // Browsers open connections ahead of need; an unused one must not keep the server up.
      const timer = setTimeout(() => httpServer.closeAllConnections(), 500);
      await io.close();
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Runs the chat of the command line: PORT (3000) and HOST (all interfaces). */
export async function main() {
  const { HOST } = process.env;
  const PORT = process.env.PORT || "3000";
  const port = Number(PORT);
  if (!/^\d+$/.test(PORT) || port > 65_535) {
    console.error(`PORT must be a number from 0 to 65535, not "${PORT}".`);
    process.exitCode = 1;
    return;
  }
  try {
    const chat = await createChat({ port, host: HOST || undefined });
    console.log(`The chat is on ${chat.url} (Ctrl+C stops it)`);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => chat.close());
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    console.error(`Port ${port} is taken. Choose another one: PORT=${port + 1} npm start`);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
