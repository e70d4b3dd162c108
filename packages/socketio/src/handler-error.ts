import createDebug from "debug";
import type { EventEmitter } from "node:events";
import type { HandlerErrorContext } from "./api.js";

const debug = createDebug("socket.io:server");

/** Takes what functions of the application throw. */
export interface ErrorReporter {
  /** Never throws. */
  report(error: unknown, context: HandlerErrorContext): void;
}

/** Whether a value is a promise of whatever make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

/**
 * The one place where errors of the application's functions end: the reserved event
 * `handler_error`, or a warning of the process when nobody listens for it.
 */
export class HandlerErrors implements ErrorReporter {
  readonly #findEmitter: () => EventEmitter | undefined;

  /** The emitter is asked for when an error is there: what emits it may not exist before. */
  constructor(findEmitter: () => EventEmitter | undefined) {
    this.#findEmitter = findEmitter;
  }

  report(error: unknown, context: HandlerErrorContext): void {
    const emitter = this.#findEmitter();
    const listeners = emitter?.rawListeners("handler_error") ?? [];
    if (listeners.length === 0) this.#warn(error, context);
    for (const listener of listeners) {
      try {
        const result: unknown = Reflect.apply(listener, emitter, [error, context]);
        if (isThenable(result)) {
          // oxlint-disable-next-line promise/no-promise-in-callback -- the listener decides
          result.then(undefined, (reason: unknown) => this.#warn(reason, context));
        }
      } catch (thrown) {
        this.#warn(thrown, context);
      }
    }
  }

  #warn(error: unknown, { source, nsp, event }: HandlerErrorContext): void {
    debug("error in a %s of %s: %o", source, nsp, error);
    const where = event === undefined ? source : `${source} of "${String(event)}"`;
    process.emitWarning(`Unhandled error (${where}): ${messageOf(error)}`, {
      type: "SocketHandlerError",
      code: "ERR_SOCKET_HANDLER",
      detail: stackOf(error),
    });
  }
}

/** The message of whatever was thrown. Never throws itself. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "unknown error";
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error && typeof error.stack === "string" ? error.stack : messageOf(error);
}
