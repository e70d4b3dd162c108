import { PacketType } from "./packet.js";

const TYPES: readonly PacketType[] = [
  PacketType.CONNECT,
  PacketType.DISCONNECT,
  PacketType.EVENT,
  PacketType.ACK,
  PacketType.CONNECT_ERROR,
  PacketType.EVENT,
  PacketType.ACK,
];

/**
 * The type of a packet once it is decoded, by its number on the wire: the binary types are no more
 * than a mark that attachments follow. Returns `undefined` for numbers that are no type.
 */
export function decodedType(wireType: number): PacketType | undefined {
  return TYPES[wireType];
}
