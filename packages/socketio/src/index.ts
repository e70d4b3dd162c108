export { Namespace, Server, Socket, type ServerConstructor } from "./public.js";
export { Adapter } from "./adapter/in-memory.js";
export { SessionAwareAdapter } from "./adapter/session-aware.js";
export { ClusterAdapter } from "./adapter/cluster.js";
export { ClusterError, type ClusterErrorCode } from "./adapter/cluster-error.js";
export {
  type ClusterAdapterOptions,
  ClusterAdapterWithHeartbeat,
} from "./adapter/cluster-heartbeat.js";
export {
  type ClusterMessage,
  type ClusterMessageBody,
  type ClusterResponse,
  type ClusterResponseBody,
  MessageType,
  type Offset,
  type ServerId,
} from "./adapter/cluster-messages.js";
export type {
  Adapter as AdapterContract,
  AdapterConstructor,
  AdapterNamespace,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  BroadcastOptions,
  PrivateSessionId,
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
  Connection,
  Event,
  ExtendedError,
  HandlerErrorContext,
  HandlerErrorSource,
  Handshake,
  HttpServerLike,
  LimitScope,
  NamespaceFunction,
  NamespaceMiddleware,
  NamespaceReservedEvents,
  RemoteSocket,
  ServerReservedEvents,
  ServerSideEmitter,
  SocketReservedEvents,
} from "./api.js";
export type { DisconnectReason } from "./disconnect-reason.js";
export type { DrainOptions, DrainResult } from "./drain.js";
export {
  AckTimeoutError,
  LimitError,
  type LimitName,
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
export type { EventRate, EventRateVerdict } from "./limits.js";
export type { ConnectionStateRecoveryOptions, ServerOptions } from "./options.js";
export type { ClientFileServer, ServerDeps } from "./server.js";
export type { Clock, Timer, Wheel } from "./timers.js";
