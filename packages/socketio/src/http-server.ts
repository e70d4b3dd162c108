import createDebug from "debug";
import { createServer, type Server as HttpServer } from "node:http";
import type { HttpServerLike } from "./api.js";
import type { ServerOptions } from "./options.js";

const debug = createDebug("socket.io:server");

/** Whether the first argument of the constructor is something to attach to, not the options. */
export function isAttachable(
  target: HttpServerLike | number | string | ServerOptions | undefined,
): target is HttpServerLike | number | string {
  if (target === undefined || target === null) return false;
  // Express applications are functions, and `attach` says what is wrong with them.
  return typeof target !== "object" || typeof Reflect.get(target, "listen") === "function";
}

/** Makes an HTTP server that knows no path but that of its engine. */
export function listenOn(port: number): HttpServer {
  debug("creating an HTTP server on port %d", port);
  const httpServer = createServer((_req, res) => {
    res.writeHead(404);
    res.end();
  });
  return httpServer.listen(port);
}

/** Closes an HTTP server. Resolves with the error if it did not run. */
export function closeHttpServer(httpServer: HttpServerLike): Promise<Error | undefined> {
  return new Promise((resolve) => {
    httpServer.close((error) => resolve(error));
  });
}
