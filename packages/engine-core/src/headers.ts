import type { IncomingMessage } from "node:http";
import { sessionCookie, type CookieOptions } from "./cookies.js";
import { headerLines, type HeaderValue } from "./middleware.js";
import { queryOf } from "./request.js";
import type { ResponseHeaders } from "./transports/polling.js";

/** The emitter of the `initial_headers` and `headers` events: the server. */
export interface HeadersEmitter {
  emit(
    event: "initial_headers" | "headers",
    headers: ResponseHeaders,
    req: IncomingMessage,
  ): boolean;
  listenerCount(event: "initial_headers" | "headers"): number;
}

const NO_LINES: readonly string[] = [];

/** What applications add to the headers of responses and of the 101 (behaviours 8, 21, 23). */
export class HeaderHooks {
  readonly #emitter: HeadersEmitter;
  readonly #cookie: CookieOptions | false;
  readonly #onHandlerError: (error: unknown) => void;
  /** What middlewares set for the 101 response of an upgrade in progress. */
  readonly #kept = new WeakMap<IncomingMessage, string[]>();

  constructor(
    emitter: HeadersEmitter,
    cookie: CookieOptions | false,
    onHandlerError: (error: unknown) => void,
  ) {
    this.#emitter = emitter;
    this.#cookie = cookie;
    this.#onHandlerError = onHandlerError;
  }

  get hasListeners(): boolean {
    return (
      this.#emitter.listenerCount("headers") + this.#emitter.listenerCount("initial_headers") > 0
    );
  }

  /** Keeps what middlewares have set, for the 101 response. */
  keep(req: IncomingMessage, headers: Iterable<[name: string, value: HeaderValue]>): void {
    this.#kept.set(req, headerLines(headers));
  }

  /** Adds to the headers of a response to the session with this id. */
  addToResponse(headers: ResponseHeaders, req: IncomingMessage, id: string): void {
    if (this.#cookie !== false && isInitial(req)) {
      headers["Set-Cookie"] = sessionCookie(id, this.#cookie);
    }
    this.#announce(headers, req);
  }

  /** What is added to the lines of a 101 response. There is no cookie among them (behaviour 23). */
  upgradeLines(req: IncomingMessage): readonly string[] {
    const kept = this.#kept.get(req) ?? NO_LINES;
    if (!this.hasListeners) return kept;
    const headers: ResponseHeaders = {};
    this.#announce(headers, req);
    return [...kept, ...headerLines(Object.entries(headers))];
  }

  /** Whatever a listener throws, the answer goes out: there may be packets in it. */
  #announce(headers: ResponseHeaders, req: IncomingMessage): void {
    try {
      if (isInitial(req)) this.#emitter.emit("initial_headers", headers, req);
      this.#emitter.emit("headers", headers, req);
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}

function isInitial(req: IncomingMessage): boolean {
  return !queryOf(req)["sid"];
}
