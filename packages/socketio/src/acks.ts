import type { AckFunction } from "./adapter/contract.js";
import { AckTimeoutError } from "./errors.js";
import type { Clock, Timer } from "./timers.js";

/** An acknowledgement that somebody wants to know the failure of. Settles at most once. */
export class PendingAck {
  readonly #onSettled: (error: Error | null, args: readonly unknown[]) => void;
  #timer: Timer | undefined;
  #settled = false;

  constructor(onSettled: (error: Error | null, args: readonly unknown[]) => void) {
    this.#onSettled = onSettled;
  }

  /** Calls `onTimeout` after `ms` milliseconds, unless settled before. */
  expireAfter(ms: number, clock: Clock, onTimeout: () => void): void {
    this.#timer = clock.setTimeout(onTimeout, ms);
  }

  settle(error: Error | null, args: readonly unknown[]): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#timer?.cancel();
    this.#onSettled(error, args);
  }
}

/**
 * What a client owes, by packet id: functions where only the answer counts, as adapters put them,
 * and {@link PendingAck}s where its absence counts, too.
 */
export class Acks extends Map<number, AckFunction | PendingAck> {
  /** Adds an acknowledgement that fails with an {@link AckTimeoutError} after `ms` milliseconds. */
  addTimed(id: number, ack: PendingAck, { ms, clock }: { ms: number; clock: Clock }): void {
    this.set(id, ack);
    ack.expireAfter(ms, clock, () => {
      this.delete(id);
      ack.settle(new AckTimeoutError(), []);
    });
  }

  /** Removes one and returns it. */
  take(id: number): AckFunction | PendingAck | undefined {
    const ack = this.get(id);
    if (ack !== undefined) this.delete(id);
    return ack;
  }

  /** Removes all, failing those that want to know (behaviour 105). */
  failAll(error: Error): void {
    const pending = [...this.values()];
    this.clear();
    for (const ack of pending) {
      if (ack instanceof PendingAck) ack.settle(error, []);
    }
  }
}
