import type { Duplex } from "node:stream";
import { writeFrames } from "./frame-batch.js";

/** Whose stream is written to. */
export interface SharedWriter {
  /** The stream is to get nothing more until it drains. */
  onFull(): void;
  /** The stream has thrown, which it must not: it cannot be relied on any more. */
  onThrown(error: unknown): void;
}

/** Something that waits to be written. */
export interface Pending {
  /** How much, in bytes. To find out, it has to look at all that a write needs. */
  readonly bufferedBytes: number;
}

/** How many writes are prepared before they are done. A power of two. */
const MOST = 16;

/**
 * Frames that many peers get, about to be written to the stream of each.
 *
 * All that a write needs, a session, its transport and its stream, is far apart in memory, and with
 * many sessions in no cache: the system calls between two writes take all there is. Looking at
 * sixteen sessions first lets the processor fetch theirs at the same time, where sessions written to
 * one by one wait for it each time.
 *
 * Measured in one process, in turns: a message to each of 1000 sessions, and one to each of 100 rooms
 * of ten, take 5 % less of the server's CPU than without, where writing a ready frame with nothing
 * around it takes 12 % less. Four or 32 at a time gain half of that. What is ours in a write, the time
 * in kernel and streams left out, goes down by 40 %.
 */
export class SharedWrites {
  readonly #writers: (SharedWriter | undefined)[] = [];
  readonly #streams: (Duplex | undefined)[] = [];
  readonly #frames: (Buffer | string | undefined)[] = [];
  #count = 0;
  #bytes = 0;

  /** Bytes that waited when it last looked. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Looks at the next ones, to have them fetched.
   *
   * @param at which one it is the turn of
   */
  lookAhead(waiting: readonly Pending[], at: number): void {
    if ((at & (MOST - 1)) !== 0) return;
    const end = Math.min(at + MOST, waiting.length);
    let bytes = 0;
    for (let next = at; next < end; next += 1) bytes += waiting[next]?.bufferedBytes ?? 0;
    // Nobody wants to know, but otherwise the compiler might find that out, too.
    this.#bytes = bytes;
  }

  /** Whether it is time to write. */
  get isFull(): boolean {
    return this.#count === MOST;
  }

  /** @param frames text has one character per byte */
  add(writer: SharedWriter, stream: Duplex, frames: Buffer | string): void {
    this.#writers[this.#count] = writer;
    this.#streams[this.#count] = stream;
    this.#frames[this.#count] = frames;
    this.#count += 1;
  }

  /** Does the writes, in order. */
  run(): void {
    for (let at = 0; at < this.#count; at += 1) {
      const stream = this.#streams[at];
      const frames = this.#frames[at];
      if (stream === undefined || frames === undefined) continue;
      try {
        if (!writeFrames(stream, frames)) this.#writers[at]?.onFull();
      } catch (error) {
        this.#writers[at]?.onThrown(error);
      }
      this.#streams[at] = undefined;
      this.#writers[at] = undefined;
      this.#frames[at] = undefined;
    }
    this.#count = 0;
  }
}
