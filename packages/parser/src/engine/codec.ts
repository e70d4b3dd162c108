import type { EnginePacket, RawData } from "./packet.js";

/** One revision of the Engine.IO wire format. Pure: no I/O, no timers, no state. */
export interface PacketCodec {
  /** The value of the `EIO` query parameter that asks for this revision. */
  readonly protocol: 3 | 4;

  /**
   * Encodes a packet as one message of a transport with message boundaries.
   *
   * `supportsBinary` tells whether the peer takes bytes; if not, they become base64 text.
   */
  encodePacket(packet: EnginePacket, supportsBinary: boolean): RawData;

  /**
   * Decodes one message of a transport with message boundaries.
   *
   * @throws {PacketError} when the message is no packet.
   */
  decodePacket(data: RawData): EnginePacket;

  /** Encodes packets as one body of HTTP long-polling. */
  encodePayload(packets: readonly EnginePacket[], supportsBinary: boolean): RawData;

  /**
   * Decodes one body of HTTP long-polling. Each packet is handed over before the next one is
   * looked at, until `onPacket` returns `false` (behaviour 32).
   *
   * @throws {PacketError} at the first bad packet; those before it were handed over. An empty
   * payload is a bad packet.
   */
  decodePayload(payload: RawData, onPacket: (packet: EnginePacket) => boolean): void;
}
