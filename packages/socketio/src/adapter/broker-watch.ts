import type { Timer } from "../timers.js";
import { ClusterError } from "./cluster-error.js";
import type { Timers } from "./cluster-host.js";

/** Milliseconds without any answer after which a broker counts as stalled. */
const STALL_TIMEOUT = 5000;

/** Who is told of failures. */
export interface FailureListener {
  handlerFailed(error: unknown, source: "adapter"): void;
}

/**
 * Tells the operator that a broker fails, or does not answer: once, until something has worked
 * again. A broker that dies under load refuses thousands of messages, and all for the same reason.
 */
export class BrokerWatch {
  readonly #listener: FailureListener;
  readonly #timers: Timers | undefined;
  #isFailing = false;
  #isClosed = false;
  #pending = 0;
  #hasProgress = false;
  #timer: Timer | undefined;

  /** Without timers it does not notice that a broker stalls. */
  constructor(listener: FailureListener, timers?: Timers) {
    this.#listener = listener;
    this.#timers = timers;
  }

  /** Takes the promise of something that the broker is to do. Its rejection is handled then. */
  watch(promise: PromiseLike<unknown>): void {
    this.#pending += 1;
    if (this.#timer === undefined && !this.#isClosed) this.#await();
    promise.then(this.#worked, this.#failed);
  }

  /** Nobody is told any more: the connections to the broker may go before what waits for them. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #await(): void {
    this.#hasProgress = false;
    this.#timer = this.#timers?.setTimeout(() => {
      if (!this.#hasProgress) this.#fail(stalled());
      this.#await();
    }, STALL_TIMEOUT);
  }

  #settled(): void {
    this.#hasProgress = true;
    this.#pending -= 1;
    if (this.#pending > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #fail(error: unknown): void {
    if (this.#isFailing || this.#isClosed) return;
    this.#isFailing = true;
    this.#listener.handlerFailed(error, "adapter");
  }

  readonly #worked = (): void => {
    this.#settled();
    this.#isFailing = false;
  };

  readonly #failed = (error: unknown): void => {
    this.#settled();
    this.#fail(error);
  };
}

function stalled(): ClusterError {
  const text = `the broker has not answered for ${STALL_TIMEOUT} ms`;
  return new ClusterError("ERR_CLUSTER_TIMEOUT", text);
}
