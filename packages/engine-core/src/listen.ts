import { createServer } from "node:http";
import type { AttachOptions, HttpServer } from "./attach.js";
import type { ServerOptions } from "./options.js";
import { Server } from "./server.js";

/**
 * Makes an engine and attaches it to an HTTP server (X9).
 *
 * @throws {OptionsError} ERR_OPTION_VALUE, for an option with a wrong value
 */
export function attach(httpServer: HttpServer, options?: ServerOptions & AttachOptions): Server {
  return new Server(options).attach(httpServer, options);
}

/**
 * Makes an engine on an HTTP server of its own, which answers all other requests with status 501,
 * and listens (X8). The HTTP server is `engine.httpServer`; it emits `error` when it cannot listen.
 *
 * @param callback called once the server listens
 * @throws {OptionsError} ERR_OPTION_VALUE, for an option with a wrong value
 */
export function listen(port: number, callback?: () => void): Server;
export function listen(
  port: number,
  options: (ServerOptions & AttachOptions) | undefined,
  callback?: () => void,
): Server;
export function listen(
  port: number,
  options?: (ServerOptions & AttachOptions) | (() => void),
  callback?: () => void,
): Server {
  if (typeof options === "function") return listen(port, undefined, options);
  const httpServer = createServer((_req, res) => {
    res.writeHead(501).end("Not Implemented");
  });
  const engine = attach(httpServer, options);
  httpServer.listen(port, callback);
  return engine;
}
