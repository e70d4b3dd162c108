import type { EventEmitter } from "node:events";
import type { HandlerErrorSource } from "../api.js";
import { isThenable } from "../handler-error.js";

/** The `this` of listeners, which also knows where their errors go. */
export interface ListenerScope {
  /** A function of the application threw, or its promise was rejected. Never throws. */
  handlerFailed(error: unknown, source: HandlerErrorSource, event?: string | symbol): void;
}

/**
 * Calls one function of the application. Never throws: what the function throws, and the reason of
 * a promise it returns, goes to the scope.
 */
export function callHandler(
  scope: ListenerScope,
  handler: (...args: never[]) => unknown,
  args: ArrayLike<unknown>,
  origin: readonly [source: HandlerErrorSource, event?: string | symbol],
): void {
  try {
    const result: unknown = Reflect.apply(handler, scope, args);
    if (isThenable(result)) {
      result.then(undefined, (reason: unknown) => scope.handlerFailed(reason, ...origin));
    }
  } catch (error) {
    scope.handlerFailed(error, ...origin);
  }
}

/**
 * Calls the listeners of an event. Unlike `EventEmitter.emit` a listener that fails stops neither
 * the other listeners nor the caller, and an `error` without listeners is no error.
 */
export function dispatch(
  emitter: EventEmitter & ListenerScope,
  event: string | symbol,
  args: ArrayLike<unknown>,
  source: HandlerErrorSource,
): void {
  for (const listener of emitter.rawListeners(event)) {
    // Written out, not by `callHandler`: nothing is to be allocated per event here.
    try {
      const result: unknown = Reflect.apply(listener, emitter, args);
      if (isThenable(result)) {
        result.then(undefined, (reason: unknown) => emitter.handlerFailed(reason, source, event));
      }
    } catch (error) {
      emitter.handlerFailed(error, source, event);
    }
  }
}

/**
 * Takes what an adapter returns. Adapters of a cluster return promises where the contract says
 * nothing; a broker that fails must not take the process with it.
 */
export function watchAdapter(scope: ListenerScope, result: unknown): void {
  if (isThenable(result)) {
    result.then(undefined, (reason: unknown) => scope.handlerFailed(reason, "adapter"));
  }
}
