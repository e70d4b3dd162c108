import { PacketError } from "../errors.js";
import type { PacketCodec } from "./codec.js";
import type { EnginePacket, EnginePacketType, RawData } from "./packet.js";

// The position of a type is its number on the wire.
const TYPES: readonly EnginePacketType[] = [
  "open",
  "close",
  "ping",
  "pong",
  "message",
  "upgrade",
  "noop",
];

const ZERO = 0x30;
const COLON = ":";
const BASE64_MARK = 0x62;
const MESSAGE = 4;
const MESSAGE_DIGIT = ZERO + MESSAGE;

// In a binary payload, each packet begins with one of these.
const TEXT_MARK = 0x00;
const BYTES_MARK = 0x01;
const LENGTH_END = 0xff;

/**
 * The wire format of Engine.IO protocol 3, spoken by clients of Socket.IO v1 and v2.
 *
 * A text packet is its type digit and its data. A binary message is the byte `04` and its bytes, or
 * `b4` and base64 for peers without binary support (behaviour 62). In a payload of text, every
 * packet follows its length in UTF-16 code units and a colon (behaviour 19); a payload with bytes
 * for a peer that takes them is binary (behaviour 37): per packet a mark (0 text, 1 binary), the
 * length in bytes as decimal digits of value 0 to 9, `ff`, and the packet, text being UTF-8.
 *
 * A payload given as a string is taken for text, one given as bytes for binary: the transport tells
 * them apart by the content type.
 *
 * Clients of Socket.IO v1 encode the text of their payloads to UTF-8 twice. That is not undone
 * (behaviour 141): `3:4Ã©` is what such a client sends for "é", but also what a client of v2 sends
 * for "Ã©", so that any repair would damage well-formed payloads.
 */
export const codecV3: PacketCodec & { readonly protocol: 3 } = {
  protocol: 3,

  encodePacket(packet: EnginePacket, supportsBinary: boolean): RawData {
    const { type, data } = packet;
    if (data === undefined || typeof data === "string") return encodeText(type, data);
    if (!supportsBinary) return encodeBase64(type, data);
    const encoded = Buffer.allocUnsafe(1 + data.length);
    encoded[0] = TYPES.indexOf(type);
    encoded.set(data, 1);
    return encoded;
  },

  decodePacket(data: RawData): EnginePacket {
    return typeof data === "string"
      ? decodeText(data, 0, data.length)
      : decodeBytes(data, 0, data.length);
  },

  encodePayload(packets: readonly EnginePacket[], supportsBinary: boolean): RawData {
    // How this revision writes that there is nothing.
    if (packets.length === 0) return "0:";
    if (supportsBinary && packets.some(hasBytes)) return encodeBinaryPayload(packets);
    let payload = "";
    for (const { type, data } of packets) {
      const encoded =
        data === undefined || typeof data === "string"
          ? encodeText(type, data)
          : encodeBase64(type, data);
      payload += `${encoded.length}:${encoded}`;
    }
    return payload;
  },

  decodePayload(payload: RawData, onPacket: (packet: EnginePacket) => boolean): void {
    if (payload.length === 0) throw new PacketError("ERR_PACKET_TYPE", "empty payload");
    if (typeof payload === "string") decodeTextPayload(payload, onPacket);
    else decodeBinaryPayload(payload, onPacket);
  },
};

function hasBytes({ data }: EnginePacket): boolean {
  return data !== undefined && typeof data !== "string";
}

function encodeText(type: EnginePacketType, data: string | undefined): string {
  const digit = TYPES.indexOf(type).toString();
  return data === undefined ? digit : digit + data;
}

function encodeBase64(type: EnginePacketType, bytes: Buffer): string {
  return `b${TYPES.indexOf(type)}${bytes.toString("base64")}`;
}

function encodeBinaryPayload(packets: readonly EnginePacket[]): Buffer {
  // Two passes, so that no byte is copied twice.
  const lengths = packets.map(({ data }) => 1 + (data === undefined ? 0 : Buffer.byteLength(data)));
  const payload = Buffer.allocUnsafe(
    lengths.reduce((total, length) => total + 2 + length.toString().length + length, 0),
  );
  let position = 0;
  for (const [i, { type, data }] of packets.entries()) {
    const isText = data === undefined || typeof data === "string";
    payload[position++] = isText ? TEXT_MARK : BYTES_MARK;
    for (const digit of String(lengths[i])) payload[position++] = Number(digit);
    payload[position++] = LENGTH_END;
    payload[position++] = TYPES.indexOf(type) + (isText ? ZERO : 0);
    if (data === undefined) continue;
    if (typeof data === "string") {
      position += payload.write(data, position, "utf8");
    } else {
      payload.set(data, position);
      position += data.length;
    }
  }
  return payload;
}

function decodeTextPayload(payload: string, onPacket: (packet: EnginePacket) => boolean): void {
  let position = 0;
  while (position < payload.length) {
    const colon = payload.indexOf(COLON, position);
    const start = colon + 1;
    const end = start + readLength(payload, position, colon, ZERO);
    // `0:` stands for no packet at all.
    if (start < end && !onPacket(decodeText(payload, start, end))) return;
    position = end;
  }
}

function decodeBinaryPayload(payload: Buffer, onPacket: (packet: EnginePacket) => boolean): void {
  let position = 0;
  while (position < payload.length) {
    const mark = payload[position];
    if (mark !== TEXT_MARK && mark !== BYTES_MARK) {
      throw new PacketError("ERR_PACKET_PAYLOAD", "a packet begins with neither 0 nor 1");
    }
    const lengthEnd = payload.indexOf(LENGTH_END, position + 1);
    const start = lengthEnd + 1;
    const end = start + readLength(payload, position + 1, lengthEnd, 0);
    const packet =
      mark === TEXT_MARK ? decodeUtf8(payload, start, end) : decodeBytes(payload, start, end);
    if (!onPacket(packet)) return;
    position = end;
  }
}

/** Reads the decimal digits between two positions: the length of what follows the second one. */
function readLength(payload: RawData, from: number, to: number, zero: number): number {
  if (to <= from) throw new PacketError("ERR_PACKET_PAYLOAD", "missing packet length");
  const limit = payload.length - to - 1;
  let length = 0;
  for (let i = from; i < to; i++) {
    const digit = (typeof payload === "string" ? payload.charCodeAt(i) : (payload[i] ?? 0)) - zero;
    if (digit < 0 || digit > 9) throw new PacketError("ERR_PACKET_PAYLOAD", "bad packet length");
    length = 10 * length + digit;
    // Checked for each digit, so that no length ever exceeds what a number can hold.
    if (length > limit) throw new PacketError("ERR_PACKET_PAYLOAD", "truncated packet");
  }
  return length;
}

function decodeText(text: string, start: number, end: number): EnginePacket {
  if (start === end) throw new PacketError("ERR_PACKET_TYPE", "empty packet");
  const first = text.charCodeAt(start);
  if (first === BASE64_MARK) {
    if (start + 1 === end || text.charCodeAt(start + 1) !== MESSAGE_DIGIT) throw notMessage();
    return { type: "message", data: Buffer.from(text.slice(start + 2, end), "base64") };
  }
  return {
    type: typeOfDigit(first),
    data: end - start > 1 ? text.slice(start + 1, end) : undefined,
  };
}

/** Decodes a text packet within a binary payload. */
function decodeUtf8(bytes: Buffer, start: number, end: number): EnginePacket {
  if (start === end) throw new PacketError("ERR_PACKET_TYPE", "empty packet");
  const first = bytes[start] ?? 0;
  // Neither base64 nor a type digit needs UTF-8.
  if (first === BASE64_MARK) {
    return decodeText(bytes.toString("latin1", start, end), 0, end - start);
  }
  return {
    type: typeOfDigit(first),
    data: end - start > 1 ? toText(bytes.subarray(start + 1, end)) : undefined,
  };
}

function decodeBytes(bytes: Buffer, start: number, end: number): EnginePacket {
  if (start === end) throw new PacketError("ERR_PACKET_TYPE", "empty packet");
  if (bytes[start] !== MESSAGE) throw notMessage();
  return { type: "message", data: bytes.subarray(start + 1, end) };
}

function typeOfDigit(code: number): EnginePacketType {
  const type = TYPES[code - ZERO];
  if (type === undefined) throw new PacketError("ERR_PACKET_TYPE", "unknown packet type");
  return type;
}

function notMessage(): PacketError {
  return new PacketError("ERR_PACKET_TYPE", "a binary packet has to be a message");
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function toText(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    // Clients of Socket.IO v1 encode lone surrogates as if they were characters.
    return toTextWithoutSurrogates(bytes);
  }
}

function toTextWithoutSurrogates(bytes: Buffer): string {
  const repaired = Buffer.from(bytes);
  // In UTF-8, `ed` is always the first of three bytes; with `a0` to `bf` behind it, it begins a
  // surrogate. U+FFFD is three bytes as well.
  for (let i = repaired.indexOf(0xed); i !== -1; i = repaired.indexOf(0xed, i + 1)) {
    if (isBetween(repaired[i + 1], 0xa0, 0xbf) && isBetween(repaired[i + 2], 0x80, 0xbf)) {
      repaired.set([0xef, 0xbf, 0xbd], i);
    }
  }
  try {
    return UTF8.decode(repaired);
  } catch (cause) {
    throw new PacketError("ERR_PACKET_PAYLOAD", "text is not UTF-8", { cause });
  }
}

function isBetween(byte: number | undefined, low: number, high: number): boolean {
  return byte !== undefined && byte >= low && byte <= high;
}
