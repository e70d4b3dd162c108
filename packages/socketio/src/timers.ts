/** A running timer. */
export interface Timer {
  cancel(): void;
}

/** What the package needs of a clock. */
export interface Clock {
  /** Wall time. */
  date(): Date;
  /** Calls `callback` once after `ms` milliseconds. Does not keep the process alive. */
  setTimeout(callback: () => void, ms: number): Timer;
}

/** Many coarse deadlines behind one timer: for what every connection needs. */
export interface Wheel {
  /** Expires `target` once, `ms` milliseconds from now or a little later. */
  after(ms: number, target: { expire(): void }): Timer;
}
