/** The packet types of the Socket.IO protocol, as numbered on the wire (protocol v5, "Packet types"). */
export const PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6,
} as const;

export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/**
 * One packet of the Socket.IO protocol.
 *
 * `data` is an object for CONNECT and CONNECT_ERROR, and an array for events (name first) and
 * acknowledgements. The members are writable, because adapters set `nsp` and `id` and push onto
 * `data`. Decoded packets are never of the binary types: these only exist on the wire.
 */
export interface SocketPacket {
  type: PacketType;
  nsp: string;
  data?: unknown;
  id?: number | undefined;
}
