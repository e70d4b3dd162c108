import { isBytes, toBuffer } from "../bytes.js";
import type { RawData } from "../engine/packet.js";
import { PacketError } from "../errors.js";
import { PacketType, type SocketPacket } from "./packet.js";
import type { SocketDecoder, SocketEncoder, SocketParser } from "./parser.js";
import { isValidPayload } from "./payload.js";
import { decodedType } from "./wire-type.js";

/** An encoder as npm `socket.io-parser` and the modules modelled on it have. */
export interface LegacyEncoder {
  encode(packet: object): unknown;
}

/** A decoder as npm `socket.io-parser` and the modules modelled on it have. */
export interface LegacyDecoder {
  on(event: "decoded", listener: (packet: object) => void): unknown;
  add(data: unknown): unknown;
  destroy(): unknown;
}

/** What a module has to export to be a value of the `parser` option. */
export interface LegacyParserModule {
  readonly Encoder: new () => LegacyEncoder;
  readonly Decoder: new () => LegacyDecoder;
}

/**
 * Makes a parser of a module in the shape of npm `socket.io-parser`, such as
 * `socket.io-msgpack-parser`.
 *
 * Its decoders have to be synchronous: a packet has to be announced before `add` returns.
 */
export function wrapParser(module: LegacyParserModule): SocketParser {
  return {
    createEncoder: () => new WrappedEncoder(new module.Encoder()),
    createDecoder: () => new WrappedDecoder(new module.Decoder()),
  };
}

class WrappedEncoder implements SocketEncoder {
  readonly #encoder: LegacyEncoder;

  constructor(encoder: LegacyEncoder) {
    this.#encoder = encoder;
  }

  encode({ type, nsp, data, id }: SocketPacket): RawData[] {
    // Encoders are known that mutate the packet, and others that send members that are undefined.
    const packet: SocketPacket = { type, nsp };
    if (data !== undefined) packet.data = data;
    if (id !== undefined) packet.id = id;
    const pieces = this.#encoder.encode(packet);
    if (!Array.isArray(pieces)) throw new TypeError("the encoder did not return an array");
    return pieces.map(toRawData);
  }
}

function toRawData(piece: unknown): RawData {
  if (typeof piece === "string") return piece;
  if (isBytes(piece)) return toBuffer(piece);
  throw new TypeError("the encoder returned something that is neither text nor bytes");
}

class WrappedDecoder implements SocketDecoder {
  readonly #decoder: LegacyDecoder;
  #decoded: unknown;
  #decodedCount = 0;

  constructor(decoder: LegacyDecoder) {
    this.#decoder = decoder;
    decoder.on("decoded", (packet) => {
      this.#decoded = packet;
      this.#decodedCount++;
    });
  }

  push(data: RawData): SocketPacket | undefined {
    this.#decodedCount = 0;
    try {
      this.#decoder.add(data);
      if (this.#decodedCount === 0) return undefined;
      if (this.#decodedCount === 1) return checkPacket(this.#decoded);
    } catch (cause) {
      if (cause instanceof PacketError) throw cause;
      throw new PacketError("ERR_PACKET_PAYLOAD", messageOf(cause), { cause });
    } finally {
      this.#decoded = undefined;
    }
    throw new PacketError("ERR_PACKET_ORDER", "one message was decoded to several packets");
  }

  destroy(): void {
    this.#decoder.destroy();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "invalid packet";
}

/** Copies the members that a server relies on, if they are what it relies on. */
function checkPacket(decoded: unknown): SocketPacket {
  if (typeof decoded !== "object" || decoded === null) {
    throw new PacketError("ERR_PACKET_TYPE", "the decoded packet is no object");
  }
  const packet: Partial<Record<keyof SocketPacket, unknown>> = decoded;
  const { nsp, data } = packet;
  const type = typeof packet.type === "number" ? decodedType(packet.type) : undefined;
  if (type === undefined) throw new PacketError("ERR_PACKET_TYPE", "unknown packet type");
  if (typeof nsp !== "string") throw new PacketError("ERR_PACKET_PAYLOAD", "illegal namespace");
  if (isListType(type) && data !== undefined && !isValidPayload(type, data)) {
    throw new PacketError("ERR_PACKET_PAYLOAD", "invalid payload");
  }
  return { type, nsp, data, id: checkId(packet.id) };
}

function checkId(id: unknown): number | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === "number" && Number.isInteger(id)) return id;
  throw new PacketError("ERR_PACKET_PAYLOAD", "illegal id");
}

/** The types whose data the server spreads. That of the others it only hands to the user. */
function isListType(type: PacketType): boolean {
  return type === PacketType.EVENT || type === PacketType.ACK;
}
