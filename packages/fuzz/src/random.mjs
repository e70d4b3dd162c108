/** The 32-bit finalizer of MurmurHash 3: neighbouring numbers come out far apart. */
function scramble(/** @type {number} */ value) {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Random numbers that depend on nothing but the seed and a number of their own (SplitMix32). */
export class Random {
  #state;

  /**
   * @param {number} seed
   * @param {number} index tells the inputs of one seed apart
   */
  constructor(seed, index) {
    this.#state = scramble(seed) ^ scramble(index + 0x9e3779b9);
  }

  /** A number from 0 to 2^32 - 1. */
  next() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return scramble(this.#state);
  }

  /** A number from 0 to `limit - 1`; 0 when the limit is 0. */
  below(/** @type {number} */ limit) {
    return limit > 0 ? this.next() % limit : 0;
  }

  /** A number from `low` to `high`. */
  between(/** @type {number} */ low, /** @type {number} */ high) {
    return low + this.below(high - low + 1);
  }

  /** True once in `times` calls. */
  oneIn(/** @type {number} */ times) {
    return this.below(times) === 0;
  }

  /**
   * @template T
   * @param {readonly T[]} items at least one
   * @returns {T}
   */
  pick(items) {
    return /** @type {T} */ (items[this.below(items.length)]);
  }

  /**
   * Picks by weight, from `[weight, item]` pairs.
   *
   * @template T
   * @param {readonly (readonly [number, T])[]} choices
   * @returns {T}
   */
  weighted(choices) {
    let left = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of choices) {
      left -= weight;
      if (left < 0) return item;
    }
    return this.pick(choices)[1];
  }

  bytes(/** @type {number} */ length) {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /**
   * A list of as many items as a number below `limit` says.
   *
   * @template T
   * @param {number} limit
   * @param {() => T} make
   * @returns {T[]}
   */
  list(limit, make) {
    return Array.from({ length: this.below(limit) }, make);
  }
}
