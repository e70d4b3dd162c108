import type { IncomingMessage } from "node:http";

/** Why a transport failed. */
export type TransportErrorCode =
  /** Two polls, or two data requests, at the same time. */
  | "ERR_TRANSPORT_OVERLAP"
  /** The peer went away in the middle of a request. */
  | "ERR_TRANSPORT_ABORTED"
  /** The peer sent what this transport or protocol revision does not allow. */
  | "ERR_TRANSPORT_PROTOCOL"
  /** The connection below failed; `cause` says how. */
  | "ERR_TRANSPORT_CONNECTION"
  /** More waited for the peer than the option `maxBufferedBytes` allows. */
  | "ERR_SLOW_CONSUMER";

/** A transport failed. It is the `description` of a session's `close` event (reason R1, R11). */
export class TransportError extends Error {
  override readonly name = "TransportError";
  /** Kept for callers that tell errors apart by `type`, as the clients do. */
  readonly type = "TransportError";
  readonly code: TransportErrorCode;
  /** What caused it, if that is known: the error of the connection. */
  readonly description: unknown;

  constructor(code: TransportErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.description = cause;
  }
}

/**
 * A session was closed because its client does not keep up: `code` is `"ERR_SLOW_CONSUMER"`. It is
 * the `description` of the `close` event, and of `disconnecting` and `disconnect` in Socket.IO.
 */
export class SlowConsumerError extends TransportError {
  /** Bytes that were on their way to the client. */
  readonly bufferedBytes: number;
  /** Packets among them that waited for the transport. */
  readonly bufferedPackets: number;
  /** The option of this name. */
  readonly maxBufferedBytes: number;

  constructor(bufferedBytes: number, bufferedPackets: number, maxBufferedBytes: number) {
    super(
      "ERR_SLOW_CONSUMER",
      `the client does not keep up: ${bufferedBytes} bytes and ${bufferedPackets} packets wait for it`,
    );
    this.bufferedBytes = bufferedBytes;
    this.bufferedPackets = bufferedPackets;
    this.maxBufferedBytes = maxBufferedBytes;
  }
}

/** An option has a wrong value. Thrown by constructors. */
export class OptionsError extends TypeError {
  override readonly name = "OptionsError";
  readonly code = "ERR_OPTION_VALUE";
  /** The name of the option. */
  readonly option: string;

  constructor(option: string, value: unknown, accepted: string) {
    super(`option "${option}": ${describe(value)} is not accepted, it takes ${accepted}`);
    this.option = option;
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "array" : "object";
  return String(value);
}

/** The codes by which a server refuses a request: numbers and texts are fixed by the clients. */
export const HANDSHAKE_ERRORS = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;

export type HandshakeErrorCode = (typeof HANDSHAKE_ERRORS)[keyof typeof HANDSHAKE_ERRORS];

/** Is told whether a request is refused, and why: the shape that npm `engine.io` has for it. */
export type ErrorCallback = (
  errorCode?: HandshakeErrorCode,
  errorContext?: Record<string, unknown> & { name?: string; message?: string },
) => void;

/** The text that a client gets with each code. */
export const HANDSHAKE_ERROR_MESSAGES: Readonly<Record<HandshakeErrorCode, string>> = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
};

/** Why a request is refused. */
export interface Refusal {
  readonly code: HandshakeErrorCode;
  /** The text that belongs to the code. */
  readonly message: string;
  /** What the client is told in place of it. */
  readonly answer?: string | undefined;
  /** The HTTP status, where it is not that of the code. */
  readonly status?: 429 | 503 | undefined;
  /** When to come back, in seconds. */
  readonly retryAfter?: number | undefined;
  /** What the operator is told in addition; `name` tells the cases of code 3 apart. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** The argument of the server's `connection_error` event. */
export interface ConnectionError extends Omit<Refusal, "answer" | "status" | "retryAfter"> {
  /** `undefined` for a WebTransport session without a request. */
  readonly req: IncomingMessage | undefined;
}

/** Makes a refusal with the text that belongs to its code. */
export function refusal(
  code: HandshakeErrorCode,
  context: Readonly<Record<string, unknown>>,
  answer?: string,
): Refusal {
  return { code, message: HANDSHAKE_ERROR_MESSAGES[code], answer, context };
}
