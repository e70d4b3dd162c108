export { type AttachOptions, type HttpServer } from "./attach.js";
export { systemClock, type Clock, type Timer } from "./clock.js";
export type { EnginePacket, OutgoingPacket, PacketCodec, PacketOptions, RawData } from "./codec.js";
export type { CookieOptions } from "./cookies.js";
export {
  HANDSHAKE_ERRORS,
  HANDSHAKE_ERROR_MESSAGES,
  OptionsError,
  TransportError,
  type ConnectionError,
  type HandshakeErrorCode,
  type Refusal,
  type TransportErrorCode,
} from "./errors.js";
export type { Middleware } from "./middleware.js";
export type { AllowRequest, ResolvedOptions, ServerOptions } from "./options.js";
export type { EngineRequest } from "./request.js";
export { Server, type ServerDeps, type ServerEvents } from "./server.js";
export {
  Session,
  type SendCallback,
  type SendData,
  type SessionEvents,
  type SessionSink,
} from "./session.js";
export { TRANSITIONS, type CloseReason, type SessionState } from "./session-state.js";
export { Deadline, TimerWheel, type Scheduler, type TimerWheelInit } from "./timer-wheel.js";
export type { ResponseHeaders } from "./transports/polling.js";
export type {
  Transport,
  TransportEvents,
  TransportHost,
  TransportName,
} from "./transports/transport.js";
export type { WebTransportSession } from "./transports/webtransport.js";
export type { WebTransportRequest } from "./webtransport-handshake.js";
