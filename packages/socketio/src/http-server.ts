import createDebug from "debug";
import { createServer, type Server as HttpServer } from "node:http";
import type { HttpServerLike } from "./api.js";
import type { ServerOptions } from "./options.js";
import type { Clock } from "./timers.js";

const debug = createDebug("socket.io:server");

/** How long requests in progress may keep an HTTP server open when it closes, in ms. */
const CLOSE_GRACE = 2_000;

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

/**
 * Closes an HTTP server: requests in progress may end by themselves, for as long as the engine's
 * connections may, but one that is never sent to its end must not keep the server open (Q22).
 * Resolves with the error if it did not run.
 */
export function closeHttpServer(
  httpServer: HttpServerLike,
  clock: Clock,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => {
      // Servers of HTTP/2 have no such method.
      if ("closeAllConnections" in httpServer) httpServer.closeAllConnections();
    }, CLOSE_GRACE);
    httpServer.close((error) => {
      timer.cancel();
      resolve(error);
    });
  });
}
