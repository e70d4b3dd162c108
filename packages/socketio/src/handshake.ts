import type { ParsedUrlQuery } from "node:querystring";
import type { IncomingMessage } from "node:http";
import type { Handshake } from "./api.js";
import type { EngineSession } from "./engine-port.js";

/** The handshake of a socket that was created at `issued`, in milliseconds since 1970. */
export function buildHandshake(
  session: EngineSession,
  auth: Record<string, unknown> | undefined,
  issued: number,
): Handshake {
  // Applications delete the request to save memory.
  const request: Partial<IncomingMessage> | null | undefined = session.request;
  const headers = request?.headers ?? {};
  return {
    headers,
    time: String(dateOf(issued)),
    address: session.remoteAddress,
    xdomain: Boolean(headers.origin),
    secure: isSecure(request),
    issued,
    url: request?.url as string,
    query: queryOf(request),
    auth: auth ?? {},
  };
}

/** The moment was taken from the clock when the socket was created; this only formats it. */
function dateOf(issued: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- does not read the time
  return new Date(issued);
}

/** Sessions without a request come over WebTransport, which is always encrypted. */
function isSecure(request: Partial<IncomingMessage> | null | undefined): boolean {
  if (request === null || request === undefined) return true;
  const socket: unknown = request.socket;
  return (
    typeof socket === "object" && socket !== null && "encrypted" in socket && !!socket.encrypted
  );
}

/** Engines, and the hosts of engines, leave the parsed query on the request. */
function queryOf(request: Partial<IncomingMessage> | null | undefined): ParsedUrlQuery {
  if (request === null || request === undefined) return {};
  const parsed: unknown = Reflect.get(request, "_query");
  if (typeof parsed === "object" && parsed !== null) return parsed as ParsedUrlQuery;
  const query: ParsedUrlQuery = {};
  const url = request.url ?? "";
  for (const [key, value] of new URLSearchParams(url.slice(url.indexOf("?") + 1 || url.length))) {
    query[key] = value;
  }
  return query;
}
