import { AckTimeoutError } from "./errors.js";
import type { Clock, Timer } from "./timers.js";

/** What a collector waits for, and whom it tells. */
export interface AckCollectorInit {
  readonly clock: Clock;
  /** Milliseconds to wait. */
  readonly timeout: number;
  /** Called once: with every response, or an error and the responses that came in time. */
  onDone(error: AckTimeoutError | null, responses: unknown[]): void;
}

/**
 * Collects the responses to one broadcast. It is complete when every server of the cluster has
 * said how many clients it has sent the packet to, and so many responses are there (B5).
 */
export class AckCollector {
  readonly #init: AckCollectorInit;
  readonly #timer: Timer;
  readonly #responses: unknown[] = [];
  #expectedServers = -1;
  #actualServers = 0;
  #expectedClients = 0;
  #isDone = false;

  constructor(init: AckCollectorInit) {
    this.#init = init;
    this.#timer = init.clock.setTimeout(() => this.#finish(new AckTimeoutError()), init.timeout);
  }

  /** The cluster has so many servers. */
  expectServers(count: number): void {
    this.#expectedServers = count;
    this.#check();
  }

  /** One server has sent the packet to so many clients. */
  addClientCount(count: number): void {
    this.#expectedClients += count;
    this.#actualServers += 1;
    this.#check();
  }

  /** One client has answered. */
  addResponse(response: unknown): void {
    this.#responses.push(response);
    this.#check();
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#isDone = true;
    this.#timer.cancel();
  }

  #check(): void {
    const isComplete =
      this.#expectedServers === this.#actualServers &&
      this.#responses.length === this.#expectedClients;
    if (isComplete) this.#finish(null);
  }

  #finish(error: AckTimeoutError | null): void {
    if (this.#isDone) return;
    this.cancel();
    if (error !== null) error.responses = this.#responses;
    this.#init.onDone(error, this.#responses);
  }
}
