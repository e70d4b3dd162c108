import type { Clock } from "./timers.js";

/** The clock of adapters in a namespace that has none: that of another server. */
export const systemClock: Clock = {
  date: () => new Date(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
