import type { EnginePacket, RawData } from "@jackfield/parser";

export type { EnginePacket, RawData };

/** What the engine needs of an implementation of the packet format. Pure: no I/O, no state. */
export interface PacketCodec {
  /** The `EIO` query parameter that it answers to. */
  readonly protocol: 3 | 4;
  /** Encodes one packet for a transport that keeps packets apart by itself. */
  encodePacket(packet: EnginePacket, supportsBinary: boolean): RawData;
  /** @throws {PacketError} when the data is not one valid packet */
  decodePacket(data: RawData): EnginePacket;
  /** Encodes packets as the body of one HTTP response. */
  encodePayload(packets: readonly EnginePacket[], supportsBinary: boolean): RawData;
  /**
   * Hands over each packet of an HTTP body, until `onPacket` returns `false`.
   *
   * @throws {PacketError} at the first invalid packet, after those before it were handed over
   */
  decodePayload(payload: RawData, onPacket: (packet: EnginePacket) => boolean): void;
}

/** How a packet may be sent. */
export interface PacketOptions {
  /** Whether the transport may compress the packet. Default `true`. */
  readonly compress?: boolean | undefined;
  /** A complete WebSocket frame, header and payload, that somebody encoded earlier. */
  readonly wsPreEncodedFrame?: readonly Buffer[] | undefined;
}

/** A packet on its way out. Many sessions may hold the same one. */
export interface OutgoingPacket extends EnginePacket {
  readonly options?: PacketOptions | undefined;
  /** The packet as a WebSocket frame, once a session has encoded it. */
  frame?: Buffer | undefined;
}
