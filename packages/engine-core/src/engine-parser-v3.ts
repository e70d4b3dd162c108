import { codecV3, isBytes, toBuffer, type Bytes } from "@jackfield/parser";
import {
  toEnginePacket,
  toErrorPacket,
  toPacket,
  type BinaryType,
  type Packet,
  type RawData,
} from "./engine-parser-packet.js";

// The functions of the parser that the npm package `engine.io` has for clients of protocol 3. The
// arguments between the first one and the callback may be left out.

/** The revision of the Engine.IO protocol that these functions speak. */
export const protocol = 3;

/** The number of each packet type on the wire. */
export const packets = {
  open: 0,
  close: 1,
  ping: 2,
  pong: 3,
  message: 4,
  upgrade: 5,
  noop: 6,
} as const;

/** Takes what was encoded, before the function that encoded it returns. */
export type Encoded = (encoded: string | Buffer) => void;

/** Takes one packet of a payload, number `index` of `total`; `false` asks for no more. */
export type Decoded = (packet: Packet, index: number, total: number) => unknown;

type Flag = boolean | null | undefined;

const TEXT_MARK = 0;
const BYTES_MARK = 1;
const LENGTH_END = 0xff;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes a packet. Without `supportsBinary`, bytes become base64; with `utf8encode`, text becomes
 * one character for each of its bytes in UTF-8.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function encodePacket(
  packet: Packet,
  ...args:
    | [callback: Encoded]
    | [supportsBinary: Flag, callback: Encoded]
    | [supportsBinary: Flag, utf8encode: Flag, callback: Encoded]
): void {
  const callback = args.length === 1 ? args[0] : args.length === 2 ? args[1] : args[2];
  const supportsBinary = args.length > 1 && Boolean(args[0]);
  const encoded = codecV3.encodePacket(toEnginePacket(packet), supportsBinary);
  const isUtf8 = args.length === 3 && Boolean(args[1]);
  callback(isUtf8 && typeof encoded === "string" ? toByteString(encoded) : encoded);
}

/** Encodes a packet of bytes as base64. */
export function encodeBase64Packet(packet: Packet, callback: Encoded): void {
  const { type, data = "" } = packet;
  encodePacket({ type, data: isBytes(data) ? data : Buffer.from(data) }, false, callback);
}

/**
 * Decodes a packet; what is none becomes `{ type: "error", data: "parser error" }`. With
 * `utf8decode`, every character of a text is taken for one byte of UTF-8.
 */
export function decodePacket(
  data: RawData | undefined,
  binaryType?: BinaryType | null,
  utf8decode?: Flag,
): Packet {
  try {
    const encoded = isBytes(data) ? toBuffer(data) : (data ?? "");
    const text = utf8decode && typeof encoded === "string" ? fromByteString(encoded) : encoded;
    return toPacket(codecV3.decodePacket(text ?? ""), binaryType);
  } catch (error) {
    return toErrorPacket(error);
  }
}

/** Decodes a packet in base64, without the `b` before it. */
export function decodeBase64Packet(message: string, binaryType?: BinaryType | null): Packet {
  return decodePacket(`b${message}`, binaryType);
}

/**
 * Encodes packets as the body of one HTTP response: `"0:"` for no packets. It is text, unless
 * `supportsBinary` and there are bytes among the packets.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function encodePayload(
  payload: readonly Packet[],
  ...args: [callback: Encoded] | [supportsBinary: Flag, callback: Encoded]
): void {
  const callback = args.length === 1 ? args[0] : args[1];
  const supportsBinary = args.length === 2 && Boolean(args[0]);
  callback(codecV3.encodePayload(payload.map(toEnginePacket), supportsBinary));
}

/**
 * Decodes the body of an HTTP request: bytes are taken for the binary form. The first thing that is
 * no packet ends it with an `error`, number 0 of 1.
 */
export function decodePayload(
  data: RawData,
  ...args: [callback: Decoded] | [binaryType: BinaryType | null | undefined, callback: Decoded]
): void {
  const callback = args.length === 1 ? args[0] : args[1];
  const binaryType = args.length === 1 ? undefined : args[0];
  const decoded: Packet[] = [];
  let failure: Packet | undefined;
  try {
    codecV3.decodePayload(isBytes(data) ? toBuffer(data) : data, (packet) => {
      decoded.push(toPacket(packet, binaryType));
      return true;
    });
  } catch (error) {
    failure = toErrorPacket(error);
  }
  const total = decoded.length + (failure === undefined ? 0 : 1);
  for (const [index, packet] of decoded.entries()) {
    if (callback(packet, index, total) === false) return;
  }
  if (failure !== undefined) callback(failure, 0, 1);
}

/**
 * Encodes packets in the binary form, also when all of them are text.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function encodePayloadAsBinary(
  payload: readonly Packet[],
  callback: (encoded: Buffer) => void,
): void {
  callback(Buffer.concat(payload.flatMap(encodeRecord)));
}

/** Decodes the binary form, as {@link decodePayload} does. */
export function decodePayloadAsBinary(
  data: Bytes,
  ...args: [callback: Decoded] | [binaryType: BinaryType | null | undefined, callback: Decoded]
): void {
  decodePayload(data, ...args);
}

/** What codec-v3 writes only for payloads with bytes among their packets (behaviour 37). */
function encodeRecord(packet: Packet): Buffer[] {
  const encoded = codecV3.encodePacket(toEnginePacket(packet), true);
  const isText = typeof encoded === "string";
  const bytes = isText ? Buffer.from(encoded) : encoded;
  const digits = Array.from(String(bytes.length), Number);
  return [Buffer.from([isText ? TEXT_MARK : BYTES_MARK, ...digits, LENGTH_END]), bytes];
}

function toByteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** @returns `undefined` when the text is not made of bytes of UTF-8 */
function fromByteString(text: string): string | undefined {
  try {
    return UTF8.decode(Buffer.from(text, "latin1"));
  } catch {
    return undefined;
  }
}
