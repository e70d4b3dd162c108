import type { Writable } from "node:stream";
import { frameOf } from "./websocket-frame.js";
import { OPCODES } from "./websocket-frame-rules.js";

/** So many pongs may wait for a peer that does not read. */
const MAX_WAITING = 16;

/**
 * Answers the pings of one peer while that does not read what it gets. Only so many answers wait; of
 * the pings beyond, the last one is answered: "the endpoint MAY elect to send a Pong frame for only
 * the most recently processed Ping frame" (RFC 6455, section 5.5.3).
 */
export class PongQueue {
  readonly #stream: Writable;
  #waiting = 0;
  #last: Buffer | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Answers a ping at once, or once there is room for the answer. */
  answer(payload: Buffer): void {
    const frame = frameOf(OPCODES.pong, payload);
    if (this.#waiting < MAX_WAITING) this.#write(frame);
    else this.#last = frame;
  }

  #write(frame: Buffer): void {
    this.#waiting += 1;
    this.#stream.write(frame, (error) => {
      this.#waiting -= 1;
      const last = this.#last;
      this.#last = undefined;
      if (!error && last !== undefined && this.#stream.writable) this.#write(last);
    });
  }
}
