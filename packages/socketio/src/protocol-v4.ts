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

/** What the namespace of a packet says. */
export interface LegacyNamespace {
  readonly name: string;
  /** The query, of whose repeated keys the last value counts. */
  readonly auth: Record<string, string>;
}

const URL_PARTS = /^([^?#]*)(?:\?([^#]*))?/;

/**
 * Takes apart the namespace of a packet, which is a URL: its query is what the client has to say for
 * itself, and becomes `handshake.auth` (C8, behaviour 137).
 *
 * The name stays as the client wrote it, because this is how it expects it in the answer. A URL
 * parser would escape letters beyond ASCII and resolve dots.
 */
export function parseLegacyNamespace(url: string): LegacyNamespace {
  const [, name = "", query = ""] = URL_PARTS.exec(url) ?? [];
  return { name, auth: Object.fromEntries(new URLSearchParams(query)) };
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
