export { Namespace, Server, Socket, type ServerConstructor } from "./public.js";
export { Adapter } from "./adapter/in-memory.js";
export { SessionAwareAdapter } from "./adapter/session-aware.js";
export type {
  Adapter as AdapterContract,
  AdapterConstructor,
  AdapterNamespace,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  BroadcastOptions,
  Room,
  Session,
  SessionToPersist,
  SocketId,
} from "./adapter/contract.js";
export type {
  BoundEngine,
  Broadcaster,
  BroadcastOperator,
  Client,
  Event,
  ExtendedError,
  HandlerErrorContext,
  HandlerErrorSource,
  Handshake,
  HttpServerLike,
  NamespaceFunction,
  NamespaceMiddleware,
  NamespaceReservedEvents,
  RemoteSocket,
  ServerReservedEvents,
  ServerSideEmitter,
  SocketReservedEvents,
} from "./api.js";
export type { DisconnectReason } from "./disconnect-reason.js";
export {
  AckTimeoutError,
  OptionsError,
  ReservedEventError,
  SocketDisconnectedError,
} from "./errors.js";
export type {
  EngineServer,
  EngineSession,
  EngineSink,
  EngineWriteOptions,
  PreparedMessage,
} from "./engine-port.js";
export type { DefaultEventsMap, EventsMap } from "./events/types.js";
export type { ConnectionStateRecoveryOptions, ServerOptions } from "./options.js";
export type { ClientFileServer, ServerDeps } from "./server.js";
export type { Clock, Timer, Wheel } from "./timers.js";
