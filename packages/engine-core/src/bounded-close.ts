import type { Scheduler } from "./timer-wheel.js";

/** Something that is being closed. */
export interface Ending {
  /** Whether it is closed, and nothing of it is left. */
  readonly ended: boolean;
  /** Ends it at once. */
  destroy(): void;
}

/** Time between two looks at something that is being closed, in ms. */
const LOOK_INTERVAL = 100;

/**
 * Waits for `ending` to end by itself, for `ms` milliseconds at most; then destroys it.
 *
 * It looks every 100 ms: no event tells for every kind of transport when the last byte has left.
 *
 * @returns whether it ended by itself
 */
export function awaitEnd(ending: Ending, ms: number, scheduler: Scheduler): Promise<boolean> {
  return new Promise((resolve) => {
    let left = ms;
    const look = (): void => {
      if (ending.ended) resolve(true);
      else if (left > 0) {
        const wait = Math.min(left, LOOK_INTERVAL);
        left -= wait;
        scheduler.after(wait, { expire: look });
      } else {
        ending.destroy();
        resolve(false);
      }
    };
    look();
  });
}

/** Destroys those of `endings` that have not ended by themselves in `ms` milliseconds. */
export function destroyAfter(endings: readonly Ending[], ms: number, scheduler: Scheduler): void {
  const late = endings.filter((ending) => !ending.ended);
  if (late.length === 0) return;
  scheduler.after(ms, {
    expire() {
      for (const ending of late) if (!ending.ended) ending.destroy();
    },
  });
}
