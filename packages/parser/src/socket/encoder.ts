import type { RawData } from "../engine/packet.js";
import { mayHoldBytes, takeAttachments } from "./attachments.js";
import { PacketType, type SocketPacket } from "./packet.js";

/** Changes values before they become JSON, as the second argument of `JSON.stringify` does. */
export type JsonReplacer = (this: unknown, key: string, value: unknown) => unknown;

export interface EncoderOptions {
  /** Sees placeholders in the place of bytes. Default: none. */
  readonly replacer?: JsonReplacer | undefined;
}

/** The characters that `JSON.stringify` escapes; those of surrogate pairs only if they are alone. */
// oxlint-disable-next-line no-control-regex -- these are what JSON escapes
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Ids that need no escape. */
const PLAIN_ID = /^[\w-]+$/;

/**
 * Encodes packets of the Socket.IO protocol (protocol v5, "Packet encoding"; behaviours 88 and 89).
 * Stateless: one instance may serve a whole server.
 */
export class Encoder {
  readonly #replacer: JsonReplacer | undefined;

  constructor(options?: EncoderOptions) {
    this.#replacer = options?.replacer;
  }

  /**
   * Encodes a packet as a text, followed by its attachments in the order of their placeholders.
   *
   * Events and acknowledgements whose data holds bytes become packets of the binary types; in
   * other packets bytes are JSON like any object. The packet and its data are not changed. The
   * attachments share the memory of the data, so that it must not be written to until it is sent.
   *
   * @throws {TypeError} when the data is circular, holds a `BigInt` or a `Blob`, or is nested
   * deeper than 1200 levels; also whatever a `toJSON`, a getter or the replacer throws.
   */
  encode(packet: SocketPacket): RawData[] {
    switch (packet.type) {
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        return this.#encodeArguments(packet, PacketType.EVENT, PacketType.BINARY_EVENT);
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        return this.#encodeArguments(packet, PacketType.ACK, PacketType.BINARY_ACK);
      default:
        return [this.#encodeText(`${packet.type}`, packet, packet.data)];
    }
  }

  #encodeArguments(packet: SocketPacket, type: PacketType, binaryType: PacketType): RawData[] {
    const { data } = packet;
    if (!mayHoldBytes(data)) return [this.#encodeText(`${type}`, packet, data)];
    const attachments: Buffer[] = [];
    const json = takeAttachments(data, attachments);
    const count = attachments.length;
    if (count === 0) return [this.#encodeText(`${type}`, packet, data)];
    return [this.#encodeText(`${binaryType}${count}-`, packet, json), ...attachments];
  }

  #encodeText(prefix: string, packet: SocketPacket, data: unknown): string {
    const { nsp, id } = packet;
    let text = prefix;
    // Adapters pass on packets that crossed a network, where what is missing may become null.
    if (nsp && nsp !== "/") text += nsp + ",";
    if (typeof id === "number") text += id;
    if (data === undefined || data === null) return text;
    // The result is undefined for a lone function or symbol, or if the replacer drops everything.
    const json = this.#toJson(data);
    return json === undefined ? text : text + json;
  }

  #toJson(data: unknown): string | undefined {
    if (this.#replacer !== undefined) return JSON.stringify(data, this.#replacer);
    const json = Array.isArray(data) ? primitivesToJson(data) : idToJson(data);
    return json ?? JSON.stringify(data);
  }
}

/**
 * Does what `JSON.stringify` does for an array of primitives, in less time. Returns `undefined` if
 * there is anything else in it.
 */
function primitivesToJson(values: readonly unknown[]): string | undefined {
  let json = "]";
  // Backwards, because it is the last argument of an event that most often is an object.
  for (let i = values.length - 1; i >= 0; i--) {
    const value = primitiveToJson(values[i]);
    if (value === undefined) return undefined;
    json = i === 0 ? value + json : "," + value + json;
  }
  return "[" + json;
}

/** The same for an object with nothing but an id, which every client gets once. */
function idToJson(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  if (Object.getPrototypeOf(data) !== Object.prototype) return undefined;
  let sid: unknown;
  for (const key in data) {
    // Any other property, be it inherited, is for `JSON.stringify` to judge.
    if (key !== "sid" || !Object.hasOwn(data, key)) return undefined;
    sid = Reflect.get(data, key);
  }
  return typeof sid === "string" && PLAIN_ID.test(sid) ? `{"sid":"${sid}"}` : undefined;
}

function primitiveToJson(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : '"' + value + '"';
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return "null";
    default:
      return value === null ? "null" : undefined;
  }
}
