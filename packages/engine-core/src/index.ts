import { PollingTransport } from "./transports/polling.js";
import { WebSocketTransport } from "./transports/websocket.js";
import { WebTransportTransport } from "./transports/webtransport.js";

export { type AttachOptions, type HttpServer } from "./attach.js";
export type { TrustProxy } from "./client-address.js";
export { systemClock, type Clock, type Timer } from "./clock.js";
export type { EnginePacket, OutgoingPacket, PacketCodec, PacketOptions, RawData } from "./codec.js";
export type { CookieOptions } from "./cookies.js";
export * as parser from "./engine-parser.js";
export { protocol } from "./engine-parser.js";
export * as parserV3 from "./engine-parser-v3.js";
export {
  HANDSHAKE_ERRORS,
  HANDSHAKE_ERROR_MESSAGES,
  OptionsError,
  SlowConsumerError,
  TransportError,
  type ConnectionError,
  type ErrorCallback,
  type HandshakeErrorCode,
  type Refusal,
  type TransportErrorCode,
} from "./errors.js";
export type { HandshakeRate } from "./handshake-rate.js";
export { IdSource } from "./ids.js";
export { attach, listen } from "./listen.js";
export type { Middleware } from "./middleware.js";
export type { AllowRequest, ResolvedOptions, ServerOptions } from "./options.js";
export type { EngineRequest } from "./request.js";
export type { AllowedOrigins } from "./origins.js";
export {
  Server,
  type Server as BaseServer,
  type ServerCounters,
  type ServerDeps,
  type ServerEvents,
} from "./server.js";
export {
  Session,
  Session as Socket,
  type SendCallback,
  type SendData,
  type SessionEvents,
  type SessionServer,
  type SessionSink,
} from "./session.js";
export type {
  Backlog,
  SlowConsumer,
  SlowConsumerFunction,
  SlowConsumerPolicy,
  SlowConsumerVerdict,
} from "./slow-consumer.js";
export { TRANSITIONS, type CloseReason, type SessionState } from "./session-state.js";
export { Deadline, TimerWheel, type Scheduler, type TimerWheelInit } from "./timer-wheel.js";
export type { ResponseHeaders } from "./transports/polling.js";
export {
  TransportBase as Transport,
  type TransportEvents,
  type TransportHost,
  type TransportName,
  type TransportState,
} from "./transports/transport.js";
export type { WebTransportSession } from "./transports/webtransport.js";
export type { WebTransportRequest } from "./webtransport-handshake.js";

/** The classes of the transports, by name. */
export const transports: {
  readonly polling: typeof PollingTransport;
  readonly websocket: typeof WebSocketTransport;
  readonly webtransport: typeof WebTransportTransport;
} = {
  polling: PollingTransport,
  websocket: WebSocketTransport,
  webtransport: WebTransportTransport,
};
