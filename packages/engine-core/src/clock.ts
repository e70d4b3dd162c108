/** A running timer. */
export interface Timer {
  cancel(): void;
}

/** Time and timers of one server. Nothing else in the package reaches for them, so tests can. */
export interface Clock {
  /** Milliseconds from an arbitrary origin; never goes back. For durations. */
  now(): number;
  /** Wall time. Never for durations. */
  date(): Date;
  /** Calls `callback` once after `ms` milliseconds. Does not keep the process alive. */
  setTimeout(callback: () => void, ms: number): Timer;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
