/** @import { Message } from "../messages.mjs" */

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;

/** Any key but zero, so that the server has to unmask in earnest. */
const MASK = [0x1f, 0x8a, 0x5c, 0xe3];

/**
 * Builds the frame that a client sends: masked, in one piece.
 *
 * @param {Message} message
 * @returns {Buffer}
 */
export function clientFrame(message) {
  const payload = Buffer.from(/** @type {any} */ (message));
  const masked = payload.map((byte, index) => byte ^ /** @type {number} */ (MASK[index & 3]));
  return Buffer.concat([header(message, payload.length, 0x80), Buffer.from(MASK), masked]);
}

/**
 * Builds the frame that a server sends: not masked, in one piece.
 *
 * @param {Message} message
 * @returns {Buffer}
 */
export function serverFrame(message) {
  const payload = Buffer.from(/** @type {any} */ (message));
  return Buffer.concat([header(message, payload.length, 0), payload]);
}

/**
 * @param {Message} message
 * @param {number} length
 * @param {number} maskBit
 * @returns {Buffer}
 */
function header(message, length, maskBit) {
  const first = typeof message === "string" ? TEXT : BINARY;
  if (length < 126) return Buffer.from([first, maskBit | length]);
  if (length >= 1 << 16) throw new RangeError("the benchmarks have no frame of 64 KiB or more");
  return Buffer.from([first, maskBit | 126, length >> 8, length & 255]);
}

/**
 * Takes the complete frames of a server off the front of a buffer, contents and all: the slow way,
 * for handshakes and for checking an answer.
 *
 * @param {Buffer} buffer
 * @returns {{ messages: Message[], rest: Buffer }}
 */
export function readFrames(buffer) {
  /** @type {Message[]} */
  const messages = [];
  let rest = buffer;
  while (rest.length >= 2) {
    const short = rest.readUInt8(1);
    const start = short < 126 ? 2 : 4;
    if (short === 127) throw new RangeError("a frame of 64 KiB or more was not expected");
    if (rest.length < start) break;
    const end = start + (short < 126 ? short : rest.readUInt16BE(2));
    if (rest.length < end) break;
    const payload = rest.subarray(start, end);
    messages.push(rest[0] === TEXT ? payload.toString() : Uint8Array.from(payload));
    rest = rest.subarray(end);
  }
  return { messages, rest };
}

/** Counts frames by their headers and skips what they carry: the cheap way. */
export class FrameCounter {
  /** Engine.IO pings seen since the owner last set this to 0; they are not counted as frames. */
  pings = 0;
  /** Whether a close frame was seen. */
  closed = false;

  #maskLength;
  /** @type {"first" | "second" | "extended" | "payload"} the part that the next byte belongs to */
  #part = "first";
  #first = 0;
  #extended = 0;
  #left = 0;
  #length = 0;

  /** @param {{ masked: boolean }} options whether the frames come from a client */
  constructor({ masked }) {
    this.#maskLength = masked ? 4 : 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} end how many of the bytes count
   * @returns {number} how many frames ended in these bytes
   */
  push(bytes, end) {
    let frames = 0;
    let at = 0;
    while (at < end) {
      if (this.#part === "payload") {
        const taken = Math.min(this.#left, end - at);
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) frames += this.#finish();
      } else {
        this.#header(/** @type {number} */ (bytes[at++]));
      }
    }
    return frames;
  }

  /** @param {number} byte */
  #header(byte) {
    if (this.#part === "first") {
      this.#first = byte;
      this.#part = "second";
    } else if (this.#part === "second") {
      const length = byte & 127;
      this.#extended = length < 126 ? 0 : length === 126 ? 2 : 8;
      this.#length = length < 126 ? length : 0;
      this.#part = length < 126 ? "payload" : "extended";
    } else {
      this.#length = this.#length * 256 + byte;
      if (--this.#extended === 0) this.#part = "payload";
    }
    if (this.#part === "payload") this.#left = this.#length + this.#maskLength;
  }

  #finish() {
    this.#part = "first";
    if (this.#first === CLOSE) this.closed = true;
    // No message is one character long; the ping "2" is.
    if (this.#first !== TEXT || this.#length !== 1) return 1;
    this.pings++;
    return 0;
  }
}
