import { OutgoingMessage, type IncomingMessage, type ServerResponse } from "node:http";

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
 * The response that middlewares get for a WebSocket upgrade or a WebTransport session: it keeps the headers for the 101
 * response; ending it destroys the connection, for nothing but the upgrade can be answered here.
 */
export class UpgradeResponse extends OutgoingMessage {
  readonly #connection: { destroy(): unknown };
  /** The names of the headers as they were set, by their lower-case form. */
  readonly #names = new Map<string, string>();
  statusCode = 200;

  constructor(connection: { destroy(): unknown }) {
    super();
    this.#connection = connection;
  }

  override setHeader(name: string, value: string | number | readonly string[]): this {
    this.#names.set(name.toLowerCase(), name);
    return super.setHeader(name, value);
  }

  writeHead(): this {
    return this;
  }

  /** Middlewares that have wrapped the response, as express-session does, call it by this name. */
  _implicitHeader(): void {
    this.writeHead();
  }

  override write(): boolean {
    return true;
  }

  override end(): this {
    this.#connection.destroy();
    return this;
  }

  /** The headers for the 101 response, with their names as they were set. */
  headerEntries(): [name: string, value: HeaderValue][] {
    return this.getHeaderNames().map((name) => [
      this.#names.get(name) ?? name,
      this.getHeader(name),
    ]);
  }
}

/** What a header may be set to. */
export type HeaderValue = string | number | readonly string[] | undefined;

/** The lines of a response's head, one line for each value (behaviour 8). */
export function headerLines(headers: Iterable<[name: string, value: HeaderValue]>): string[] {
  const lines: string[] = [];
  for (const [name, value] of headers) {
    const values = typeof value === "object" ? value : [value];
    for (const single of values) lines.push(`${name}: ${single}`);
  }
  return lines;
}
