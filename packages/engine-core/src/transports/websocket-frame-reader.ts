import { isUtf8 } from "node:buffer";
import { FrameError } from "./websocket-frame-error.js";
import {
  FIRST_CONTROL_OPCODE,
  judgeClosePayload,
  judgeFrame,
  MAX_CONTROL_PAYLOAD,
  OPCODES,
} from "./websocket-frame-rules.js";
import { unmask } from "./websocket-mask.js";

/** Who hears what a reader has read. Payloads are only lent, but for those of `onBinary`. */
export interface FrameSink {
  onText(text: string): void;
  onBinary(data: Buffer): void;
  onPing(payload: Buffer): void;
  /** The peer closes; nothing is read from here on. The payload is a legal one. */
  onCloseFrame(payload: Buffer): void;
  /** The peer has broken the rules; nothing is read from here on. */
  onFrameError(error: FrameError): void;
}

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
/** Two bytes, eight of length, four of the key. */
const MAX_HEADER = 14;
const INCOMPLETE = -1;
/** What is reserved at least for a payload that comes in pieces, unless it is known to be smaller. */
const MIN_RESERVED = 1024;

/**
 * Reads the frames of one client: bytes in, messages out (RFC 6455, section 5). No I/O, no timers.
 *
 * A frame that lies in one chunk as a whole is unmasked in place, and text is decoded from there.
 * Whatever comes in pieces is collected in one buffer, which grows with what has come, not with what
 * was announced. Between messages a reader holds nothing, so connections can take turns with one.
 */
export class FrameReader {
  readonly #maxPayload: number;
  /** Of the message that has begun; 0 between messages. */
  #opcode = 0;
  #isFinal = false;
  #key = 0;
  /** Of the payload of the frame, what has not come yet. */
  #missing = 0;
  /** The payload of the message, as far as it has come in pieces. */
  #payload: Buffer | undefined;
  #length = 0;
  /** Where the payload of the frame begins in that of the message. */
  #frameStart = 0;
  /** 0 as long as the message is ASCII. */
  #seen = 0;
  /** The beginning of a frame, when no more of it has come. */
  #head: Buffer | undefined;
  #headLength = 0;
  #hasEnded = false;
  // Of the frame whose header was read last.
  #payloadLength = 0;
  #fault: FrameError | undefined;

  /** @param maxPayload bytes that a message may have */
  constructor(maxPayload: number) {
    this.#maxPayload = maxPayload;
  }

  /** Whether it holds nothing: the last message is complete, and no other has begun. */
  get isIdle(): boolean {
    return this.#opcode === 0 && this.#headLength === 0 && !this.#hasEnded;
  }

  /** Reads a chunk, which is the reader's to change. */
  push(chunk: Buffer, sink: FrameSink): void {
    let offset = this.#headLength > 0 ? this.#completeHead(chunk, sink) : 0;
    while (offset < chunk.length && !this.#hasEnded) {
      offset =
        this.#missing > 0
          ? this.#readPayload(chunk, offset, sink)
          : this.#readShortMessage(chunk, offset, sink);
    }
  }

  /** Reads an unfragmented message of up to 125 bytes, what nearly all are; all else goes on. */
  #readShortMessage(chunk: Buffer, offset: number, sink: FrameSink): number {
    const first = chunk[offset] ?? 0;
    const size = (chunk[offset + 1] ?? 0) - 0x80;
    const start = offset + 6;
    const end = start + size;
    if (
      size < 0 ||
      size > Math.min(MAX_CONTROL_PAYLOAD, this.#maxPayload) ||
      end > chunk.length ||
      (first !== FINAL_TEXT && first !== FINAL_BINARY) ||
      this.#opcode !== 0
    ) {
      return this.#readFrame(chunk, offset, chunk.length, sink);
    }
    const seen = unmask(chunk, start, end, readKey(chunk, start - 4));
    if (first === FINAL_BINARY) sink.onBinary(chunk.subarray(start, end));
    else if (seen === 0) sink.onText(chunk.toString("latin1", start, end));
    else this.#readUtf8(chunk.subarray(start, end), sink);
    return end;
  }

  /**
   * Reads the header of a frame, and its payload too if that is all there.
   *
   * @returns the offset behind what was read
   */
  #readFrame(bytes: Buffer, offset: number, end: number, sink: FrameSink): number {
    const start = this.#readHeader(bytes, offset, end);
    if (this.#fault !== undefined) {
      this.#fail(this.#fault, sink);
      return end;
    }
    if (start === INCOMPLETE) return this.#hold(bytes, offset, end);
    const opcode = (bytes[offset] ?? 0) & 0x0f;
    const next = start + this.#payloadLength;
    if (opcode >= FIRST_CONTROL_OPCODE) {
      if (next > end) return this.#hold(bytes, offset, end);
      unmask(bytes, start, next, this.#key);
      this.#readControlFrame(opcode, bytes.subarray(start, next), sink);
      return next;
    }
    const isWhole = this.#opcode === 0 && next <= end;
    if (opcode !== OPCODES.continuation) this.#opcode = opcode;
    this.#isFinal = (bytes[offset] ?? 0) >= 0x80;
    if (isWhole && this.#isFinal) {
      this.#seen = unmask(bytes, start, next, this.#key);
      this.#endMessage(bytes.subarray(start, next), sink);
      return next;
    }
    this.#frameStart = this.#length;
    this.#missing = this.#payloadLength;
    if (this.#missing === 0) this.#endFrame(sink);
    return start;
  }

  /**
   * Reads a header into `#payloadLength` and `#key`, or finds a fault, as soon as it can be seen.
   *
   * @returns the offset behind it, or `INCOMPLETE`
   */
  #readHeader(bytes: Buffer, offset: number, end: number): number {
    if (offset + 2 > end) return INCOMPLETE;
    const first = bytes[offset] ?? 0;
    const second = bytes[offset + 1] ?? 0;
    this.#fault = judgeFrame(first, second, this.#opcode);
    if (this.#fault !== undefined) return INCOMPLETE;
    const keyStart = offset + 2 + extraLengthBytes(second);
    if (keyStart > end) return INCOMPLETE;
    this.#payloadLength = readLength(bytes, offset + 1);
    if (this.#payloadLength > Number.MAX_SAFE_INTEGER) {
      this.#fault = FrameError.unsupportedLength();
    } else if (
      (first & 0x0f) < FIRST_CONTROL_OPCODE &&
      this.#payloadLength > 0 &&
      this.#length + this.#payloadLength > this.#maxPayload
    ) {
      this.#fault = FrameError.tooLarge();
    }
    if (this.#fault !== undefined || keyStart + 4 > end) return INCOMPLETE;
    this.#key = readKey(bytes, keyStart);
    return keyStart + 4;
  }

  /** Keeps the beginning of a frame: a header, or a control frame, that has not come as a whole. */
  #hold(bytes: Buffer, offset: number, end: number): number {
    this.#head ??= Buffer.allocUnsafe(MAX_HEADER + MAX_CONTROL_PAYLOAD);
    this.#headLength = end - offset;
    // What is held already stays where it is.
    if (bytes !== this.#head) bytes.copy(this.#head, 0, offset, end);
    return end;
  }

  /** Goes on with what is held, byte by byte: there are never more than a few of them. */
  #completeHead(chunk: Buffer, sink: FrameSink): number {
    const head = this.#head ?? chunk;
    let offset = 0;
    while (offset < chunk.length && this.#headLength > 0) {
      const length = this.#headLength + 1;
      head[length - 1] = chunk[offset] ?? 0;
      offset += 1;
      this.#headLength = 0;
      this.#readFrame(head, 0, length, sink);
    }
    return offset;
  }

  #readPayload(chunk: Buffer, offset: number, sink: FrameSink): number {
    const end = Math.min(offset + this.#missing, chunk.length);
    const size = end - offset;
    const payload = this.#reserve(size);
    chunk.copy(payload, this.#length, offset, end);
    this.#length += size;
    this.#missing -= size;
    if (this.#missing === 0) this.#endFrame(sink);
    return end;
  }

  /** Makes room for `size` more bytes of the message, and for as many again as there are then. */
  #reserve(size: number): Buffer {
    const payload = this.#payload;
    const needed = this.#length + size;
    if (payload !== undefined && needed <= payload.length) return payload;
    const known = this.#length + this.#missing;
    const most = this.#isFinal ? known : this.#maxPayload;
    const larger = Buffer.allocUnsafe(Math.min(most, Math.max(MIN_RESERVED, 2 * needed)));
    payload?.copy(larger, 0, 0, this.#length);
    return (this.#payload = larger);
  }

  #endFrame(sink: FrameSink): void {
    const payload = this.#payload;
    if (payload !== undefined) {
      this.#seen |= unmask(payload, this.#frameStart, this.#length, this.#key);
    }
    if (this.#isFinal) {
      this.#endMessage((payload ?? Buffer.alloc(0)).subarray(0, this.#length), sink);
    }
  }

  #endMessage(payload: Buffer, sink: FrameSink): void {
    const isBinary = this.#opcode === OPCODES.binary;
    const isAscii = this.#seen === 0;
    this.#opcode = 0;
    this.#payload = undefined;
    this.#length = 0;
    this.#seen = 0;
    if (isBinary) sink.onBinary(payload);
    else if (isAscii) sink.onText(payload.toString("latin1"));
    else this.#readUtf8(payload, sink);
  }

  #readUtf8(payload: Buffer, sink: FrameSink): void {
    if (isUtf8(payload)) sink.onText(payload.toString());
    else this.#fail(FrameError.invalidText(), sink);
  }

  #readControlFrame(opcode: number, payload: Buffer, sink: FrameSink): void {
    // A pong answers nothing that was asked: the heartbeat is that of Engine.IO.
    if (opcode === OPCODES.pong) return;
    if (opcode === OPCODES.ping) {
      sink.onPing(payload);
      return;
    }
    const fault = judgeClosePayload(payload);
    if (fault !== undefined) {
      this.#fail(fault, sink);
      return;
    }
    this.#hasEnded = true;
    sink.onCloseFrame(payload);
  }

  #fail(error: FrameError, sink: FrameSink): void {
    this.#hasEnded = true;
    this.#payload = undefined;
    sink.onFrameError(error);
  }
}

function extraLengthBytes(second: number): number {
  const size = second & 0x7f;
  if (size < 126) return 0;
  return size === 126 ? 2 : 8;
}

/** Reads the length of the payload, from the second byte of the frame on. */
function readLength(bytes: Buffer, offset: number): number {
  const size = (bytes[offset] ?? 0) & 0x7f;
  if (size < 126) return size;
  if (size === 126) return bytes.readUInt16BE(offset + 1);
  return bytes.readUInt32BE(offset + 1) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 5);
}

function readKey(bytes: Buffer, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}
