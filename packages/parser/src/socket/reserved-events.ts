/**
 * Event names that clients and servers use for their own notifications, or that Node's event
 * emitters use. No packet may carry them, and none may be emitted by a user (behaviour 92).
 */
export const RESERVED_EVENTS: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);
