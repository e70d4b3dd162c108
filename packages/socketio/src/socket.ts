import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import { PacketType, type SocketPacket } from "@jackfield/parser";
import { Acks, PendingAck } from "./acks.js";
import type {
  AckFunction,
  Adapter,
  AdapterPacket,
  BroadcastFlags,
  Room,
  SocketId,
} from "./adapter/contract.js";
import type {
  Client,
  Event,
  Handshake,
  HandlerErrorSource,
  Socket as PublicSocket,
  Untyped,
} from "./api.js";
import { type BroadcastHost, BroadcastOperator, roomSet } from "./broadcast-operator.js";
import { CatchAllEmitter } from "./catch-all-emitter.js";
import { type DisconnectReason, RECOVERABLE_REASONS } from "./disconnect-reason.js";
import type { DrainableClient } from "./drain.js";
import type { EngineSession } from "./engine-port.js";
import { callHandler, dispatch, watchAdapter } from "./events/dispatch.js";
import { SOCKET_RESERVED_EVENTS } from "./events/reserved.js";
import { ReservedEventError, SocketDisconnectedError } from "./errors.js";
import { buildHandshake } from "./handshake.js";
import type { ErrorReporter } from "./handler-error.js";
import type { Limiter } from "./limits.js";
import { type Middleware, runMiddleware } from "./middleware.js";
import { isLegacy, legacyConnectError } from "./protocol-v4.js";
import type { Recovery, SocketRecovery } from "./recovery.js";

const debug = createDebug("socket.io:socket");

/** What a socket needs of its namespace. */
export interface SocketNamespace extends BroadcastHost {
  readonly name: string;
  readonly server: object;
  readonly adapter: Adapter;
  readonly errors: ErrorReporter;
  readonly recovery: Recovery | undefined;
  readonly limiter: Limiter | undefined;
  _ids: number;
  /** Whether a socket has, or had, a listener of all that goes out: others need not be asked. */
  hasOutgoingListeners: boolean;
  /** The socket is disconnected, or was refused. */
  removeSocket(socket: Socket): void;
}

/** What a socket needs of its client. */
export interface SocketClient extends Client<EngineSession>, DrainableClient {
  /** Encodes and sends a packet, unless the connection is closed. */
  packet(packet: SocketPacket, flags?: BroadcastFlags): void;
  /** The socket is connected; its CONNECT packet is on the way. */
  addSocket(socket: Socket): void;
  /** The socket is disconnected. */
  removeSocket(socket: Socket): void;
  /** Disconnects all sockets and closes the connection. */
  disconnectAll(): void;
  /** Closes the connection. */
  close(): void;
}

/** What a new socket is made of. */
export interface SocketInit {
  readonly id: SocketId;
  /** What the client sent with its CONNECT packet. */
  readonly auth: Record<string, unknown> | undefined;
  /** Milliseconds since 1970. */
  readonly issued: number;
  /** Absent when the state of the connection is not kept. */
  readonly recovery?: SocketRecovery | undefined;
}

/**
 * `connecting` while the middlewares of the namespace run, `disconnecting` while the listeners of
 * that event do: the socket still is in its rooms then and counts as connected (behaviour 104).
 */
type SocketState = "connecting" | "connected" | "disconnecting" | "disconnected";

const ACK_ORIGIN: readonly [HandlerErrorSource] = ["acknowledgement"];

type EmitArguments = [event: string | symbol, ...args: unknown[]];

/** One client in one namespace. */
export class Socket extends CatchAllEmitter {
  readonly id: SocketId;
  readonly nsp: SocketNamespace;
  readonly client: SocketClient;
  readonly conn: EngineSession;
  // Whatever not every socket uses is made when it is first used: there are many sockets.
  readonly #auth: Record<string, unknown> | undefined;
  readonly #issued: number;
  readonly #recovery: SocketRecovery | undefined;
  #state: SocketState = "connecting";
  #data: Untyped;
  #handshake: Handshake | undefined;
  #acks: Acks | undefined;
  #flags: BroadcastFlags | undefined;
  /** Acknowledgements that listeners have not sent yet. */
  #owed = 0;
  #middlewares: Middleware<Event>[] | undefined;

  constructor(nsp: SocketNamespace, client: SocketClient, init: SocketInit) {
    super();
    this.id = init.id;
    this.nsp = nsp;
    this.client = client;
    this.conn = client.conn;
    this.#auth = init.auth;
    this.#issued = init.issued;
    this.#recovery = init.recovery;
    this.#data = init.recovery?.session?.data;
  }

  /** What the application keeps with the socket: `{}` at first. */
  get data(): Untyped {
    this.#data ??= {};
    return this.#data;
  }

  set data(data: Untyped) {
    this.#data = data;
  }

  get server(): object {
    return this.nsp.server;
  }

  get adapter(): Adapter {
    return this.nsp.adapter;
  }

  /** Whether the state of an earlier connection was restored. */
  get recovered(): boolean {
    return this.#recovery?.session !== undefined;
  }

  /** What the client comes back with when its connection breaks. Known to nobody else. */
  get pid(): string | undefined {
    return this.#recovery?.pid;
  }

  get connected(): boolean {
    return this.#state === "connected" || this.#state === "disconnecting";
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  get request(): IncomingMessage {
    return this.client.request;
  }

  /** What the client sent at the beginning. Put together when it is read first. */
  get handshake(): Handshake {
    this.#handshake ??= buildHandshake(this.client.conn, this.#auth, this.#issued);
    return this.#handshake;
  }

  /** The rooms of the socket: a live set of the adapter, an empty one after the disconnection. */
  get rooms(): Set<Room> {
    return this.nsp.adapter.socketRooms(this.id) ?? new Set();
  }

  /** The acknowledgements that the client owes. */
  get acks(): Acks {
    this.#acks ??= new Acks();
    return this.#acks;
  }

  /** How many acknowledgements are still to come, from either side. */
  get pendingAcks(): number {
    return this.#owed + (this.#acks?.size ?? 0);
  }

  /** Bytes on their way to the client, those of its other namespaces included. */
  get bufferedBytes(): number {
    return this.client.conn.bufferedBytes ?? 0;
  }

  /**
   * Emits to the client.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  override emit(...data: EmitArguments): boolean {
    const flags = this.#takeFlags(data[0]);
    const last = data.at(-1);
    if (typeof last !== "function") {
      this.#sendEvent(data, undefined, flags);
      return true;
    }
    data.pop();
    const ack = last as AckFunction;
    if (flags?.timeout === undefined) {
      this.#sendWithAck(data, flags, ack);
      return true;
    }
    const pending = new PendingAck((error, args) => {
      callHandler(this, ack, error === null ? [null, ...args] : [error], ACK_ORIGIN);
    });
    this.#sendWithAck(data, flags, pending);
    return true;
  }

  /** Emits to the client and resolves with what it acknowledges. */
  emitWithAck(...data: EmitArguments): Promise<Untyped> {
    const response = new Promise<Untyped>((resolve, reject) => {
      const flags = this.#takeFlags(data[0]);
      const pending = new PendingAck((error, args) => {
        if (error === null) resolve(args[0]);
        else reject(error);
      });
      this.#sendWithAck(data, flags, pending);
    });
    // Programs written for the official server, where this promise stays pending for ever when the
    // client leaves, do not always wait for it: that must not end the process.
    response.catch(ignore);
    return response;
  }

  /** Emits `message`. */
  send(...args: unknown[]): this {
    this.emit("message", ...args);
    return this;
  }

  /** Emits `message`. */
  write(...args: unknown[]): this {
    return this.send(...args);
  }

  to(room: Room | Room[]): BroadcastOperator {
    return this.#others(roomSet(room));
  }

  in(room: Room | Room[]): BroadcastOperator {
    return this.#others(roomSet(room));
  }

  except(room: Room | Room[]): BroadcastOperator {
    return this.#others().except(room);
  }

  get broadcast(): BroadcastOperator {
    return this.#others();
  }

  get local(): BroadcastOperator {
    return this.#others().local;
  }

  /**
   * Joins rooms. Does nothing after the disconnection, because nobody would ever leave them, and
   * none of the rooms is joined if they would be more than `maxRoomsPerSocket`.
   */
  join(rooms: Room | Room[]): Promise<void> | void {
    if (this.#state === "disconnected") return;
    const { adapter, limiter } = this.nsp;
    if (limiter !== undefined && !limiter.admitsJoin(this, roomSet(rooms))) return;
    if (typeof rooms === "string" && adapter.add !== undefined) return adapter.add(this.id, rooms);
    return adapter.addAll(this.id, roomSet(rooms));
  }

  leave(room: Room): Promise<void> | void {
    return this.nsp.adapter.del(this.id, room);
  }

  leaveAll(): void {
    this.nsp.adapter.delAll(this.id);
  }

  /** Disconnects from the namespace, with `close` from all of them, and closes the connection. */
  disconnect(close = false): this {
    if (this.#state !== "connected") return this;
    if (close) this.client.disconnectAll();
    else {
      this.packet({ type: PacketType.DISCONNECT });
      this._onclose("server namespace disconnect");
    }
    return this;
  }

  compress(compress: boolean): this {
    return this.#withFlags({ compress });
  }

  get volatile(): this {
    return this.#withFlags({ volatile: true });
  }

  timeout(ms: number): this {
    return this.#withFlags({ timeout: ms });
  }

  /** Adds a middleware that every event has to pass before its listeners are called. */
  use(fn: Middleware<Event>): this {
    this.#middlewares ??= [];
    this.#middlewares.push(fn);
    return this;
  }

  /** Sends a packet as it is. For adapters. */
  packet(packet: Omit<SocketPacket, "nsp"> & { nsp?: string }, flags?: BroadcastFlags): void {
    packet.nsp = this.nsp.name;
    this.client.packet(packet as SocketPacket, flags);
  }

  /** The namespace has accepted the socket: joins the room of its id and tells the client. */
  onConnect(): void {
    this.#state = "connected";
    try {
      watchAdapter(this, this.join(this.id));
    } catch (error) {
      this.handlerFailed(error, "adapter");
    }
    this.nsp.recovery?.restore(this, this.#recovery?.session);
    this.packet({ type: PacketType.CONNECT, data: this.#connectData() });
  }

  /** The namespace has refused the socket: tells the client why. */
  refuse(error: { readonly message: string; readonly data?: unknown }): void {
    const data = isLegacy(this.conn) ? legacyConnectError(error) : error;
    this.packet({ type: PacketType.CONNECT_ERROR, data });
  }

  /** A packet from the client has arrived. */
  onPacket(packet: SocketPacket): void {
    if (this.#state !== "connected") return;
    switch (packet.type) {
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        if (this.nsp.limiter?.admitsEvent(this) !== false) this.#onEvent(packet);
        break;
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        this.#onAck(packet);
        break;
      case PacketType.DISCONNECT:
        this._onclose("client namespace disconnect");
        break;
      default:
        break;
    }
  }

  /** The client broke the protocol, or a middleware refused an event. */
  onError(error: unknown): void {
    dispatch(this, "error", [error], "listener");
  }

  /** The connection is closed, or was before the socket got connected. */
  _onclose(reason: DisconnectReason, description?: unknown): void {
    if (this.#state !== "connected") {
      if (this.#state === "connecting") this.abandon();
      return;
    }
    if (debug.enabled) debug("closing socket %s: %s", this.id, reason);
    const args = [reason, description];
    this.#state = "disconnecting";
    dispatch(this, "disconnecting", args, "disconnect listener");
    if (RECOVERABLE_REASONS.has(reason)) this.nsp.recovery?.persist(this);
    this.#leaveForEver();
    this.client.removeSocket(this);
    dispatch(this, "disconnect", args, "disconnect listener");
  }

  /** The connection broke before the namespace has decided. */
  abandon(): void {
    if (this.#state !== "connecting") return;
    const session = this.#recovery?.session;
    if (session !== undefined) this.nsp.recovery?.giveBack(session);
    this.#leaveForEver();
  }

  /** The namespace has decided against the socket. */
  reject(): void {
    if (this.#state === "connecting") this.#leaveForEver();
  }

  /** Nobody waits any more for the acknowledgement of this packet. */
  forgetAck(id: number): void {
    this.#acks?.delete(id);
  }

  handlerFailed(error: unknown, source: HandlerErrorSource, event?: string | symbol): void {
    const socket = this as unknown as PublicSocket;
    this.nsp.errors.report(error, { source, nsp: this.nsp.name, socket, event });
  }

  /** What the client is told of itself (behaviours 74 and 119, Z4). */
  #connectData(): object | undefined {
    if (isLegacy(this.conn)) return undefined;
    const { id: sid, pid } = this;
    return pid === undefined ? { sid } : { sid, pid };
  }

  #leaveForEver(): void {
    try {
      watchAdapter(this, this.leaveAll());
    } catch (error) {
      this.handlerFailed(error, "adapter");
    }
    this.#state = "disconnected";
    this.nsp.removeSocket(this);
    this.#acks?.failAll(new SocketDisconnectedError());
  }

  #onEvent(packet: SocketPacket): void {
    // A packet without payload is an event without name (behaviour 91).
    const event = (packet.data ?? []) as unknown[];
    if (packet.id !== undefined) event.push(this.#acknowledge(packet.id));
    this.notifyIncomingListeners(event);
    if (this.#middlewares === undefined) this.#dispatchEvent(event);
    else this.#runMiddlewares(this.#middlewares, event);
  }

  #runMiddlewares(middlewares: readonly Middleware<Event>[], event: unknown[]): void {
    runMiddleware(middlewares, event as Event, {
      done: (error) => {
        if (error === undefined) this.#dispatchEvent(event);
        else this.onError(error);
      },
      failed: (error) => this.handlerFailed(error, "socket middleware", String(event[0])),
    });
  }

  #dispatchEvent(event: unknown[]): void {
    // Catch-all listeners and middlewares may have disconnected the socket.
    if (this.#state !== "connected") return;
    // Node looks `undefined` up as text when it emits, but chokes on it when it lists listeners.
    const [name = "undefined", ...args] = event;
    dispatch(this, name as string, args, "listener");
  }

  /** A function that sends the acknowledgement, the first time it is called (behaviour 97). */
  #acknowledge(id: number): AckFunction {
    let isSent = false;
    this.#owed += 1;
    return (...data) => {
      if (isSent) return;
      this.packet({ type: PacketType.ACK, data, id });
      isSent = true;
      this.#owed -= 1;
    };
  }

  #onAck({ id, data }: SocketPacket): void {
    const ack = id === undefined ? undefined : this.#acks?.take(id);
    if (ack === undefined) {
      if (debug.enabled) debug("bad ack %s", id);
      return;
    }
    const args = (data ?? []) as unknown[];
    if (ack instanceof PendingAck) ack.settle(null, args);
    else callHandler(this, ack, args, ACK_ORIGIN);
  }

  #sendWithAck(
    data: unknown[],
    flags: BroadcastFlags | undefined,
    ack: AckFunction | PendingAck,
  ): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      // As late as a timeout would be: the caller is not to be called back from its own call.
      if (ack instanceof PendingAck) queueMicrotask(() => ack.settle(refusal, []));
      return;
    }
    const id = this.nsp._ids++;
    const ms = flags?.timeout;
    if (ack instanceof PendingAck && ms !== undefined) {
      this.acks.addTimed(id, ack, { ms, clock: this.nsp.clock });
    } else this.acks.set(id, ack);
    try {
      this.#sendEvent(data, id, flags);
    } catch (error) {
      this.#acks?.delete(id);
      throw error;
    }
  }

  /** Why the client cannot be asked for an acknowledgement now. */
  #refusal(): Error | undefined {
    if (this.#state === "disconnected") return new SocketDisconnectedError();
    return this.nsp.limiter?.judgeAck(this, this.#acks?.size ?? 0);
  }

  #sendEvent(data: unknown[], id: number | undefined, flags: BroadcastFlags | undefined): void {
    const packet: AdapterPacket = { type: PacketType.EVENT, nsp: this.nsp.name, data };
    if (id !== undefined) packet.id = id;
    // A socket that is being connected is unknown to its adapter (Q5).
    if (this.#recovery !== undefined && this.#state !== "connecting") {
      this.nsp.recovery?.send(this, packet, flags);
      return;
    }
    this.notifyOutgoingListeners(packet);
    if (this.#state !== "disconnected") this.client.packet(packet as SocketPacket, flags);
  }

  #withFlags(flags: BroadcastFlags): this {
    this.#flags = { ...this.#flags, ...flags };
    return this;
  }

  /** The flags are gone even if the packet cannot be sent (FIX 117). */
  #takeFlags(event: string | symbol): BroadcastFlags | undefined {
    const flags = this.#flags;
    this.#flags = undefined;
    if (SOCKET_RESERVED_EVENTS.has(event)) throw new ReservedEventError(event);
    return flags;
  }

  #others(rooms?: Set<Room>): BroadcastOperator {
    const flags = this.#flags;
    this.#flags = undefined;
    return new BroadcastOperator(this.nsp, rooms, new Set([this.id]), flags);
  }
}

function ignore(): void {}
