import {
  isBytes,
  PacketError,
  toBuffer,
  type Bytes,
  type EnginePacket,
  type EnginePacketType,
} from "@jackfield/parser";

/** The types of packets; `error` stands for something that is no packet. */
export type PacketType = EnginePacketType | "error";

/** Text, or bytes in any form. */
export type RawData = string | Bytes;

/** One packet. Only a message may hold bytes. */
export interface Packet {
  type: PacketType;
  data?: RawData | undefined;
  options?: { compress?: boolean | undefined } | undefined;
}

/** What received bytes become: a `Buffer`, unless it is `arraybuffer`. */
export type BinaryType = "nodebuffer" | "arraybuffer" | "blob";

/**
 * Makes a packet for the codec.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function toEnginePacket({ type, data }: Packet): EnginePacket {
  if (type === "error") throw new TypeError("an error packet cannot be sent");
  if (isBytes(data)) return { type, data: toBuffer(data) };
  // oxlint-disable-next-line no-unnecessary-type-conversion -- callers without types give numbers
  return data ? { type, data: String(data) } : { type };
}

/** Makes a packet of what a codec has decoded. */
export function toPacket(
  { type, data }: EnginePacket,
  binaryType: BinaryType | null | undefined,
): Packet {
  if (data === undefined) return { type };
  return { type, data: typeof data === "string" ? data : toBinaryType(data, binaryType) };
}

/** Gives bytes the form that was asked for. An `ArrayBuffer` is a copy, if it was none. */
export function toBinaryType(
  data: Bytes,
  binaryType: BinaryType | null | undefined,
): Buffer | ArrayBuffer {
  if (binaryType !== "arraybuffer") return toBuffer(data);
  return data instanceof ArrayBuffer ? data : new Uint8Array(toBuffer(data)).buffer;
}

/**
 * Makes a packet of what a codec has thrown.
 *
 * @throws the error itself, if it does not come from what was decoded
 */
export function toErrorPacket(error: unknown): Packet {
  if (!(error instanceof PacketError)) throw error;
  return { type: "error", data: "parser error" };
}
