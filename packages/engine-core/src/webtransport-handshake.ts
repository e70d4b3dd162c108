import { IncomingMessage, type IncomingHttpHeaders } from "node:http";
import { Socket } from "node:net";
import { FrameDecoder } from "@jackfield/parser";
import createDebug from "debug";
import type { Clock } from "./clock.js";
import type { PacketCodec, RawData } from "./codec.js";
import { HANDSHAKE_ERRORS, refusal, type Refusal } from "./errors.js";
import { badRequest, type JudgeContext } from "./handshake.js";
import { queryOf } from "./request.js";
import {
  closeQuietly,
  ignoreFailure,
  WebTransportTransport,
  type WebTransportSession,
} from "./transports/webtransport.js";

const debug = createDebug("engine:webtransport");

/** What accepting a WebTransport session takes. */
export interface WebTransportAcceptInit {
  /** That of protocol 4: no client of an older one speaks WebTransport. */
  readonly codec: PacketCodec;
  readonly clock: Clock;
  readonly options: WebTransportAcceptOptions;
}

/** The limits of a WebTransport session. */
export interface WebTransportAcceptOptions {
  /** Bytes that the payload of one frame may have. */
  readonly maxHttpBufferSize: number;
  /** How long the first packet may take, in ms. */
  readonly upgradeTimeout: number;
}

/**
 * Waits for the first packet of a WebTransport session (behaviour 70): `0` asks for a new session,
 * `0{"sid":"…"}` for the upgrade of that one.
 *
 * Anything else, and a client that takes longer than `upgradeTimeout`, closes the session; then
 * `accepted` is not called. The transport reads no further before it has a host. Never throws.
 *
 * @param accepted must not throw; `sid` is as the client sent it
 */
export function acceptWebTransport(
  session: WebTransportSession,
  init: WebTransportAcceptInit,
  accepted: (transport: WebTransportTransport, sid: string | undefined) => void,
): void {
  let isSettled = false;
  const settle = (): boolean => {
    if (isSettled) return false;
    timer.cancel();
    isSettled = true;
    return true;
  };
  const giveUp = (why: unknown): void => {
    if (!settle()) return;
    debug("session is not accepted: %o", why);
    closeQuietly(session);
  };
  const timer = init.clock.setTimeout(() => giveUp("timed out"), init.options.upgradeTimeout);
  session.ready?.then(undefined, ignoreFailure);
  session.closed.then(() => giveUp("closed"), giveUp);
  const accept = ({ transport, sid }: FirstContact): void => {
    if (settle()) accepted(transport, sid);
  };
  readFirstPacket(session, init).then(accept, giveUp);
}

interface FirstContact {
  readonly transport: WebTransportTransport;
  readonly sid: string | undefined;
}

async function readFirstPacket(
  session: WebTransportSession,
  init: WebTransportAcceptInit,
): Promise<FirstContact> {
  const { value: stream } = await session.incomingBidirectionalStreams.getReader().read();
  if (stream === undefined) throw new Error("no stream");
  const reader = stream.readable.getReader();
  const decoder = new FrameDecoder(init.options.maxHttpBufferSize);
  const frames: RawData[] = [];
  while (frames.length === 0) {
    // oxlint-disable-next-line no-await-in-loop -- one chunk comes after the other
    const { done, value } = await reader.read();
    if (done) throw new Error("no packet");
    if (value !== undefined) decoder.push(value, (frame) => void frames.push(frame));
  }
  const sid = sidOf(frames.shift() ?? "", init.codec);
  const writer = stream.writable.getWriter();
  const { codec, clock } = init;
  const parts = { session, reader, writer, decoder, frames, codec, clock };
  return { transport: new WebTransportTransport(parts), sid };
}

/**
 * The session that the first packet names.
 *
 * @throws when it is not a first packet
 */
function sidOf(frame: RawData, codec: PacketCodec): string | undefined {
  const { type, data } = codec.decodePacket(frame);
  if (type !== "open") throw new Error(`"${type}" is no first packet`);
  if (data === undefined) return undefined;
  const content: unknown = JSON.parse(data.toString());
  if (typeof content === "object" && content !== null && "sid" in content) {
    if (typeof content.sid === "string" && content.sid !== "") return content.sid;
  }
  throw new Error("the first packet names no session");
}

/** What the HTTP/3 server may tell of the request that opened a WebTransport session. */
export interface WebTransportRequest {
  readonly headers: IncomingHttpHeaders;
  /** Path and query. Default: empty. */
  readonly url?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

/**
 * Makes the request that a WebTransport session has for everybody who looks at one (behaviour 71):
 * middlewares, `allowRequest`, `generateId` and the application.
 *
 * @param given an `IncomingMessage` is taken as it is; without anything given, the request is empty
 */
export function requestOf(given: WebTransportRequest | undefined): IncomingMessage {
  const req = given instanceof IncomingMessage ? given : makeRequest(given);
  // The version and the transport are certain, whatever the URL says of them.
  Object.assign(queryOf(req), { EIO: "4", transport: "webtransport" });
  return req;
}

function makeRequest(given: WebTransportRequest | undefined): IncomingMessage {
  const remoteAddress = given?.socket?.remoteAddress;
  // Without a connection below; `encrypted` as in TLS sockets, for WebTransport always is.
  const socket = Object.defineProperties(new Socket(), {
    remoteAddress: { value: remoteAddress },
    encrypted: { value: true },
  });
  const req = new IncomingMessage(socket);
  req.method = "GET";
  req.url = given?.url ?? "";
  req.headers = { ...given?.headers };
  return req;
}

/** What the verdict on a WebTransport session depends on. */
export interface WebTransportJudgeContext extends JudgeContext {
  /** They see every request. */
  readonly middlewares: readonly unknown[];
  /** Whether there is an `allowRequest`: it sees the handshakes. */
  readonly hasAllowRequest: boolean;
}

/**
 * Decides whether a WebTransport session may go on, by what can be known at once.
 *
 * Middlewares and `allowRequest` that cannot be asked, because the host gave no request, refuse: who
 * relies on them to keep somebody out must not find that somebody inside (behaviour 71).
 *
 * @returns why the session is refused, or `undefined`
 */
export function judgeWebTransport(
  sid: string | undefined,
  hasRequest: boolean,
  context: WebTransportJudgeContext,
): Refusal | undefined {
  if (!context.transports.includes("webtransport")) {
    return refusal(HANDSHAKE_ERRORS.UNKNOWN_TRANSPORT, { transport: "webtransport" });
  }
  const known = sid === undefined ? undefined : context.sessionOf(sid);
  if (sid !== undefined && known === undefined) {
    return refusal(HANDSHAKE_ERRORS.UNKNOWN_SID, { sid });
  }
  if (known !== undefined && known.protocol !== 4) {
    return badRequest("PROTOCOL_MISMATCH", { protocol: 4, previousProtocol: known.protocol });
  }
  const mustAsk = context.middlewares.length > 0 || (sid === undefined && context.hasAllowRequest);
  if (mustAsk && !hasRequest) {
    return refusal(HANDSHAKE_ERRORS.FORBIDDEN, { name: "REQUEST_MISSING" });
  }
  return undefined;
}
