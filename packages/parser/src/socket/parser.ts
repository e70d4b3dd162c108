import type { RawData } from "../engine/packet.js";
import { Decoder } from "./decoder.js";
import { Encoder } from "./encoder.js";
import type { SocketPacket } from "./packet.js";

/** Turns packets into messages. Stateless: one instance serves a whole server. */
export interface SocketEncoder {
  /**
   * Encodes a packet as messages to be sent in this order, with nothing in between. Changes neither
   * the packet nor its data.
   */
  encode(packet: SocketPacket): RawData[];
}

/** Turns the messages of one connection into packets. */
export interface SocketDecoder {
  /**
   * Takes the next message, and returns the packet that it completes, if any.
   *
   * @throws {PacketError} when the peer breaks the protocol.
   */
  push(data: RawData): SocketPacket | undefined;

  /** Drops what is incomplete. Called once, when the connection is closed. */
  destroy(): void;
}

/** A wire format for Socket.IO packets. */
export interface SocketParser {
  createEncoder(): SocketEncoder;
  createDecoder(): SocketDecoder;
}

export interface DefaultParserOptions {
  /** How many attachments a received packet may have (behaviour 90). Default: 10. */
  readonly maxAttachments?: number | undefined;
}

/** The wire format that Socket.IO clients speak if they are not told otherwise. */
export function defaultParser(options?: DefaultParserOptions): SocketParser {
  const decoderOptions = { maxAttachments: options?.maxAttachments };
  return {
    createEncoder: () => new Encoder(),
    createDecoder: () => new Decoder(decoderOptions),
  };
}
