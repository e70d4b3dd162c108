import type { EngineWriteOptions, PreparedMessage } from "../engine-port.js";
import type { RawData } from "../parser-port.js";
import type { Clock } from "../timers.js";

/** The name of a room. */
export type Room = string;
/** The public id of a socket, known to its client. */
export type SocketId = string;
/** The id of a session, which only its client knows. */
export type PrivateSessionId = string;

/** How a packet is to be sent. */
export interface BroadcastFlags {
  /** Whether the packet may be dropped for sockets that cannot send it at once. */
  volatile?: boolean | undefined;
  /** Whether transports may compress the packet. */
  compress?: boolean | undefined;
  /** Whether the packet stays on this server of the cluster. */
  local?: boolean | undefined;
  /** Set by official servers on every broadcast; nothing depends on it. */
  broadcast?: boolean | undefined;
  /** Set by official servers of old; nothing depends on it. */
  binary?: boolean | undefined;
  /** Milliseconds to wait for acknowledgements. */
  timeout?: number | undefined;
  /** The target is one socket, so its response is wanted without an array around it. */
  expectSingleResponse?: boolean | undefined;
}

/** Who is meant: the sockets in any of `rooms` (all of them when empty), minus those in `except`. */
export interface BroadcastOptions {
  rooms: Set<Room>;
  except?: Set<Room>;
  flags?: BroadcastFlags;
}

/** A packet on the boundary. Adapters write `nsp` and `id`, and push onto `data`: pass a fresh one. */
export interface AdapterPacket {
  /** The number of the type on the wire: 2 for events. */
  type: number;
  data: unknown[];
  nsp?: string;
  id?: number;
}

/** How a client is asked to write encoded packets. */
export interface ClientWriteOptions extends EngineWriteOptions {
  readonly volatile?: boolean | undefined;
  /** Always `true` here; published adapters pass it. */
  readonly preEncoded?: boolean | undefined;
  /** The encoded packets again, in a form that the sessions of all recipients share. */
  readonly prepared?: readonly PreparedMessage[] | undefined;
}

/** What adapters use of `socket.client`. */
export interface AdapterClient {
  writeToEngine(encodedPackets: readonly RawData[], options: ClientWriteOptions): void;
}

/** Takes the response of one socket. */
export type AckFunction = (...args: unknown[]) => void;

/** The connection of a socket. */
export interface AdapterConnection {
  readonly readyState: string;
  /** Takes a message that other connections send, too. Absent where the engine is not ours. */
  sendPrepared?(message: PreparedMessage): void;
}

/** What adapters use of a socket. The names are theirs. */
export interface AdapterSocket {
  readonly id: SocketId;
  readonly handshake: object;
  readonly rooms: ReadonlySet<Room>;
  readonly data: unknown;
  readonly connected: boolean;
  readonly acks: { set(id: number, ack: AckFunction): unknown };
  readonly client: AdapterClient;
  /** Absent where the socket is none of ours. */
  readonly conn?: AdapterConnection;
  join(rooms: Room | Room[]): Promise<void> | void;
  leave(room: Room): Promise<void> | void;
  disconnect(close?: boolean): unknown;
  notifyOutgoingListeners(packet: { readonly data?: unknown }): void;
}

/** What adapters use of a namespace. The names are theirs. */
export interface AdapterNamespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<SocketId, AdapterSocket>;
  readonly server: {
    readonly encoder: {
      encode(packet: { type: number; nsp?: string; data?: unknown; id?: number }): RawData[];
    };
    readonly opts: {
      readonly connectionStateRecovery?:
        { readonly maxDisconnectionDuration?: number | undefined } | undefined;
      /** Milliseconds; absent when the engine has its defaults. */
      readonly pingInterval?: number | undefined;
      readonly pingTimeout?: number | undefined;
    };
  };
  /** Absent where the namespace is not ours. */
  readonly clock?: Clock;
  /**
   * Whether a socket of the namespace has, or had, a listener of all that goes out. Absent where the
   * namespace is not ours.
   */
  readonly hasOutgoingListeners?: boolean;
  /** The next acknowledgement id of the namespace. */
  _ids: number;
  /** Delivers an event that another server of the cluster has emitted. */
  _onServerSideEmit(args: unknown[]): void;
  /** The adapter keeps no session any more. Absent where the namespace is not ours. */
  onSessionsGone?(): void;
}

/** What is kept of a socket whose connection broke. */
export interface SessionToPersist {
  readonly sid: SocketId;
  /** The private id, known to the client alone. */
  readonly pid: string;
  readonly rooms: Room[];
  readonly data: unknown;
}

/** What is known of a socket whose client came back. */
export interface Session extends SessionToPersist {
  readonly missedPackets: unknown[][];
  /** The same, as it was written. Sessions that come from elsewhere lack it. */
  readonly missedMessages?: readonly (readonly RawData[])[] | undefined;
}

/**
 * What a namespace asks of its adapter: structurally the class `Adapter` of the package
 * `socket.io-adapter`, which published adapters extend. Never recognised by `instanceof`.
 */
export interface Adapter {
  readonly nsp: AdapterNamespace;
  /** The sockets of every room. */
  readonly rooms: Map<Room, Set<SocketId>>;
  /** The rooms of every socket. */
  readonly sids: Map<SocketId, Set<Room>>;
  init(): Promise<void> | void;
  close(): Promise<void> | void;
  /** The number of servers in the cluster, this one included. */
  serverCount(): Promise<number>;
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void;
  del(id: SocketId, room: Room): Promise<void> | void;
  delAll(id: SocketId): void;
  socketRooms(id: SocketId): Set<Room> | undefined;
  sockets(rooms: Set<Room>): Promise<Set<SocketId>>;
  broadcast(packet: AdapterPacket, options: BroadcastOptions): void;
  /**
   * Broadcasts and collects the responses. Calls `onClientCount` once per server of the cluster,
   * and `onAck` once per response.
   */
  broadcastWithAck(
    packet: AdapterPacket,
    options: BroadcastOptions,
    onClientCount: (count: number) => void,
    onAck: AckFunction,
  ): void;
  /** Sockets of this server, and descriptions of those of other servers. */
  fetchSockets(options: BroadcastOptions): Promise<unknown[]>;
  addSockets(options: BroadcastOptions, rooms: Room[]): void;
  delSockets(options: BroadcastOptions, rooms: Room[]): void;
  disconnectSockets(options: BroadcastOptions, close: boolean): void;
  /** Emits to the other servers of the cluster. The last argument may be a function. */
  serverSideEmit(args: unknown[]): void;
  persistSession(session: SessionToPersist): void;
  /**
   * The session, which nobody gets a second time; `null` or a rejection when there is none.
   *
   * @param offset the last one the client knows; `""` when it has received nothing yet
   */
  restoreSession(pid: string, offset: string): Promise<Session | null> | Session | null;
  /** Emits one of `create-room`, `join-room`, `leave-room`, `delete-room`. */
  emit(event: string, ...args: unknown[]): boolean;

  /**
   * Adds a socket to one room, without a set made for it. Adapters of others lack it: use
   * `addAll`.
   */
  add?(id: SocketId, room: Room): Promise<void> | void;
  /**
   * Sends a packet to one socket of this server, and keeps it for the recovery of its session.
   * Adapters of others lack it: broadcast to the room of its id.
   */
  sendTo?(socket: AdapterSocket, packet: AdapterPacket, flags: BroadcastFlags | undefined): void;
  /** Whether there are sessions that can be restored. Adapters of others do not tell. */
  readonly hasSessions?: boolean;
}

/** The option `adapter`: a class, or a function that makes an adapter. */
export type AdapterConstructor =
  (new (nsp: AdapterNamespace) => Adapter) | ((nsp: AdapterNamespace) => Adapter);
