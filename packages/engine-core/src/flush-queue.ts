import { SharedBuffers } from "./shared-buffer.js";
import { FrameBatch } from "./transports/frame-batch.js";
import { type Pending, SharedWrites } from "./transports/shared-writes.js";
import { isTraced } from "./transports/websocket.js";
import type { ChunkObserver } from "./transports/websocket-connection.js";

/** Something that collected packets during a tick. */
export interface Flushable extends Pending {
  /** Sends what was collected. Must not throw. */
  onTickEnd(): void;
  /**
   * Hands over what was collected, if it was sent to others, too, and can be written without anybody
   * being told.
   */
  handOver(writes: SharedWrites): boolean;
}

/** Who may want to hear of every flush. */
export interface FlushObserver {
  listenerCount(event: "flush" | "drain"): number;
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
  /** The write buffers that sessions have in common. */
  readonly shared: SharedBuffers = new SharedBuffers();
  #dirty: Flushable[] = [];
  #isReading = false;
  readonly #writes = new SharedWrites();
  readonly #server: FlushObserver | undefined;

  /** @param server which emits `flush` and `drain`, and is not asked more than once per run */
  constructor(server?: FlushObserver) {
    this.#server = server;
  }

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

  /** Whether somebody wants to hear of every flush. */
  get #isObserved(): boolean {
    if (isTraced()) return true;
    const server = this.#server;
    return (
      server !== undefined && server.listenerCount("flush") + server.listenerCount("drain") > 0
    );
  }

  // Made once: `process.nextTick` calls it without a receiver.
  readonly #run = (): void => {
    const sessions = this.#dirty;
    this.#dirty = [];
    const isShared = sessions.length > 1 && !this.#isObserved;
    let turn = 0;
    for (const session of sessions) {
      if (isShared) this.#writes.lookAhead(sessions, turn);
      turn += 1;
      if (!isShared || !session.handOver(this.#writes)) {
        // Its listeners may do anything: what was handed over before has left by then.
        this.#writes.run();
        session.onTickEnd();
      } else if (this.#writes.isFull) this.#writes.run();
    }
    this.#writes.run();
    this.batch.clear();
    this.shared.clear();
  };
}
