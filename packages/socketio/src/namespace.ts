import createDebug from "debug";
import type { Adapter, AdapterConstructor, Room, Session, SocketId } from "./adapter/contract.js";
import { hostForeignAdapter } from "./adapter/foreign.js";
import type { HandlerErrorSource } from "./api.js";
import { BroadcastOperator, roomSet } from "./broadcast-operator.js";
import { dispatch, type ListenerScope, watchAdapter } from "./events/dispatch.js";
import { NAMESPACE_RESERVED_EVENTS } from "./events/reserved.js";
import { LazyEmitter } from "./events/typed-emitter.js";
import { ReservedEventError } from "./errors.js";
import { type ErrorReporter, isThenable, messageOf } from "./handler-error.js";
import type { Limiter } from "./limits.js";
import { type Middleware, runMiddleware } from "./middleware.js";
import type { PacketEncoder } from "./parser-port.js";
import { isLegacy, legacySocketId } from "./protocol-v4.js";
import { Recovery } from "./recovery.js";
import { Socket, type SocketClient, type SocketNamespace } from "./socket.js";
import type { Clock } from "./timers.js";

const debug = createDebug("socket.io:namespace");

/** What a namespace needs of the server. */
export interface NamespaceServer {
  readonly encoder: PacketEncoder;
  readonly opts: {
    readonly connectionStateRecovery?:
      { readonly maxDisconnectionDuration: number; readonly skipMiddlewares: boolean } | undefined;
  };
  /** What makes the adapter of a new namespace. */
  adapter(): AdapterConstructor;
}

/** What a namespace is made of. */
export interface NamespaceDeps {
  readonly server: NamespaceServer;
  readonly clock: Clock;
  readonly errors: ErrorReporter;
  /** Absent when nothing is limited. */
  readonly limiter: Limiter | undefined;
  /** Makes the id of a socket. */
  generateId(): SocketId;
}

type EmitArguments = [event: string | symbol, ...args: unknown[]];

/** A part of the server with sockets, rooms and middlewares of its own. */
export class Namespace extends LazyEmitter implements SocketNamespace, ListenerScope {
  readonly name: string;
  readonly server: NamespaceServer;
  readonly sockets: Map<SocketId, Socket> = new Map();
  /** The sockets whose middlewares are running. */
  readonly _preConnectSockets: Map<SocketId, Socket> = new Map();
  readonly _fns: Middleware<Socket>[] = [];
  _ids = 0;
  adapter: Adapter;
  hasOutgoingListeners = false;
  /** Absent unless the option `connectionStateRecovery` is given. */
  readonly recovery: Recovery | undefined;
  protected readonly deps: NamespaceDeps;
  #onEmpty: (() => void) | undefined;

  constructor(name: string, deps: NamespaceDeps) {
    super();
    this.name = name;
    this.deps = deps;
    this.server = deps.server;
    const { connectionStateRecovery } = deps.server.opts;
    if (connectionStateRecovery !== undefined) {
      this.recovery = new Recovery(this, connectionStateRecovery.skipMiddlewares);
    }
    this.adapter = this.makeAdapter();
    this.#initAdapter();
  }

  get clock(): Clock {
    return this.deps.clock;
  }

  get errors(): ErrorReporter {
    return this.deps.errors;
  }

  get limiter(): Limiter | undefined {
    return this.deps.limiter;
  }

  /** Replaces the adapter by one of the kind that the server makes now. */
  renewAdapter(): void {
    this.adapter = this.makeAdapter();
    this.#initAdapter();
  }

  /** Calls `onEmpty` whenever the last socket is gone, connecting ones included (FIX 81). */
  watchEmptiness(onEmpty: () => void): void {
    this.#onEmpty = onEmpty;
  }

  /** Adds a middleware that every socket has to pass before it is connected. */
  use(fn: Middleware<Socket>): this {
    this._fns.push(fn);
    return this;
  }

  to(room: Room | Room[]): BroadcastOperator {
    return new BroadcastOperator(this, roomSet(room));
  }

  in(room: Room | Room[]): BroadcastOperator {
    return new BroadcastOperator(this, roomSet(room));
  }

  except(room: Room | Room[]): BroadcastOperator {
    return new BroadcastOperator(this).except(room);
  }

  compress(compress: boolean): BroadcastOperator {
    return new BroadcastOperator(this).compress(compress);
  }

  get volatile(): BroadcastOperator {
    return new BroadcastOperator(this).volatile;
  }

  get local(): BroadcastOperator {
    return new BroadcastOperator(this).local;
  }

  timeout(ms: number): BroadcastOperator {
    return new BroadcastOperator(this).timeout(ms);
  }

  /**
   * Emits to all sockets of the namespace.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  override emit(...data: EmitArguments): boolean {
    return new BroadcastOperator(this).emit(...data);
  }

  /** Emits `message`. */
  send(...args: unknown[]): this {
    this.emit("message", ...args);
    return this;
  }

  /** Emits `message`. */
  write(...args: unknown[]): this {
    this.emit("message", ...args);
    return this;
  }

  /** @deprecated Use {@link Namespace.fetchSockets}. */
  allSockets(): Promise<Set<SocketId>> {
    return new BroadcastOperator(this).allSockets();
  }

  fetchSockets(): Promise<unknown[]> {
    return new BroadcastOperator(this).fetchSockets();
  }

  socketsJoin(room: Room | Room[]): void {
    new BroadcastOperator(this).socketsJoin(room);
  }

  socketsLeave(room: Room | Room[]): void {
    new BroadcastOperator(this).socketsLeave(room);
  }

  disconnectSockets(close = false): void {
    new BroadcastOperator(this).disconnectSockets(close);
  }

  /**
   * Emits to the namespace of this name on the other servers of the cluster.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  serverSideEmit(...data: EmitArguments): boolean {
    const [event] = data;
    if (NAMESPACE_RESERVED_EVENTS.has(event)) throw new ReservedEventError(event);
    watchAdapter(this, this.adapter.serverSideEmit(data));
    return true;
  }

  /** The same with a promise of one response per other server. */
  serverSideEmitWithAck(...data: EmitArguments): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onDone = (error: unknown, responses: unknown): void => {
        if (!error) {
          resolve(responses);
          return;
        }
        if (typeof error === "object") Object.assign(error, { responses });
        reject(error);
      };
      this.serverSideEmit(...data, onDone);
    });
  }

  /** Another server of the cluster has emitted an event. For adapters. */
  _onServerSideEmit([event, ...args]: unknown[]): void {
    if (typeof event !== "string" || NAMESPACE_RESERVED_EVENTS.has(event)) {
      debug("ignoring the server-side event %s", event);
      return;
    }
    dispatch(this, event, args, "server-side listener");
  }

  /**
   * A client wants to join. The socket is connected when the middlewares have let it pass, which
   * may be the case when this returns.
   *
   * @param claimed the state of an earlier connection. Adapters of others may hand it out twice,
   *   and there must not be two sockets of one id: then the client starts anew.
   */
  add(client: SocketClient, auth: Record<string, unknown> | undefined, claimed?: Session): Socket {
    const session = claimed === undefined || this.#isTaken(claimed.sid) ? undefined : claimed;
    const socket = this.#createSocket(client, auth, session);
    const isExempt = session !== undefined && this.recovery?.skipMiddlewares === true;
    if (this._fns.length === 0 || isExempt) {
      this.#connect(socket);
      return socket;
    }
    this._preConnectSockets.set(socket.id, socket);
    runMiddleware(this._fns, socket, {
      done: (error) => this.#decide(socket, error),
      failed: (error) => socket.handlerFailed(error, "namespace middleware"),
    });
    return socket;
  }

  /** A socket is disconnected, or was refused. */
  removeSocket(socket: Socket): void {
    if (!this.sockets.delete(socket.id)) this._preConnectSockets.delete(socket.id);
    this.recovery?.remove(socket);
    this.#checkEmptiness();
  }

  /** The adapter keeps no session any more. */
  onSessionsGone(): void {
    this.#checkEmptiness();
  }

  /** Nobody waits any more for the acknowledgements of this packet. */
  forgetAck(id: number): void {
    for (const socket of this.sockets.values()) socket.forgetAck(id);
  }

  handlerFailed(error: unknown, source: HandlerErrorSource, event?: string | symbol): void {
    this.deps.errors.report(error, { source, nsp: this.name, event });
  }

  /** The adapter of this namespace. Only called while there is none, or it is to be replaced. */
  protected makeAdapter(): Adapter {
    const Constructor = this.server.adapter() as new (nsp: Namespace) => Adapter;
    // Published factories are functions that are called with `new`; arrow functions cannot be.
    if ("prototype" in Constructor) return new Constructor(this);
    return (Constructor as unknown as (nsp: Namespace) => Adapter)(this);
  }

  #createSocket(
    client: SocketClient,
    auth: Record<string, unknown> | undefined,
    session: Session | undefined,
  ): Socket {
    const { deps } = this;
    const issued = deps.clock.date().getTime();
    // Clients of Socket.IO 1 and 2 cannot come back.
    if (isLegacy(client.conn)) {
      return new Socket(this, client, { id: legacySocketId(client.conn, this.name), auth, issued });
    }
    const id = session?.sid ?? deps.generateId();
    const recovery = this.recovery && { pid: session?.pid ?? deps.generateId(), session };
    return new Socket(this, client, { id, auth, issued, recovery });
  }

  #isTaken(id: SocketId): boolean {
    return this.sockets.has(id) || this._preConnectSockets.has(id);
  }

  #checkEmptiness(): void {
    const isEmpty = this.sockets.size === 0 && this._preConnectSockets.size === 0;
    if (isEmpty && this.recovery?.isBusy !== true) this.#onEmpty?.();
  }

  #initAdapter(): void {
    try {
      hostForeignAdapter(this.adapter);
      const result: unknown = this.adapter.init();
      if (isThenable(result)) {
        result.then(undefined, (reason: unknown) => this.handlerFailed(reason, "adapter"));
      }
    } catch (error) {
      this.handlerFailed(error, "adapter");
    }
  }

  #decide(socket: Socket, error: unknown): void {
    if (socket.conn.readyState !== "open") {
      if (debug.enabled) debug("the client left while it was connecting");
      socket.abandon();
      return;
    }
    if (error === undefined) {
      this.#connect(socket);
      return;
    }
    // The rooms are left before the client knows (behaviour 77).
    socket.reject();
    socket.client.removeSocket(socket);
    const payload = connectErrorOf(error);
    try {
      socket.refuse(payload);
    } catch (failure) {
      // What the error carries cannot be encoded. The client has to know all the same.
      socket.handlerFailed(failure, "namespace middleware");
      socket.refuse({ message: payload.message });
    }
  }

  #connect(socket: Socket): void {
    this._preConnectSockets.delete(socket.id);
    this.sockets.set(socket.id, socket);
    this.recovery?.add(socket);
    socket.onConnect();
    socket.client.addSocket(socket);
    dispatch(this, "connect", [socket], "connection listener");
    dispatch(this, "connection", [socket], "connection listener");
  }
}

/** The payload of a CONNECT_ERROR packet (behaviour 77). */
function connectErrorOf(error: unknown): { message: string; data?: unknown } {
  if (typeof error !== "object" || error === null) return { message: String(error) };
  const message = "message" in error ? String(error.message) : messageOf(error);
  return "data" in error && error.data !== undefined ? { message, data: error.data } : { message };
}
