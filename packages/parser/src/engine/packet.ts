/** Text or bytes, as a transport carries them. */
export type RawData = string | Buffer;

/** The packet types of the Engine.IO protocol (protocol v4, "Packet types"). */
export type EnginePacketType = "open" | "close" | "ping" | "pong" | "message" | "upgrade" | "noop";

/** One packet of the Engine.IO protocol. Only `message` packets may carry bytes. */
export interface EnginePacket {
  readonly type: EnginePacketType;
  readonly data?: RawData | undefined;
}
