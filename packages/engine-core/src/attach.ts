import type { IncomingMessage, Server as Http1Server, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "./clock.js";
import { OptionsError } from "./errors.js";
import { varySocketOptions } from "./socket-options.js";

/** The servers of Node that an engine can be attached to. */
export type HttpServer = Http1Server | HttpsServer | Http2Server | Http2SecureServer;

/** How an engine is attached to an HTTP server. */
export interface AttachOptions {
  /** What the URLs of the engine begin with. Default `"/engine.io"`. */
  path?: string;
  /** Whether upgrades for other paths are ended when nobody else serves them. Default `true`. */
  destroyUpgrade?: boolean;
  /** How long others have to serve them, in ms. Default 1000. */
  destroyUpgradeTimeout?: number;
  /** Whether the path ends with a slash (behaviour 1). Default `true`. */
  addTrailingSlash?: boolean;
}

/** What is attached. */
export interface Attachable {
  readonly opts: { readonly transports: readonly string[] };
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): unknown;
}

/**
 * Puts the engine in front of the request listeners that the HTTP server has: requests below the
 * path are the engine's, the others go on to them.
 *
 * @throws {OptionsError} ERR_OPTION_VALUE, when `path` or `destroyUpgradeTimeout` is wrong
 */
export function attach(
  engine: Attachable,
  httpServer: HttpServer,
  clock: Clock,
  options: AttachOptions = {},
): void {
  const path = resolvePath(options);
  varySocketOptions();
  // One cast: the four servers of Node share these events, but not a type that has them.
  const server = httpServer as Http1Server;
  const others = server.listeners("request") as ((...args: unknown[]) => void)[];
  server.removeAllListeners("request");
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    if (isBelow(path, req)) engine.handleRequest(req, res);
    else for (const listener of others) listener.call(server, req, res);
  });
  server.on("close", () => engine.close());
  if (engine.opts.transports.includes("websocket")) {
    const endUnserved = unservedEnder(clock, options);
    server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isBelow(path, req)) {
        engine.handleUpgrade(req, socket, head);
        return;
      }
      // Whether or not somebody else serves it: without a listener, a reset would end the process.
      socket.on("error", destroyThis);
      // One cast: the sockets of an HTTP server are network sockets.
      endUnserved?.(socket as NetSocket);
    });
  }
}

function destroyThis(this: Duplex): void {
  this.destroy();
}

/** Ends connections that asked for an upgrade which nobody answers in time (behaviour 15). */
function unservedEnder(
  clock: Clock,
  { destroyUpgrade = true, destroyUpgradeTimeout = 1000 }: AttachOptions,
): ((socket: NetSocket) => void) | undefined {
  if (!(destroyUpgradeTimeout >= 0)) {
    throw new OptionsError(
      "destroyUpgradeTimeout",
      destroyUpgradeTimeout,
      "milliseconds, from 0 on",
    );
  }
  if (!destroyUpgrade) return undefined;
  return (socket) => {
    // The connection may have served requests before.
    const { bytesWritten } = socket;
    clock.setTimeout(() => {
      if (!socket.writable || socket.bytesWritten > bytesWritten) return;
      // A peer that keeps its half open must not keep the connection.
      socket.end(() => socket.destroy());
    }, destroyUpgradeTimeout);
  };
}

function resolvePath({ path = "/engine.io", addTrailingSlash = true }: AttachOptions): string {
  if (typeof path !== "string") throw new OptionsError("path", path, "a string");
  const bare = path.endsWith("/") ? path.slice(0, -1) : path;
  return addTrailingSlash ? `${bare}/` : bare;
}

function isBelow(path: string, req: IncomingMessage): boolean {
  return req.url?.startsWith(path) === true;
}
