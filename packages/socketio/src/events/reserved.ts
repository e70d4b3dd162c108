/** Names that a socket or a broadcast cannot emit: the peer's client uses them (K22). */
export const SOCKET_RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** Names that cannot be emitted to the other servers: the namespace itself emits them (N11). */
export const NAMESPACE_RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connection",
  "new_namespace",
  "handler_error",
  "limit_exceeded",
]);
