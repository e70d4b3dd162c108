import type { EventEmitter } from "node:events";
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { ParsedUrlQuery } from "node:querystring";
import type { Duplex } from "node:stream";
import type {
  Adapter,
  AdapterClient,
  AdapterConstructor,
  BroadcastFlags,
  Room,
  SocketId,
} from "./adapter/contract.js";
import type { DisconnectReason } from "./disconnect-reason.js";
import type { DrainOptions, DrainResult } from "./drain.js";
import type { LimitError } from "./errors.js";
import type { EngineServer, EngineSession } from "./engine-port.js";
import type { TypedEmitter } from "./events/typed-emitter.js";
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithError,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  TypedEventBroadcaster,
} from "./events/types.js";
import type { PacketEncoder } from "./parser-port.js";
import type { SocketPacket } from "@jackfield/parser";

// The public face of the package. Server, namespace, client and socket refer to each other, so
// their types can only live in one file; the classes behind them see each other through ports.

/**
 * Data of the application that nothing describes. It is `any`, as programs written for Socket.IO
 * rely on; taken from the default events map, where that is decided.
 */
export type Untyped = Parameters<DefaultEventsMap[string]>[number];

/** A function that takes whatever comes. */
export type AnyListener = (...args: Untyped[]) => void;

/** An HTTP server that the Socket.IO server can be attached to. */
export type HttpServerLike = HttpServer | Http2SecureServer | Http2Server;

/** What the client sent at the beginning of its session. */
export interface Handshake {
  /** The headers of the first request. */
  headers: IncomingHttpHeaders;
  /** When the socket was created, as text. */
  time: string;
  /** The address of the client. */
  address: string;
  /** Whether the first request came from another origin. */
  xdomain: boolean;
  /** Whether the connection is encrypted. */
  secure: boolean;
  /** When the socket was created, in milliseconds since 1970. */
  issued: number;
  /** The URL of the first request. */
  url: string;
  /** The query of the first request. */
  query: ParsedUrlQuery;
  /** The object that the client sent when it connected to the namespace. */
  auth: Record<string, Untyped>;
}

/** The error of a middleware; its `data` is sent to the client. */
export interface ExtendedError extends Error {
  data?: Untyped;
}

/** An event as socket middlewares see it: its name and its arguments. */
export type Event = [event: string, ...args: Untyped[]];

/** Which kind of function of the application failed. */
export type HandlerErrorSource =
  | "listener"
  | "catch-all listener"
  | "acknowledgement"
  | "connection listener"
  | "disconnect listener"
  | "namespace middleware"
  | "socket middleware"
  | "namespace function"
  | "server-side listener"
  | "limit policy"
  | "adapter";

/** Where a function of the application failed. */
export interface HandlerErrorContext {
  readonly source: HandlerErrorSource;
  /** The name of the namespace. */
  readonly nsp?: string | undefined;
  readonly socket?: Socket | undefined;
  /** The name of the event. */
  readonly event?: string | symbol | undefined;
}

/** Where a limit was exceeded. */
export interface LimitScope {
  /** The name of the namespace. */
  readonly nsp: string;
  /** Absent when it is about namespaces. */
  readonly socket?: Socket | undefined;
}

/** What a socket emits besides the events of its client. */
export interface SocketReservedEvents {
  /** The socket is disconnected; it is in no room any more. */
  disconnect: (reason: DisconnectReason, description?: Untyped) => void;
  /** The socket is about to be disconnected; it is still in its rooms. */
  disconnecting: (reason: DisconnectReason, description?: Untyped) => void;
  /** A middleware refused an event, or the client broke the protocol. Never throws unheard. */
  error: (error: Error) => void;
}

/** What a namespace emits besides the events of other servers. */
export interface NamespaceReservedEvents<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  /** A socket is connected. */
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  /** A socket is connected. Comes after `connect`. */
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** What the server emits besides the events of other servers. */
export interface ServerReservedEvents<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends NamespaceReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** A namespace other than `/` was created. */
  new_namespace: (
    namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  ) => void;
  /**
   * A function of the application threw, or its promise was rejected. Without a listener the
   * error becomes a warning of the process.
   */
  handler_error: (error: unknown, context: HandlerErrorContext) => void;
  /** A client would have had more than an option allows, and does not get it. */
  limit_exceeded: (error: LimitError, scope: LimitScope) => void;
}

/** Sends packets to the sockets it selects. Immutable: every selecting method makes another one. */
export interface BroadcastOperator<
  EmitEvents extends EventsMap,
  SocketData,
> extends TypedEventBroadcaster<EmitEvents> {
  readonly rooms: Set<Room>;
  readonly exceptRooms: Set<Room>;
  readonly flags: BroadcastFlags;
  /** Adds rooms to those whose sockets are meant. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** The same as {@link BroadcastOperator.to}. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** Leaves out the sockets in these rooms. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** Whether transports may compress what is sent. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData>;
  /** Drops what a socket cannot send at once (behaviour 111). */
  get volatile(): BroadcastOperator<EmitEvents, SocketData>;
  /** Keeps to the sockets of this server (behaviour 112). */
  get local(): BroadcastOperator<EmitEvents, SocketData>;
  /** How many milliseconds to wait for acknowledgements. Default 5000. */
  timeout(ms: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData>;
  /**
   * Emits to the selected sockets. A function as last argument gets `(error, responses)`.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  /**
   * Emits to the selected sockets and resolves with their responses. Rejects with an
   * `AckTimeoutError` that has the partial `responses`.
   */
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>>;
  /** @deprecated Use {@link BroadcastOperator.fetchSockets}. */
  allSockets(): Promise<Set<SocketId>>;
  /** The selected sockets, those of other servers of the cluster included. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]>;
  /** Makes the selected sockets join rooms. */
  socketsJoin(room: Room | Room[]): void;
  /** Makes the selected sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void;
  /** Disconnects the selected sockets, with `close` their connections, too. */
  disconnectSockets(close?: boolean): void;
}

/** A socket that may be connected to another server of the cluster. */
export interface RemoteSocket<
  EmitEvents extends EventsMap,
  SocketData,
> extends TypedEventBroadcaster<EmitEvents> {
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Set<Room>;
  readonly data: SocketData;
  /** {@link BroadcastOperator.timeout} */
  timeout(ms: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData>;
  /** Emits to this socket. */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  join(room: Room | Room[]): void;
  leave(room: Room): void;
  /** Disconnects the socket, with `close` its connection, too. */
  disconnect(close?: boolean): this;
}

/** What selects sockets on a namespace, and on the server for the namespace `/`. */
export interface Broadcaster<EmitEvents extends EventsMap, SocketData> {
  /** {@link BroadcastOperator.to} */
  to(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** {@link BroadcastOperator.to} */
  in(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** {@link BroadcastOperator.except} */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** {@link BroadcastOperator.compress} */
  compress(
    compress: boolean,
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** {@link BroadcastOperator.volatile} */
  get volatile(): BroadcastOperator<
    DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
    SocketData
  >;
  /** {@link BroadcastOperator.local} */
  get local(): BroadcastOperator<
    DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
    SocketData
  >;
  /** {@link BroadcastOperator.timeout} */
  timeout(
    ms: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  >;
  /** {@link BroadcastOperator.emit} */
  emit<Ev extends EventNamesWithoutAck<EmitEvents>>(
    event: Ev,
    ...args: EventParams<EmitEvents, Ev>
  ): boolean;
  /** Emits `message`. */
  send(...args: EventParams<EmitEvents, "message">): this;
  /** Emits `message`. */
  write(...args: EventParams<EmitEvents, "message">): this;
  /** @deprecated Use {@link BroadcastOperator.fetchSockets}. */
  allSockets(): Promise<Set<SocketId>>;
  /** {@link BroadcastOperator.fetchSockets} */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]>;
  /** {@link BroadcastOperator.socketsJoin} */
  socketsJoin(room: Room | Room[]): void;
  /** {@link BroadcastOperator.socketsLeave} */
  socketsLeave(room: Room | Room[]): void;
  /** {@link BroadcastOperator.disconnectSockets} */
  disconnectSockets(close?: boolean): void;
}

/** What is emitted to the other servers of the cluster. */
export interface ServerSideEmitter<ServerSideEvents extends EventsMap> {
  /**
   * Emits to the namespace of this name on the other servers of the cluster. A function as last
   * argument gets `(error, responses)`.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    event: Ev,
    ...args: EventParams<
      DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>,
      Ev
    >
  ): boolean;
  /** The same with a promise of one response per other server. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]>;
}

/** A middleware of a namespace: calls `next` once, with an error to refuse the socket. */
export type NamespaceMiddleware<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> = (
  socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  next: (error?: ExtendedError) => void,
) => void;

/** A part of the server with sockets, rooms and middlewares of its own. */
export interface Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
>
  extends
    TypedEmitter<
      ServerSideEvents,
      RemoveAcknowledgements<EmitEvents>,
      NamespaceReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
    >,
    ServerSideEmitter<ServerSideEvents>,
    Broadcaster<EmitEvents, SocketData> {
  readonly name: string;
  /** The connected sockets by id. */
  readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  /** Knows the rooms, and the other servers of the cluster. Tells which rooms come and go (A4). */
  adapter: Adapter & EventEmitter;
  /** Without event maps: every namespace of a server may have its own. */
  readonly server: Server;
  /** Adds a middleware that every socket has to pass before it is connected. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this;
  emit<Ev extends EventNamesWithoutAck<EmitEvents>>(
    event: Ev,
    ...args: EventParams<EmitEvents, Ev>
  ): boolean;
}

/**
 * The session of the engine behind a socket. It is known to be an emitter to programs; what it
 * emits, and what else it has, depends on the engine.
 */
export interface Connection extends Omit<EngineSession, "on">, EventEmitter {}

/** One connection of a client, with its socket in every namespace it has joined. */
export interface Client<Session = Connection> extends AdapterClient {
  /** The session of the engine. */
  readonly conn: Session;
  /** The first HTTP request. */
  readonly request: IncomingMessage;
  /** The id of the session: confidential. */
  readonly id: string;
  /** The connected sockets by id. */
  readonly sockets: ReadonlyMap<SocketId, object>;
  /** The connected sockets by namespace. */
  readonly nsps: ReadonlyMap<string, object>;
}

/** One client in one namespace. */
export interface Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends TypedEmitter<ListenEvents, EmitEvents, SocketReservedEvents> {
  readonly id: SocketId;
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Without event maps: every namespace of a server may have its own. */
  readonly server: Server;
  readonly client: Client;
  /** Whether the state of an earlier connection was restored. */
  readonly recovered: boolean;
  /** Bytes on their way to the client, those of its other namespaces included. */
  readonly bufferedBytes: number;
  /** What the client sent at the beginning. */
  readonly handshake: Handshake;
  /** Anything the application wants to keep. */
  data: SocketData;
  /** Whether the socket is connected. `false` in middlewares and after the disconnection. */
  readonly connected: boolean;
  readonly disconnected: boolean;
  /** The first HTTP request. */
  readonly request: IncomingMessage;
  /** The session of the engine. */
  readonly conn: Connection;
  /** The rooms of the socket: its id, until it leaves that room, and those it has joined. */
  readonly rooms: Set<Room>;
  /** The acknowledgements that the client owes, by packet id. */
  readonly acks: Map<number, unknown>;
  /**
   * Emits to the client. A function as last argument is called with what the client acknowledges,
   * after {@link Socket.timeout} with an error or `null` before. Always `true`.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  /**
   * Emits to the client and resolves with what it acknowledges. Rejects with a
   * `SocketDisconnectedError`, and after {@link Socket.timeout} with an `AckTimeoutError`.
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>>;
  /** Emits `message`. */
  send(...args: EventParams<EmitEvents, "message">): this;
  /** Emits `message`. */
  write(...args: EventParams<EmitEvents, "message">): this;
  /** Selects the sockets in rooms, without this one. */
  to(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** {@link Socket.to} */
  in(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** Selects the sockets that are not in rooms, without this one. */
  except(
    room: Room | Room[],
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** Selects all sockets of the namespace but this one. */
  get broadcast(): BroadcastOperator<
    DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
    SocketData
  >;
  /** The same, on this server of the cluster. */
  get local(): BroadcastOperator<
    DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
    SocketData
  >;
  /** Joins rooms. With the in-memory adapter it takes effect at once. */
  join(rooms: Room | Room[]): Promise<void> | void;
  /** Leaves a room. */
  leave(room: Room): Promise<void> | void;
  /** Leaves every room, the one of its id included. */
  leaveAll(): void;
  /** Disconnects from the namespace, with `close` from all of them, and closes the connection. */
  disconnect(close?: boolean): this;
  /** Whether the transport may compress the next packet. */
  compress(compress: boolean): this;
  /** Drops the next packet if it cannot be sent at once (behaviour 111). */
  get volatile(): this;
  /** How many milliseconds the next packet waits for its acknowledgement. */
  timeout(
    ms: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData>;
  /** Adds a middleware that every event has to pass before its listeners are called. */
  use(fn: (event: Event, next: (error?: Error) => void) => void): this;
  /** Calls `listener` with the name and the arguments of every event that comes in. */
  onAny(listener: AnyListener): this;
  /** The same, before the other listeners of this kind. */
  prependAny(listener: AnyListener): this;
  /** Removes one listener of this kind, or all of them. */
  offAny(listener?: AnyListener): this;
  listenersAny(): AnyListener[];
  /** Calls `listener` with the name and the arguments of every event that goes out. */
  onAnyOutgoing(listener: AnyListener): this;
  /** The same, before the other listeners of this kind. */
  prependAnyOutgoing(listener: AnyListener): this;
  /** Removes one listener of this kind, or all of them. */
  offAnyOutgoing(listener?: AnyListener): this;
  listenersAnyOutgoing(): AnyListener[];
  /** Tells the outgoing catch-all listeners. For adapters. */
  notifyOutgoingListeners(packet: { readonly data?: unknown }): void;
  /** Sends a packet as it is. For adapters. */
  packet(packet: Omit<SocketPacket, "nsp"> & { nsp?: string }, flags?: BroadcastFlags): void;
}

/** Decides whether a namespace exists: calls `next` once. */
export type NamespaceFunction = (
  name: string,
  auth: Record<string, Untyped>,
  next: (error: Error | null, allow: boolean) => void,
) => void;

/** The Socket.IO server. */
export interface Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
>
  extends
    TypedEmitter<
      ServerSideEvents,
      RemoveAcknowledgements<EmitEvents>,
      ServerReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
    >,
    ServerSideEmitter<ServerSideEvents>,
    Broadcaster<EmitEvents, SocketData> {
  /** The namespace `/`. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The engine that was attached or bound last. */
  readonly engine: BoundEngine;
  /** The HTTP server that was attached last. */
  readonly httpServer: HttpServerLike;
  /** Makes messages of packets. For adapters. */
  readonly encoder: PacketEncoder;
  /** The namespaces by name. For the admin UI; programs use {@link Server.of}. */
  readonly _nsps: Map<string, Namespace>;
  emit<Ev extends EventNamesWithoutAck<EmitEvents>>(
    event: Ev,
    ...args: EventParams<EmitEvents, Ev>
  ): boolean;
  /** Whether the files of the client are served. */
  serveClient(): boolean;
  serveClient(serve: boolean): this;
  /** The path under which the engine listens. */
  path(): string;
  path(path: string): this;
  /** How many milliseconds a connection may last without a namespace. */
  connectTimeout(): number;
  connectTimeout(ms: number): this;
  /** What makes the adapter of a namespace. Setting it gives every namespace a new one. */
  adapter(): AdapterConstructor;
  adapter(adapter: AdapterConstructor): this;
  /** {@link Server.attach} */
  listen(server: HttpServerLike | number | string, options?: object): this;
  /**
   * Attaches to an HTTP server, or to a new one that listens on the port.
   *
   * The options of the constructor win over `options`.
   *
   * @throws {Error} `server` is a request handler of Express.
   */
  attach(server: HttpServerLike | number | string, options?: object): this;
  /** Takes the sessions of an engine that somebody else has made. */
  bind(engine: EngineServer): this;
  /** Takes one session of an engine. */
  onconnection(session: EngineSession): this;
  /**
   * The namespace of this name, or those that a pattern or a function admits.
   *
   * A namespace has the event maps of the server, and its type of `socket.data`, unless it is given
   * its own: `io.of<ClientEvents, ServerEvents>("/chat")`. What is left out is that of the server.
   */
  of<
    NamespaceListenEvents extends EventsMap = ListenEvents,
    NamespaceEmitEvents extends EventsMap = EmitEvents,
    NamespaceServerSideEvents extends EventsMap = ServerSideEvents,
    NamespaceSocketData = SocketData,
  >(
    name: string | RegExp | NamespaceFunction,
    listener?: (
      socket: Socket<
        NoInfer<NamespaceListenEvents>,
        NoInfer<NamespaceEmitEvents>,
        NoInfer<NamespaceServerSideEvents>,
        NoInfer<NamespaceSocketData>
      >,
    ) => void,
  ): Namespace<
    NamespaceListenEvents,
    NamespaceEmitEvents,
    NamespaceServerSideEvents,
    NamespaceSocketData
  >;
  /** Whether the server has begun to let its clients go, and takes no new ones. */
  readonly draining: boolean;
  /**
   * Lets the clients go elsewhere, without losing anything: new handshakes are refused with status
   * 503; then, in batches, acknowledgements are waited for, what waits is sent, and the connections
   * end so that the clients reconnect, and may recover their sessions. In the end the adapters and
   * engines are closed. HTTP servers that the application has made are left alone.
   */
  drain(options?: DrainOptions): Promise<DrainResult>;
  /** Disconnects everybody and closes the engines and HTTP servers. Never rejects. */
  close(callback?: (error?: Error) => void): Promise<void>;
  /** Adds a middleware to the namespace `/`. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this;
}

/** The engine of a server, with everything that the engine in use has beyond the port. */
export interface BoundEngine extends Omit<EngineServer, "clients" | "on">, EventEmitter {
  readonly clientsCount: number;
  readonly clients: Record<string, Connection>;
  readonly opts: Record<string, Untyped>;
  use(middleware: (req: Untyped, res: Untyped, next: (error?: unknown) => void) => void): unknown;
  /** Makes the id of a session. May be replaced. */
  generateId(request: IncomingMessage): string | PromiseLike<string>;
  handleRequest(req: IncomingMessage, res: ServerResponse): unknown;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): unknown;
  onWebTransportSession(session: Untyped): unknown;
}
