import type { AdapterPacket, BroadcastFlags, BroadcastOptions, Room } from "./contract.js";

/** The id of an adapter among those of its namespace in the cluster. */
export type ServerId = string;

/** Where a message is in the log of the broker; clients name it to get what they have missed. */
export type Offset = string;

/**
 * The numbers of the messages between the servers of a cluster: those of the package
 * `socket.io-adapter`.
 */
export const MessageType: {
  readonly INITIAL_HEARTBEAT: 1;
  readonly HEARTBEAT: 2;
  readonly BROADCAST: 3;
  readonly SOCKETS_JOIN: 4;
  readonly SOCKETS_LEAVE: 5;
  readonly DISCONNECT_SOCKETS: 6;
  readonly FETCH_SOCKETS: 7;
  readonly FETCH_SOCKETS_RESPONSE: 8;
  readonly SERVER_SIDE_EMIT: 9;
  readonly SERVER_SIDE_EMIT_RESPONSE: 10;
  readonly BROADCAST_CLIENT_COUNT: 11;
  readonly BROADCAST_ACK: 12;
  readonly ADAPTER_CLOSE: 13;
} = {
  INITIAL_HEARTBEAT: 1,
  HEARTBEAT: 2,
  BROADCAST: 3,
  SOCKETS_JOIN: 4,
  SOCKETS_LEAVE: 5,
  DISCONNECT_SOCKETS: 6,
  FETCH_SOCKETS: 7,
  FETCH_SOCKETS_RESPONSE: 8,
  SERVER_SIDE_EMIT: 9,
  SERVER_SIDE_EMIT_RESPONSE: 10,
  BROADCAST_CLIENT_COUNT: 11,
  BROADCAST_ACK: 12,
  ADAPTER_CLOSE: 13,
};
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

type Types = typeof MessageType;

/** {@link BroadcastOptions} as data. */
export interface EncodedOptions {
  rooms: Room[];
  except: Room[];
  flags: BroadcastFlags;
}

/** Who sends a message, and in which namespace. */
export interface Envelope {
  /** Programs without sockets call themselves `emitter`. */
  uid: ServerId;
  nsp: string;
}

/** What a server tells all others, without the envelope. */
export type ClusterMessageBody =
  | { type: Types["INITIAL_HEARTBEAT"] | Types["HEARTBEAT"] | Types["ADAPTER_CLOSE"] }
  | {
      type: Types["BROADCAST"];
      /** With a request id, the clients are asked for acknowledgements. */
      data: { opts: EncodedOptions; packet: AdapterPacket; requestId?: string };
    }
  | {
      type: Types["SOCKETS_JOIN"] | Types["SOCKETS_LEAVE"];
      data: { opts: EncodedOptions; rooms: Room[] };
    }
  | { type: Types["DISCONNECT_SOCKETS"]; data: { opts: EncodedOptions; close?: boolean } }
  | { type: Types["FETCH_SOCKETS"]; data: { opts: EncodedOptions; requestId: string } }
  | {
      type: Types["SERVER_SIDE_EMIT"];
      /** With a request id, an acknowledgement is wanted. */
      data: { packet: unknown[]; requestId?: string };
    };

/** What a server tells the one that has asked, without the envelope. */
export type ClusterResponseBody =
  | { type: Types["FETCH_SOCKETS_RESPONSE"]; data: { requestId: string; sockets: unknown[] } }
  | { type: Types["SERVER_SIDE_EMIT_RESPONSE"]; data: { requestId: string; packet: unknown } }
  | { type: Types["BROADCAST_CLIENT_COUNT"]; data: { requestId: string; clientCount: number } }
  | { type: Types["BROADCAST_ACK"]; data: { requestId: string; packet: unknown } };

/** What a server tells all others. */
export type ClusterMessage = Envelope & ClusterMessageBody;

/** What a server tells the one that has asked. */
export type ClusterResponse = Envelope & ClusterResponseBody;

/** Programs that only send, and never answer, have this id. */
export const EMITTER_UID = "emitter";

/** Makes data of who is meant. */
export function encodeOptions({ rooms, except, flags }: BroadcastOptions): EncodedOptions {
  return { rooms: [...rooms], except: [...(except ?? [])], flags: flags ?? {} };
}

/** The opposite of {@link encodeOptions}, for options that were checked. */
export function decodeOptions({ rooms, except, flags }: EncodedOptions): BroadcastOptions {
  return { rooms: new Set(rooms), except: new Set(except), flags };
}
