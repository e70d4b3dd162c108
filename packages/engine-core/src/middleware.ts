import { OutgoingMessage, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** An Express-style middleware, as `engine.use` takes it. */
export type Middleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Runs middlewares one after the other (behaviour 8).
 *
 * @param done called once: without an error after the last one, or with the first error, also for
 * one that a middleware throws; not called when a middleware answers the request itself
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  req: IncomingMessage,
  res: ServerResponse,
  done: (error?: unknown) => void,
): void {
  const run = (index: number): void => {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      done();
      return;
    }
    let called = false;
    const next = (error?: unknown): void => {
      if (called) return;
      called = true;
      if (isError(error)) done(error);
      else run(index + 1);
    };
    try {
      const result: unknown = middleware(req, res, next);
      if (result instanceof Promise) result.catch((error: unknown) => next(error ?? true));
    } catch (error) {
      next(error ?? true);
    }
  };
  run(0);
}

function isError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false && error !== "";
}

/**
 * The response that middlewares get for a WebSocket upgrade: it keeps the headers for the 101
 * response; ending it destroys the socket, for nothing but the upgrade can be answered here.
 */
export class UpgradeResponse extends OutgoingMessage {
  readonly #socket: Duplex;
  statusCode = 200;

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
  }

  writeHead(): this {
    return this;
  }

  override write(): boolean {
    return true;
  }

  override end(): this {
    this.#socket.destroy();
    return this;
  }

  /** The headers for the 101 response, one line for each value. */
  headerLines(): string[] {
    const lines: string[] = [];
    for (const [name, value] of Object.entries(this.getHeaders())) {
      for (const line of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${line}`);
    }
    return lines;
  }
}
