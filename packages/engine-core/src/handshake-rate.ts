/** How often one address may ask for a session. */
export interface HandshakeRate {
  /** Handshakes per second, in the long run. More than 0. */
  readonly perSecond: number;
  /** Handshakes at once, after a pause. 1 or more. */
  readonly burst: number;
}

/** How many addresses are remembered. */
const MAX_ADDRESSES = 65_536;

/**
 * A token bucket for each address, kept as one number: the time at which the bucket will be full
 * again. The addresses are in the order of their last handshake; beyond 65,536 of them, those that
 * have been quiet for the longest are forgotten.
 */
export class HandshakeLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #maxAddresses: number;
  readonly #fullAt = new Map<string, number>();

  constructor({ perSecond, burst }: HandshakeRate, maxAddresses: number = MAX_ADDRESSES) {
    this.#intervalMs = 1000 / perSecond;
    this.#toleranceMs = (burst - 1) * this.#intervalMs;
    this.#maxAddresses = maxAddresses;
  }

  /** How many addresses are remembered now. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a token.
   *
   * @param now in ms
   * @returns 0, or in how many ms there will be a token
   */
  take(address: string, now: number): number {
    const fullAt = Math.max(now, this.#fullAt.get(address) ?? 0);
    const wait = fullAt - this.#toleranceMs - now;
    if (wait > 0) return wait;
    this.#fullAt.delete(address);
    this.#fullAt.set(address, fullAt + this.#intervalMs);
    if (this.#fullAt.size > this.#maxAddresses) this.#forgetOldest();
    return 0;
  }

  #forgetOldest(): void {
    for (const address of this.#fullAt.keys()) {
      this.#fullAt.delete(address);
      return;
    }
  }
}
