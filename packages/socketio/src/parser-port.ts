import type { SocketPacket } from "@jackfield/parser";

/** Text or bytes, as the engine carries them. */
export type RawData = string | Buffer;

/** Makes messages of packets. One per server. */
export interface PacketEncoder {
  /** The packet's text, followed by its attachments in the order of their placeholders. */
  encode(packet: SocketPacket): RawData[];
}

/** Makes packets of the messages of one connection. */
export interface PacketDecoder {
  /**
   * Takes the next message.
   *
   * Returns the packet it completes, or `undefined` while attachments are missing.
   *
   * @throws {Error} The message breaks the protocol; the connection must be closed.
   */
  push(data: RawData): SocketPacket | undefined;

  /** Drops what is incomplete. Called once, when the connection is closed. */
  destroy(): void;
}

/** What Socket.IO needs of a parser. */
export interface PacketParser {
  createEncoder(): PacketEncoder;
  createDecoder(): PacketDecoder;
}
