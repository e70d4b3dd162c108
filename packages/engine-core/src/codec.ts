import type { EnginePacket } from "@jackfield/parser";

// The seam to the packet format: the two revisions of the parser, or any other implementation.
export type { EnginePacket, PacketCodec, RawData } from "@jackfield/parser";

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
