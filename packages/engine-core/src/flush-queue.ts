import { FrameBatch } from "./transports/frame-batch.js";

/** Something that collected packets during a tick. */
export interface Flushable {
  /** Sends what was collected. Must not throw. */
  onTickEnd(): void;
}

/**
 * The sessions of one server that got their first packet in this tick. They are flushed at its end,
 * so what a tick sends to one session leaves in one write: a burst of ten events to a thousand
 * sessions makes a thousand writes, not ten thousand.
 */
export class FlushQueue {
  /** Shared by the transports, for as long as one run lasts. */
  readonly batch: FrameBatch = new FrameBatch();
  #dirty: Flushable[] = [];

  /** Flushes `session` at the end of the tick. The caller adds each session once per tick. */
  add(session: Flushable): void {
    if (this.#dirty.push(session) === 1) process.nextTick(this.#run);
  }

  // Made once: `process.nextTick` calls it without a receiver.
  readonly #run = (): void => {
    const sessions = this.#dirty;
    this.#dirty = [];
    for (const session of sessions) session.onTickEnd();
    this.batch.clear();
  };
}
