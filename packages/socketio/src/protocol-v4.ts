import { parse, type ParsedUrlQuery } from "node:querystring";
import type { EngineSession } from "./engine-port.js";

// What is different for clients of Socket.IO 1 and 2. They speak revision 4 of the Socket.IO
// protocol, over revision 3 of the Engine.IO protocol (`allowEIO3`); the packets look the same.

/** Whether the client of a session is of Socket.IO 1 or 2. */
export function isLegacy(session: EngineSession): boolean {
  return session.protocol === 3;
}

/** The id of a socket: that of the session, behind the name of the namespace (Z5). */
export function legacySocketId(session: EngineSession, namespace: string): string {
  return namespace === "/" ? session.id : `${namespace}#${session.id}`;
}

/**
 * Takes apart the namespace of a CONNECT packet, which is a URL: its query is what the client has to
 * say for itself, and becomes `handshake.auth` (C8, behaviour 137).
 */
export function parseLegacyNamespace(url: string): { name: string; auth: ParsedUrlQuery } {
  const start = url.indexOf("?");
  if (start === -1) return { name: url, auth: {} };
  return { name: url.slice(0, start), auth: { ...parse(url.slice(start + 1)) } };
}

/** The payload of a CONNECT_ERROR packet: data or message, as they are (Z6, behaviour 77). */
export function legacyConnectError({
  message,
  data,
}: {
  readonly message: string;
  readonly data?: unknown;
}): unknown {
  return data || message;
}
