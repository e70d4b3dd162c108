import type { HandlerErrorSource } from "../api.js";
import { systemClock } from "../clock.js";
import { callHandler } from "../events/dispatch.js";
import { HandlerErrors } from "../handler-error.js";
import type { Clock } from "../timers.js";
import type { AdapterNamespace } from "./contract.js";

/** The part of a clock that is needed. */
export type Timers = Pick<Clock, "setTimeout">;

/** What our namespaces have beyond what adapters may expect of any. */
interface OwnNamespace {
  readonly clock?: Timers;
  handlerFailed?(error: unknown, source: HandlerErrorSource): void;
  forgetAck?(id: number): void;
}

/** The longest time that a timer of Node.js can wait, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * What the cluster adapters use of the server they run in. That may also be the official one, which
 * has no clock and nobody to tell errors to.
 */
export class ClusterHost {
  readonly clock: Timers;
  readonly #nsp: AdapterNamespace & OwnNamespace;

  constructor(nsp: AdapterNamespace) {
    this.#nsp = nsp;
    this.clock = this.#nsp.clock ?? systemClock;
  }

  /** Tells the operator. Never throws. */
  handlerFailed(error: unknown, source: HandlerErrorSource): void {
    if (typeof this.#nsp.handlerFailed === "function") {
      this.#nsp.handlerFailed(error, source);
      return;
    }
    new HandlerErrors(() => undefined).report(error, { source, nsp: this.#nsp.name });
  }

  /** Calls a function of the application, whose errors are told. */
  call(handler: (...args: never[]) => unknown, ...args: unknown[]): void {
    callHandler(this, handler, args, ["acknowledgement"]);
  }

  /** Nobody waits any more for the acknowledgements of this packet. */
  forgetAck(id: number | undefined): void {
    if (id !== undefined) this.#nsp.forgetAck?.(id);
  }
}

/** A time to wait, in milliseconds: what was asked for if that can be meant, else the default. */
export function timeoutOf(asked: unknown, byDefault: number): number {
  if (typeof asked !== "number" || !(asked > 0)) return byDefault;
  return Math.min(asked, MAX_TIMEOUT);
}
