import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { HANDSHAKE_ERRORS, refusal, type Refusal } from "./errors.js";
import { queryOf } from "./request.js";
import type { TransportName } from "./transports/transport.js";

/** What the verdict depends on in a session. */
export interface JudgedSession {
  readonly protocol: number;
  readonly transport: { readonly name: TransportName };
}

/** What the verdict depends on besides the request. */
export interface JudgeContext {
  /** The transports that the server offers. */
  readonly transports: readonly TransportName[];
  /** The session with this id, if there is one. */
  sessionOf(sid: string): JudgedSession | undefined;
}

/** Characters that no HTTP header may have (RFC 9110, section 5.5). */
// oxlint-disable-next-line no-control-regex -- these are the characters in question
const INVALID_HEADER = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Decides whether a request may go on, by what can be known at once. The order is that of
 * behaviour 2: transport, origin, session and its transport, method, upgrade. `allowRequest`, the
 * protocol revision and the new id come after it, for handshakes only.
 *
 * @param headers those of the request, if they are known from elsewhere
 * @returns why the request is refused, or `undefined`
 */
export function judgeRequest(
  req: IncomingMessage,
  isUpgrade: boolean,
  context: JudgeContext,
  headers: Pick<IncomingHttpHeaders, "origin"> = req.headers,
): Refusal | undefined {
  const { transport, sid } = queryOf(req);
  if (!isOffered(transport, context.transports)) {
    return refusal(HANDSHAKE_ERRORS.UNKNOWN_TRANSPORT, { transport });
  }
  if (!isOriginValid(headers)) {
    const { origin } = headers;
    // Whoever looks at the request later must not repeat it in a header.
    (req.headers as Record<string, unknown>)["origin"] = null;
    return badRequest("INVALID_ORIGIN", { origin });
  }
  if (sid === undefined || sid === "") return judgeHandshake(req, isUpgrade, transport);
  const session = typeof sid === "string" ? context.sessionOf(sid) : undefined;
  if (session === undefined) return refusal(HANDSHAKE_ERRORS.UNKNOWN_SID, { sid });
  const previousTransport = session.transport.name;
  if (!isUpgrade && (previousTransport !== transport || transport !== "polling")) {
    return badRequest("TRANSPORT_MISMATCH", { transport, previousTransport });
  }
  const protocol = protocolOf(req);
  if (protocol !== session.protocol) {
    return badRequest("PROTOCOL_MISMATCH", { protocol, previousProtocol: session.protocol });
  }
  return undefined;
}

function isOriginValid({ origin }: Pick<IncomingHttpHeaders, "origin">): boolean {
  return origin === undefined || !INVALID_HEADER.test(origin);
}

/** The protocol revision that a client speaks (behaviour 26). */
export function protocolOf(req: IncomingMessage): 3 | 4 {
  return queryOf(req)["EIO"] === "4" ? 4 : 3;
}

function judgeHandshake(
  req: IncomingMessage,
  isUpgrade: boolean,
  transport: string,
): Refusal | undefined {
  if (req.method !== "GET") {
    return refusal(HANDSHAKE_ERRORS.BAD_HANDSHAKE_METHOD, { method: req.method });
  }
  if (transport === "websocket" && !isUpgrade) return badRequest("TRANSPORT_HANDSHAKE_ERROR");
  return undefined;
}

/** Code 3, "Bad request", of which `name` tells the operator the case. */
export function badRequest(name: string, context?: Readonly<Record<string, unknown>>): Refusal {
  return refusal(HANDSHAKE_ERRORS.BAD_REQUEST, { name, ...context });
}

/** WebTransport sessions do not begin with a request (section 2.10), so no request may ask for one. */
function isOffered(
  transport: string | string[] | undefined,
  offered: readonly string[],
): transport is string {
  return (
    typeof transport === "string" && transport !== "webtransport" && offered.includes(transport)
  );
}
