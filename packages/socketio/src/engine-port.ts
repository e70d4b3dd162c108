import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/**
 * What Socket.IO needs of an Engine.IO server. `@jackfield/engine-core` satisfies it; so does any
 * engine given to `io.bind(engine)` that has the members not marked optional.
 */
export interface EngineServer {
  on(event: "connection", listener: (session: EngineSession) => void): unknown;
  close(): unknown;
  readonly clientsCount?: number;
  /** The sessions by id. */
  readonly clients?: Readonly<Record<string, EngineSession>>;
  /** Refuses new sessions from now on. */
  drain?(): unknown;
  attach?(server: HttpServer, options?: object): unknown;
  handleRequest?(req: IncomingMessage, res: ServerResponse): unknown;
  handleUpgrade?(req: IncomingMessage, socket: Duplex, head: Buffer): unknown;
  /** Does what the engine's option `cors` says for a request that is answered in `next`. */
  applyCors?(req: IncomingMessage, res: ServerResponse, next: () => void): void;
}

export interface EngineWriteOptions {
  /** Whether the transport may compress the message. Default `true`. */
  compress?: boolean | undefined;
  /** A complete WebSocket frame of the message, as published adapters make it. */
  wsPreEncodedFrame?: readonly Buffer[] | undefined;
}

/**
 * A message that many sessions send: each of them holds a reference to this one object, and the
 * engine keeps in `frame` what it encoded for the first of them.
 */
export interface PreparedMessage {
  readonly type: "message";
  readonly data: string | Buffer;
  readonly options: EngineWriteOptions | undefined;
  frame: Buffer | undefined;
}

/** Who receives what a session has to tell. Called directly, without an event emitter between. */
export interface EngineSink {
  onMessage(data: string | Buffer): void;
  /** Called once, when the session is closed; `reason` is one of R1 to R5. */
  onClose(reason: string, description?: unknown): void;
}

/** What Socket.IO needs of one Engine.IO session: `socket.conn` of the public API. */
export interface EngineSession {
  readonly id: string;
  /** Revision of the Engine.IO protocol: 4, or 3 for clients of Socket.IO v2. */
  readonly protocol: number;
  readonly request: IncomingMessage;
  readonly remoteAddress: string;
  readonly readyState: string;
  readonly transport: { readonly name: string; readonly writable: boolean };
  write(data: string | Buffer, options?: EngineWriteOptions): unknown;
  close(discard?: boolean): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;

  /** Takes the place of the `data` and `close` events. Foreign engines lack it and emit events. */
  bindSink?(sink: EngineSink): void;
  /** Sends a message that other sessions send, too. Foreign engines lack it: use `write`. */
  sendPrepared?(message: PreparedMessage): void;
  /**
   * Closes the session once everything is sent, and cuts the connection after `ms` milliseconds.
   * Resolves with whether it ended by itself. Foreign engines lack it: use `close`.
   */
  closeWithin?(ms: number): Promise<boolean>;
  /** Bytes on their way to the client. Foreign engines lack it. */
  readonly bufferedBytes?: number;
  /**
   * Whether a packet sent now would leave at once, with nothing waiting before it; volatile
   * packets are dropped otherwise (behaviour 111). Foreign engines lack it: use
   * `transport.writable`.
   */
  readonly writable?: boolean;
}

/** Closes a session in the most patient way that its engine knows. */
export async function closeWithin(session: EngineSession, ms: number): Promise<boolean> {
  if (session.closeWithin !== undefined) return session.closeWithin(ms);
  session.close();
  return true;
}
