import type * as api from "./api.js";
import { ComposedServer } from "./compose.js";
import type { DefaultEventsMap, EventsMap } from "./events/types.js";
import { Namespace as NamespaceClass } from "./namespace.js";
import type { ServerOptions } from "./options.js";
import type { ServerDeps } from "./server.js";
import { Socket as SocketClass } from "./socket.js";

// The classes know nothing of the event maps that only exist in types. Here they get the generic
// interfaces as their types.

/** Makes servers. */
export interface ServerConstructor {
  readonly prototype: api.Server;
  /** @throws {OptionsError} ERR_OPTION_VALUE, for an option with a wrong value */
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = api.Untyped,
  >(
    options?: Partial<ServerOptions>,
  ): api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = api.Untyped,
  >(
    target?: api.HttpServerLike | number | string | Partial<ServerOptions>,
    options?: Partial<ServerOptions>,
    deps?: Partial<ServerDeps>,
  ): api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
}

/** A class of objects that only the server makes. */
export interface InternalConstructor<Instance> {
  readonly prototype: Instance;
  readonly [Symbol.hasInstance]: (value: unknown) => value is Instance;
}

/** The Socket.IO server. */
export const Server: ServerConstructor = ComposedServer as unknown as ServerConstructor;
export type Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = api.Untyped,
> = api.Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

/** A part of the server with sockets, rooms and middlewares of its own. */
export const Namespace: InternalConstructor<api.Namespace> =
  NamespaceClass as unknown as InternalConstructor<api.Namespace>;
export type Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = api.Untyped,
> = api.Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

/** One client in one namespace. */
export const Socket: InternalConstructor<api.Socket> =
  SocketClass as unknown as InternalConstructor<api.Socket>;
export type Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = api.Untyped,
> = api.Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
