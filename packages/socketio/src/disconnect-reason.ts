/** Why a socket is disconnected: the first argument of `disconnecting` and `disconnect`. */
export type DisconnectReason =
  /** The engine reported an error. */
  | "transport error"
  /** The peer closed the transport. */
  | "transport close"
  /** The server closed the session. */
  | "forced close"
  /** The peer did not answer a ping in time. */
  | "ping timeout"
  /** The peer sent something that is no Engine.IO packet. */
  | "parse error"
  /** `io.close()` was called. */
  | "server shutting down"
  /** The server closed the session, which still has something to send. */
  | "forced server close"
  /** The peer left the namespace. */
  | "client namespace disconnect"
  /** `socket.disconnect()` was called. */
  | "server namespace disconnect";

/** The reasons after which the state of the connection is kept (R10, behaviour 121). */
export const RECOVERABLE_REASONS: ReadonlySet<DisconnectReason> = new Set<DisconnectReason>([
  "transport error",
  "transport close",
  "forced close",
  "ping timeout",
  "server shutting down",
  "forced server close",
]);
