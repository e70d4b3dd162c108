/** Looks at the heap after each batch, garbage collected, before there is anything to say. */
const ENOUGH = 9;
/** What a heap may grow by between the first third and the last, in bytes: code, caches, chance. */
const ALLOWANCE = 3_000_000;
const MEGABYTE = 1e6;

/** Whether the heap of the attacked process comes back to where it was. */
export class Heap {
  /** @type {number[]} */
  #sizes = [];

  /** @param {number} size bytes */
  add(size) {
    this.#sizes.push(size);
  }

  /** What is wrong, if anything is. */
  complaint() {
    const growth = this.#growth();
    if (growth === undefined || growth <= ALLOWANCE) return undefined;
    return `the heap grows: ${this.summary()}`;
  }

  summary() {
    const last = this.#sizes.at(-1);
    if (last === undefined) return "heap not measured";
    const growth = this.#growth();
    const trend = growth === undefined ? "" : `, grown by ${(growth / MEGABYTE).toFixed(2)} MB`;
    return `heap ${(last / MEGABYTE).toFixed(1)} MB${trend}`;
  }

  /** From the first third to the last one, without the batches that warm the process up. */
  #growth() {
    if (this.#sizes.length < ENOUGH) return undefined;
    const third = Math.floor(this.#sizes.length / 3);
    const early = median(this.#sizes.slice(2, 2 + third));
    return median(this.#sizes.slice(-third)) - early;
  }
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
