import { FrameBatch } from "./transports/frame-batch.js";
import type { ChunkObserver } from "./transports/websocket-connection.js";

/** Something that collected packets during a tick. */
export interface Flushable {
  /** Sends what was collected. Must not throw. */
  onTickEnd(): void;
}

/**
 * The sessions of one server that got their first packet in this tick. They are flushed at its end,
 * so what a tick sends to one session leaves in one write: a burst of ten events to a thousand
 * sessions makes a thousand writes, not ten thousand.
 *
 * The answers to what a WebSocket has received leave when all of the chunk is read, which is the end
 * of the tick as far as its listeners are concerned. That saves a `process.nextTick` per chunk.
 */
export class FlushQueue implements ChunkObserver {
  /** Shared by the transports, for as long as one run lasts. */
  readonly batch: FrameBatch = new FrameBatch();
  #dirty: Flushable[] = [];
  #isReading = false;

  /** Flushes `session` at the end of the tick. The caller adds each session once per tick. */
  add(session: Flushable): void {
    if (this.#dirty.push(session) === 1 && !this.#isReading) process.nextTick(this.#run);
  }

  onChunkStart(): void {
    this.#isReading = true;
  }

  onChunkEnd(): void {
    this.#isReading = false;
    if (this.#dirty.length > 0) this.#run();
  }

  // Made once: `process.nextTick` calls it without a receiver.
  readonly #run = (): void => {
    const sessions = this.#dirty;
    this.#dirty = [];
    for (const session of sessions) session.onTickEnd();
    this.batch.clear();
  };
}
