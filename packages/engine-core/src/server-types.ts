import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Refuse } from "./admission.js";
import type { Clock } from "./clock.js";
import type { OutgoingPacket, PacketCodec } from "./codec.js";
import type { ConnectionError } from "./errors.js";
import type { Middleware } from "./middleware.js";
import type { Session, SessionCounters } from "./session.js";
import type { Scheduler } from "./timer-wheel.js";
import type { UpgradeHeaders } from "./upgrade-headers.js";
import type { ResponseHeaders } from "./transports/polling.js";

/** What a server is made of. Everything has a default. */
export interface ServerDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The implementation of each protocol revision, by number. */
  readonly codecs: Readonly<Record<number, PacketCodec>>;
}

/** The events of a server. */
export interface ServerEvents {
  connection: [session: Session];
  /** A request was refused. */
  connection_error: [error: ConnectionError];
  /** The headers of the first response of a session, before they are written. */
  initial_headers: [headers: ResponseHeaders, req: IncomingMessage];
  /** The headers of any response of a session, before they are written. */
  headers: [headers: ResponseHeaders, req: IncomingMessage];
  flush: [session: Session, packets: readonly OutgoingPacket[]];
  drain: [session: Session];
  /** A listener of the application threw. Without a listener it becomes a process warning. */
  handler_error: [error: unknown, session: Session | undefined];
}

/** A WebSocket upgrade on its way to a session. */
export interface Upgrade {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  /** What the client has sent behind the request. */
  readonly head: Buffer;
  /** Where they could be found without `req.headers`, and that is as the client has sent it. */
  readonly headers: UpgradeHeaders | undefined;
  /** Whether code of the application has seen the request, and may have put something on it. */
  readonly isKnown: boolean;
}

/** A request on its way through the middlewares. */
export interface Passage {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly refuse: Refuse;
  readonly middlewares: readonly Middleware[];
}

/** What a server counts, from its start on. */
export interface ServerCounters extends SessionCounters {
  /** Handshakes that were refused because of a quota, or because the server drains. */
  refusedByLimits: number;
}
