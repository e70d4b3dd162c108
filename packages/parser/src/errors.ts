/** Why received data is not a packet. */
export type PacketErrorCode =
  /** The type character is missing or unknown. */
  | "ERR_PACKET_TYPE"
  /** The part behind the header is missing, not JSON, or of the wrong shape for the type. */
  | "ERR_PACKET_PAYLOAD"
  /** The attachment count or a placeholder is malformed or out of range. */
  | "ERR_PACKET_ATTACHMENTS"
  /** Text arrived where an attachment is due, or an attachment where none is. */
  | "ERR_PACKET_ORDER";

/** Thrown when received data breaks the protocol. The connection it came from has to be closed. */
export class PacketError extends Error {
  override readonly name = "PacketError";
  readonly code: PacketErrorCode;

  constructor(code: PacketErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
