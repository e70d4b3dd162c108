import { isBytes, toBuffer } from "../bytes.js";
import type { RawData } from "../engine/packet.js";
import { PacketError } from "../errors.js";
import { restoreAttachments } from "./attachments.js";
import { isNestedTooDeeply } from "./nesting.js";
import { PacketType, type SocketPacket } from "./packet.js";
import { isValidPayload } from "./payload.js";
import { decodedType } from "./wire-type.js";

/** Changes values after they were JSON, as the second argument of `JSON.parse` does. */
export type JsonReviver = (this: unknown, key: string, value: unknown) => unknown;

export interface DecoderOptions {
  /** Sees placeholders in the place of bytes. Default: none. */
  readonly reviver?: JsonReviver | undefined;
  /** How many attachments a packet may have (behaviour 90). Default: 10. */
  readonly maxAttachments?: number | undefined;
}

/** A binary packet of which attachments are missing. */
interface PendingPacket {
  readonly packet: SocketPacket;
  readonly attachments: Buffer[];
  readonly attachmentCount: number;
}

const DEFAULT_MAX_ATTACHMENTS = 10;

const ZERO = 0x30;
const NINE = 0x39;
const HYPHEN = 0x2d;
const SLASH = 0x2f;

/**
 * Decodes the packets of one connection (protocol v5, "Packet encoding"; behaviours 88 to 100).
 *
 * A decoder that has thrown has forgotten the packet it was at, and takes the next piece as the
 * beginning of another one. As nobody knows what the peer meant by then, the connection is better
 * closed.
 */
export class Decoder {
  // One decoder exists per connection: every field counts.
  readonly #reviver: JsonReviver | undefined;
  readonly #maxAttachments: number;
  #pending: PendingPacket | undefined;

  constructor(options?: DecoderOptions) {
    this.#reviver = options?.reviver;
    this.#maxAttachments = options?.maxAttachments ?? DEFAULT_MAX_ATTACHMENTS;
  }

  /**
   * Takes the next message of the connection: the text of a packet, or one of its attachments.
   *
   * Returns the packet that it completes, or `undefined` as long as attachments are missing.
   * Packets of the binary types are returned as EVENT and ACK. Attachments are not copied.
   *
   * @throws {PacketError} when the peer breaks the protocol.
   */
  push(data: RawData): SocketPacket | undefined {
    return typeof data === "string" ? this.#pushText(data) : this.#pushAttachment(data);
  }

  /** Forgets a packet of which attachments are missing. */
  destroy(): void {
    this.#pending = undefined;
  }

  #pushText(text: string): SocketPacket | undefined {
    if (this.#pending !== undefined) {
      this.#pending = undefined;
      throw new PacketError("ERR_PACKET_ORDER", "got plaintext data when reconstructing a packet");
    }
    const digit = text.charCodeAt(0) - ZERO;
    const type = decodedType(digit);
    if (type === undefined) unknownType(text);
    if (digit < PacketType.BINARY_EVENT) return this.#decodeBody(text, 1, type);

    const hyphen = endOfDigits(text, 1);
    const attachmentCount = this.#checkAttachmentCount(text, hyphen);
    const packet = this.#decodeBody(text, hyphen + 1, type);
    // Nothing follows, and so the packet is complete (behaviour 93).
    if (attachmentCount === 0) return packet;
    this.#pending = { packet, attachments: [], attachmentCount };
    return undefined;
  }

  #checkAttachmentCount(text: string, hyphen: number): number {
    if (hyphen === 1 || text.charCodeAt(hyphen) !== HYPHEN) {
      throw new PacketError("ERR_PACKET_ATTACHMENTS", "Illegal attachments");
    }
    const count = digitsValue(text, 1, hyphen);
    if (count > this.#maxAttachments) {
      throw new PacketError("ERR_PACKET_ATTACHMENTS", "too many attachments");
    }
    return count;
  }

  /** Decodes what follows the type and the number of attachments. */
  #decodeBody(text: string, start: number, type: PacketType): SocketPacket {
    let index = start;
    let nsp = "/";
    if (text.charCodeAt(index) === SLASH) {
      const comma = text.indexOf(",", index);
      const end = comma === -1 ? text.length : comma;
      nsp = text.slice(index, end);
      index = end + 1;
    }
    const payload = endOfDigits(text, index);
    const id = payload > index ? decodeId(text, index, payload) : undefined;
    const data = payload < text.length ? this.#decodePayload(type, text.slice(payload)) : undefined;
    return { type, nsp, data, id };
  }

  #decodePayload(type: PacketType, json: string): unknown {
    let data: unknown;
    try {
      data = this.#parse(json);
    } catch (cause) {
      throw new PacketError("ERR_PACKET_PAYLOAD", "invalid payload", { cause });
    }
    if (!isValidPayload(type, data)) throw new PacketError("ERR_PACKET_PAYLOAD", "invalid payload");
    return data;
  }

  #parse(json: string): unknown {
    const data: unknown = JSON.parse(json, this.#reviver);
    // What a reviver returned may be anything, even circular: the plain value is what counts.
    const plain: unknown = this.#reviver === undefined ? data : JSON.parse(json);
    if (isNestedTooDeeply(plain, json.length)) throw new RangeError("nested too deeply");
    return data;
  }

  #pushAttachment(data: unknown): SocketPacket | undefined {
    const pending = this.#pending;
    if (!isBytes(data)) {
      this.#pending = undefined;
      throw new PacketError("ERR_PACKET_TYPE", `Unknown type: ${typeof data}`);
    }
    if (pending === undefined) {
      throw new PacketError("ERR_PACKET_ORDER", "got binary data when not reconstructing a packet");
    }
    const { packet, attachments, attachmentCount } = pending;
    if (attachments.push(toBuffer(data)) < attachmentCount) return undefined;
    this.#pending = undefined;
    packet.data = restoreAttachments(packet.data, attachments);
    return packet;
  }
}

function unknownType(text: string): never {
  // What a peer sent has no place in a message, unless it is a digit.
  const type = Number.parseInt(text.charAt(0), 10);
  throw new PacketError("ERR_PACKET_TYPE", `unknown packet type ${type}`);
}

/**
 * Reads an acknowledgement id. It has to be sent back unchanged, and so those that a number cannot
 * hold exactly are refused (behaviour 91).
 */
function decodeId(text: string, start: number, end: number): number {
  const id = digitsValue(text, start, end);
  if (id > Number.MAX_SAFE_INTEGER) throw new PacketError("ERR_PACKET_PAYLOAD", "illegal id");
  return id;
}

function endOfDigits(text: string, start: number): number {
  let index = start;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) break;
  }
  return index;
}

function digitsValue(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (text.charCodeAt(i) - ZERO);
  return value;
}
