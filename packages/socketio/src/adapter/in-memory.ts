import { EventEmitter } from "node:events";
import type { PreparedMessage } from "../engine-port.js";
import type { RawData } from "../parser-port.js";
import type {
  AckFunction,
  Adapter as AdapterContract,
  AdapterConnection,
  AdapterNamespace,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  BroadcastOptions,
  ClientWriteOptions,
  Room,
  Session,
  SessionToPersist,
  SocketId,
} from "./contract.js";
import type { Audience, Recipient } from "./audience.js";
import type { Member } from "./member.js";
import { type Members, RoomIndex } from "./room-index.js";

/** A packet as it is written to every client. */
export interface EncodedPacket {
  readonly messages: RawData[];
  readonly writeOptions: ClientWriteOptions;
  /** The size of the messages; text counts one byte per UTF-16 code unit. */
  readonly bytes: number;
}

/**
 * Writes an encoded packet to one socket. The connection of our engine takes it without the client
 * between: one object less to fetch from memory, for each recipient of a broadcast.
 */
export function deliver(
  socket: AdapterSocket,
  packet: AdapterPacket,
  { messages, writeOptions }: EncodedPacket,
): void {
  socket.notifyOutgoingListeners(packet);
  const { conn } = socket;
  const { prepared } = writeOptions;
  if (
    prepared === undefined ||
    conn?.sendPrepared === undefined ||
    writeOptions.volatile === true
  ) {
    socket.client.writeToEngine(messages, writeOptions);
    return;
  }
  for (const message of prepared) conn.sendPrepared(message);
}

/**
 * Knows the rooms of one namespace on one server, and broadcasts to them.
 *
 * Has the methods of the class `Adapter` of the package `socket.io-adapter`, so that an adapter may
 * extend either. Emits `create-room`, `join-room`, `leave-room` and `delete-room`.
 */
export class Adapter extends EventEmitter implements AdapterContract {
  readonly nsp: AdapterNamespace;
  readonly #index = new RoomIndex();

  constructor(nsp: AdapterNamespace) {
    super();
    this.nsp = nsp;
  }

  /** The sockets of every room. */
  get rooms(): Map<Room, Set<SocketId>> {
    return this.#index.rooms;
  }

  set rooms(rooms: Map<Room, Set<SocketId>>) {
    this.#index.replaceRooms(rooms);
  }

  /** The rooms of every socket. */
  get sids(): Map<SocketId, Set<Room>> {
    return this.#index.sids;
  }

  set sids(sids: Map<SocketId, Set<Room>>) {
    this.#index.replaceSids(sids);
  }

  /** For adapters that need to prepare something. */
  init(): Promise<void> | void {}

  /** For adapters that need to release something. */
  close(): Promise<void> | void {}

  /** The number of servers in the cluster: one. */
  serverCount(): Promise<number> {
    return Promise.resolve(1);
  }

  /** Adds a socket to rooms. */
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    for (const room of rooms) this.#add(id, room);
  }

  /** Adds a socket to one room. */
  add(id: SocketId, room: Room): Promise<void> | void {
    // An adapter that extends this one may know of `addAll` alone.
    if (this.addAll !== Adapter.prototype.addAll) return this.addAll(id, new Set([room]));
    this.#add(id, room);
  }

  /** Removes a socket from one room. */
  del(id: SocketId, room: Room): Promise<void> | void {
    // The socket stays known without rooms: broadcasts to everybody reach it (behaviour 109).
    const { size } = this.#index.rooms;
    if (this.#index.remove(id, room)) this.#tellLeave(id, room, size);
  }

  /** Removes a socket from all rooms. */
  delAll(id: SocketId): void {
    const rooms = this.#index.depart(id);
    if (rooms === undefined) return;
    if (typeof rooms === "string") {
      this.#leave(id, rooms);
      return;
    }
    let failure: { readonly error: unknown } | undefined;
    for (const room of rooms) {
      try {
        this.#leave(id, room);
      } catch (error) {
        // A listener failed. The socket leaves the other rooms all the same.
        failure ??= { error };
      }
    }
    this.#index.departed();
    if (failure !== undefined) throw failure.error;
  }

  /** The rooms of a socket: a live set. */
  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id);
  }

  /** The ids of the sockets in any of the rooms. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const ids = new Set<SocketId>();
    this.#forEach({ rooms }, (socket) => ids.add(socket.id));
    return Promise.resolve(ids);
  }

  /** Sends a packet, which is encoded once (behaviour 118). */
  broadcast(packet: AdapterPacket, options: BroadcastOptions): void {
    this.writeBroadcast(packet, this.encodeBroadcast(packet, options.flags), options);
  }

  /** Sends a packet, and tells every response. One id serves all sockets (behaviour 115). */
  broadcastWithAck(
    packet: AdapterPacket,
    options: BroadcastOptions,
    onClientCount: (count: number) => void,
    onAck: AckFunction,
  ): void {
    const id = this.nsp._ids++;
    packet.id = id;
    const encoded = this.encodeBroadcast(packet, options.flags);
    let count = 0;
    this.#forEach(options, (socket) => {
      count += 1;
      socket.acks.set(id, onAck);
      deliver(socket, packet, encoded);
    });
    onClientCount(count);
  }

  /** The selected sockets. */
  fetchSockets(options: BroadcastOptions): Promise<unknown[]> {
    const sockets: AdapterSocket[] = [];
    this.#forEach(options, (socket) => sockets.push(socket));
    return Promise.resolve(sockets);
  }

  /** Makes the selected sockets join rooms. */
  addSockets(options: BroadcastOptions, rooms: Room[]): void {
    this.#forEach(options, (socket) => void socket.join(rooms));
  }

  /** Makes the selected sockets leave rooms. */
  delSockets(options: BroadcastOptions, rooms: Room[]): void {
    this.#forEach(options, (socket) => {
      for (const room of rooms) void socket.leave(room);
    });
  }

  /** Disconnects the selected sockets. */
  disconnectSockets(options: BroadcastOptions, close: boolean): void {
    this.#forEach(options, (socket) => void socket.disconnect(close));
  }

  /** There are no other servers, so nobody gets the event and the responses are none (Q11). */
  serverSideEmit(args: unknown[]): void {
    const acknowledge = args.at(-1);
    if (typeof acknowledge === "function") acknowledge(null, []);
  }

  /** For adapters that can restore sessions. */
  persistSession(_session: SessionToPersist): void {}

  /** For adapters that can restore sessions. */
  restoreSession(_pid: string, _offset: string): Promise<Session | null> | Session | null {
    return null;
  }

  // Published adapters have methods of their own called `encode` and the like: these names are none
  // of theirs.

  /** Encodes a packet once for all who get it. */
  protected encodeBroadcast(
    packet: AdapterPacket,
    flags: BroadcastFlags | undefined,
  ): EncodedPacket {
    packet.nsp = this.nsp.name;
    const messages = this.nsp.server.encoder.encode(packet);
    const compress = flags?.compress;
    const messageOptions = compress === undefined ? undefined : { compress };
    let bytes = 0;
    const prepared = messages.map((data): PreparedMessage => {
      bytes += data.length;
      return { type: "message", data, options: messageOptions, frame: undefined };
    });
    const writeOptions = { preEncoded: true, volatile: flags?.volatile, compress, prepared };
    return { messages, writeOptions, bytes };
  }

  /** Writes an encoded packet to the selected sockets. */
  protected writeBroadcast(
    packet: AdapterPacket,
    encoded: EncodedPacket,
    options: BroadcastOptions,
  ): void {
    const left = this.#sendToAudience(encoded, options);
    if (left?.size === 0) return;
    this.#forEach(options, (socket) => {
      if (left === undefined || isAmong(left, socket.conn)) deliver(socket, packet, encoded);
    });
  }

  /** @returns who is left to be visited; `undefined` when that is everybody */
  #sendToAudience(
    { writeOptions: { prepared, volatile } }: EncodedPacket,
    { rooms, except }: BroadcastOptions,
  ): ReadonlySet<AdapterConnection> | undefined {
    // What else is to be decided for each recipient, is decided where it is visited.
    if (prepared === undefined || volatile === true) return undefined;
    // The members of several rooms are collected: not here, and there once more.
    if (rooms.size !== 1 || (except !== undefined && except.size > 1)) return undefined;
    const excepted = this.#membersOf(except);
    if (typeof excepted === "object") return undefined;
    const exception = excepted === undefined ? undefined : this.nsp.sockets.get(excepted);
    return this.#audienceOf(rooms)?.send(prepared, exception?.conn);
  }

  /** Where there is one, a broadcast needs nothing of the sockets of its recipients. */
  #audienceOf(rooms: ReadonlySet<Room>): Audience | undefined {
    if (this.nsp.hasOutgoingListeners !== false) return undefined;
    const { sockets } = this.nsp;
    for (const room of rooms) {
      return this.#index.audienceOf(room, (record) => recipientOf(find(record, sockets)));
    }
    return undefined;
  }

  #add(id: SocketId, room: Room): void {
    const { size } = this.#index.rooms;
    if (!this.#index.add(id, room)) return;
    if (this.#index.rooms.size > size) this.#tell("create-room", room);
    this.#tell("join-room", room, id);
  }

  #leave(id: SocketId, room: Room): void {
    const { size } = this.#index.rooms;
    if (this.#index.leave(id, room)) this.#tellLeave(id, room, size);
  }

  #tellLeave(id: SocketId, room: Room, sizeBefore: number): void {
    const isDeleted = this.#index.rooms.size < sizeBefore;
    this.#tell("leave-room", room, id);
    if (isDeleted) this.#tell("delete-room", room);
  }

  /** Emits, if somebody listens: to find that out takes a fraction of what `emit` takes. */
  #tell(event: string, room: Room, id?: SocketId): void {
    if (this.listenerCount(event) === 0) return;
    if (id === undefined) this.emit(event, room);
    else this.emit(event, room, id);
  }

  /**
   * Visits the connected sockets in any of the rooms once, minus those in the excepted rooms. No
   * rooms means all sockets.
   */
  #forEach(options: BroadcastOptions, visit: (socket: AdapterSocket) => void): void {
    const except = this.#membersOf(options.except);
    if (options.rooms.size > 0) {
      this.#forEachIn(options.rooms, except, visit);
      return;
    }
    for (const socket of this.nsp.sockets.values()) {
      if (except === undefined || !contains(except, socket.id)) visit(socket);
    }
  }

  #forEachIn(
    rooms: ReadonlySet<Room>,
    except: Excepted,
    visit: (socket: AdapterSocket) => void,
  ): void {
    const { sockets } = this.nsp;
    // A socket may be in several of the rooms: only then the ones that were visited matter.
    const visited = rooms.size > 1 ? new Set<SocketId>() : undefined;
    const visitId = (id: SocketId, record?: Member): void => {
      if (contains(except, id) || visited?.has(id) === true) return;
      const socket = record === undefined ? sockets.get(id) : find(record, sockets);
      if (socket === undefined) return;
      visited?.add(id);
      visit(socket);
    };
    for (const room of rooms) this.#index.forEachIn(room, visitId);
  }

  /** The ids of the sockets in the rooms. */
  #membersOf(rooms: ReadonlySet<Room> | undefined): Excepted {
    if (rooms === undefined || rooms.size === 0) return undefined;
    if (rooms.size === 1) for (const room of rooms) return this.#index.membersOf(room);
    const ids = new Set<SocketId>();
    for (const room of rooms) this.#index.forEachIn(room, (id) => ids.add(id));
    return ids;
  }
}

/** The socket of a record, which is only looked up by its id once. */
function find(record: Member, sockets: AdapterNamespace["sockets"]): AdapterSocket | undefined {
  if (record.socket?.connected !== true) record.socket = sockets.get(record.name);
  return record.socket;
}

function recipientOf(socket: AdapterSocket | undefined): Recipient | undefined {
  const { conn } = socket ?? {};
  return conn?.sendPrepared === undefined ? undefined : (conn as Recipient);
}

function isAmong(
  some: ReadonlySet<AdapterConnection>,
  connection: AdapterConnection | undefined,
): boolean {
  return connection !== undefined && some.has(connection);
}

/** No socket, one socket, or several. */
type Excepted = SocketId | Members | undefined;

function contains(excepted: Excepted, id: SocketId): boolean {
  if (excepted === undefined) return false;
  return typeof excepted === "string" ? excepted === id : excepted.has(id);
}
