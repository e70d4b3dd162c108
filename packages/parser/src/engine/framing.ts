import { PacketError } from "../errors.js";
import type { RawData } from "./packet.js";

const BINARY_BIT = 0x80;
const LENGTH_BITS = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * Encodes what precedes a packet on a WebTransport stream: whether it is bytes or text, and its
 * length in bytes (behaviour 70).
 *
 * An encoded packet that is text follows as UTF-8; a binary message as its bare bytes.
 *
 * @throws {RangeError} when the length is no whole number, negative, or above 2^53 - 1.
 */
export function encodeFrameHeader(length: number, isBinary: boolean): Buffer {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError("the length of a frame has to be a safe integer of at least 0");
  }
  const flag = isBinary ? BINARY_BIT : 0;
  if (length < LENGTH_16) return Buffer.from([flag | length]);
  if (length < 2 ** 16) return Buffer.from([flag | LENGTH_16, length >>> 8, length & 0xff]);
  const header = Buffer.allocUnsafe(9);
  header[0] = flag | LENGTH_64;
  header.writeUInt32BE(Math.floor(length / 2 ** 32), 1);
  header.writeUInt32BE(length % 2 ** 32, 5);
  return header;
}

/**
 * Cuts a WebTransport stream into frames (behaviour 70): the text of an encoded packet, or the
 * bytes of a binary message, which may be none (behaviour 140).
 *
 * The cost is linear in what arrives, however it is cut into chunks, and what is kept stays within
 * a small multiple of what arrived: no memory is set aside for a length that is only announced.
 */
export class FrameDecoder {
  readonly #maxPayload: number;
  #isEnded = false;
  #isInHeader = true;
  #isBinary = false;
  // Until the header is complete: the part of the length that was read, and the bytes to come.
  #length = 0;
  #lengthBytesLeft = 0;
  readonly #parts = new PartList();

  /** @param maxPayload the longest payload of a frame that is accepted, in bytes. */
  constructor(maxPayload: number) {
    this.#maxPayload = Math.min(maxPayload, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Takes a piece of the stream and hands over every frame that is complete with it, in order.
   *
   * Nothing more is handed over, and what arrives is ignored, once `onFrame` returned `false` or
   * threw, or the stream broke the protocol. The decoder and the frames refer to the memory of the
   * chunk: it must not be written to afterwards. `onFrame` must not call `push`.
   *
   * @throws {PacketError} when the header of a frame announces more than the limit, or empty text.
   */
  push(chunk: Uint8Array, onFrame: (data: RawData) => boolean | void): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let position = 0;
    while (!this.#isEnded) {
      if (this.#isInHeader) {
        position = this.#readHeader(bytes, position);
        if (this.#isInHeader) return;
      }
      const end = position + this.#length - this.#parts.length;
      if (end > bytes.length) {
        if (position < bytes.length) this.#parts.add(bytes.subarray(position), end - position);
        return;
      }
      const payload = this.#parts.take(bytes.subarray(position, end));
      position = end;
      this.#isInHeader = true;
      // Ended in the meantime: so it stays if the receiver throws.
      this.#isEnded = true;
      this.#isEnded = onFrame(this.#isBinary ? payload : payload.toString("utf8")) === false;
    }
  }

  /** Reads on in a header; returns the position behind what was read. */
  #readHeader(bytes: Buffer, start: number): number {
    let position = start;
    if (this.#lengthBytesLeft === 0) {
      const first = bytes[position++];
      if (first === undefined) return start;
      const length = first & LENGTH_BITS;
      this.#isBinary = (first & BINARY_BIT) !== 0;
      this.#lengthBytesLeft = length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0;
      this.#length = this.#lengthBytesLeft === 0 ? length : 0;
    }
    for (; this.#lengthBytesLeft > 0; this.#lengthBytesLeft--) {
      const byte = bytes[position];
      if (byte === undefined) return position;
      position++;
      // Exact up to 2^53, and never below it again: enough to compare with the limit.
      this.#length = this.#length * 2 ** 8 + byte;
    }
    if (this.#length > this.#maxPayload) this.#fail("ERR_PACKET_PAYLOAD", "frame too long");
    if (this.#length === 0 && !this.#isBinary) this.#fail("ERR_PACKET_TYPE", "empty packet");
    this.#isInHeader = false;
    return position;
  }

  #fail(code: "ERR_PACKET_PAYLOAD" | "ERR_PACKET_TYPE", message: string): never {
    this.#isEnded = true;
    throw new PacketError(code, message);
  }
}

/** Pieces below this many bytes are gathered: one object for each would cost far more than it. */
const SMALL_BYTES = 1024;
const BLOCK_BYTES = 4096;

const NOTHING = Buffer.alloc(0);

/** The beginning of a payload whose end has not arrived. */
class PartList {
  #parts: Buffer[] = [];
  #length = 0;
  // What small pieces are gathered in, behind all parts, and how many of its bytes are in use.
  #block = NOTHING;
  #used = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a piece; `missing` is how many bytes of the payload there are from its start on. */
  add(piece: Buffer, missing: number): void {
    this.#length += piece.length;
    if (piece.length > this.#block.length - this.#used) {
      this.#seal();
      if (piece.length >= SMALL_BYTES) {
        this.#parts.push(piece);
        return;
      }
      this.#block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, missing));
    }
    this.#block.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** Empties the list into one buffer with the last piece behind it. */
  take(last: Buffer): Buffer {
    if (this.#length === 0) return last;
    this.#seal();
    const payload = Buffer.concat([...this.#parts, last], this.#length + last.length);
    this.#parts = [];
    this.#length = 0;
    return payload;
  }

  #seal(): void {
    if (this.#used > 0) this.#parts.push(this.#block.subarray(0, this.#used));
    this.#block = NOTHING;
    this.#used = 0;
  }
}
