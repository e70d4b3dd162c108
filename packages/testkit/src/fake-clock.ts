interface Timer {
  cancel(): void;
}

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that moves only when a test moves it. Fits the `Clock` interface of the packages. */
export class FakeClock {
  #now = 0;
  readonly #timers = new Map<Timer, Pending>();

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(this.#now);
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer: Timer = { cancel: () => this.#timers.delete(timer) };
    this.#timers.set(timer, { at: this.#now + ms, callback });
    return timer;
  }

  /** Runs every timer that is due within the next `ms` milliseconds, earliest first. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#earliest(end); next !== undefined; next = this.#earliest(end)) {
      const [timer, { at, callback }] = next;
      this.#now = at;
      this.#timers.delete(timer);
      callback();
    }
    this.#now = end;
  }

  /** How many timers are running. */
  get pending(): number {
    return this.#timers.size;
  }

  #earliest(end: number): [Timer, Pending] | undefined {
    let earliest: [Timer, Pending] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= end && (earliest === undefined || entry[1].at < earliest[1].at)) {
        earliest = entry;
      }
    }
    return earliest;
  }
}
