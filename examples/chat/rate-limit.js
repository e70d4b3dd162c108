// A token bucket: `burst` events at once, `perSecond` in the long run.
export class RateLimit {
  #tokens;
  #checkedAt;
  #burst;
  #perSecond;
  #now;

  constructor({ burst, perSecond, now = () => performance.now() }) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = burst;
    this.#checkedAt = now();
  }

  /** Takes a token; returns 0, or the ms to wait when there is none. */
  take() {
    const now = this.#now();
    const earned = ((now - this.#checkedAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#checkedAt = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}
