import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { addressKey, clientAddress, compileTrust, type Trust } from "./client-address.js";
import type { Clock } from "./clock.js";
import { HANDSHAKE_ERRORS, refusal, type Refusal } from "./errors.js";
import { HandshakeLimiter } from "./handshake-rate.js";
import { HandshakeWatch, type Unwatch } from "./handshake-watch.js";
import type { ResolvedOptions } from "./options.js";
import { queryOf } from "./request.js";
import { compileOrigins, type OriginJudge } from "./origins.js";
import type { WebTransportSession, WebTransportTransport } from "./transports/webtransport.js";

/** The options that the gate goes by. */
export type GateOptions = Pick<
  ResolvedOptions,
  "maxConnections" | "maxConnectionsPerAddress" | "trustProxy" | "handshakeRate" | "allowedOrigins"
>;

/** What the gate knows besides the request. */
export interface GateContext {
  readonly options: GateOptions;
  readonly clock: Clock;
  /** How many sessions are open. */
  clientsCount(): number;
  onHandlerError(error: unknown): void;
}

/** The place of a handshake that has passed the gate, and is neither a session yet nor refused. */
interface Place {
  /** The address that it counts for; absent when addresses are not counted. */
  readonly key: string | undefined;
  unwatch: Unwatch | undefined;
}

/** Seconds after which a place may be free again. */
const RETRY_WHEN_FULL = 10;
/** A server that drains has others beside it, so there is nothing to wait for. */
const RETRY_WHEN_DRAINING = 1;

/**
 * What stands before everything else: quotas, origins, draining. It decides from the request and a
 * few numbers alone, so refusing costs neither a session nor a middleware nor a timer.
 *
 * Who passes has a place from then on, however long the application takes to think: until there is a
 * session, or {@link release} is called, or nobody is there any more (see {@link watchResponse}).
 */
export class HandshakeGate {
  readonly #context: GateContext;
  readonly #trust: Trust | undefined;
  readonly #isAllowed: OriginJudge | undefined;
  readonly #limiter: HandshakeLimiter | undefined;
  /** Open sessions and handshakes that wait, by address; absent when nobody counts them. */
  readonly #places: Map<string, number> | undefined;
  /** The handshakes that wait; absent when places are not counted. */
  readonly #waiting: Map<IncomingMessage, Place> | undefined;
  readonly #watch = new HandshakeWatch();
  readonly #isLimited: boolean;
  #draining = false;

  /** @throws {OptionsError} ERR_OPTION_VALUE */
  constructor(context: GateContext) {
    const { options } = context;
    this.#context = context;
    this.#trust = compileTrust(options.trustProxy);
    this.#isAllowed = compileOrigins(options.allowedOrigins);
    const { maxConnections, maxConnectionsPerAddress, handshakeRate } = options;
    this.#limiter = handshakeRate === false ? undefined : new HandshakeLimiter(handshakeRate);
    this.#places = maxConnectionsPerAddress === Infinity ? undefined : new Map();
    if (maxConnections !== Infinity || this.#places !== undefined) this.#waiting = new Map();
    this.#isLimited = this.#waiting !== undefined || this.#limiter !== undefined;
  }

  /** Whether new sessions are refused for good. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Refuses all new sessions from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Decides on an HTTP request as it arrives. A handshake that may go on has a place then.
   *
   * @returns why it is refused, or `undefined`
   */
  judgeRequest(req: IncomingMessage): Refusal | undefined {
    if (!this.#isClosable || req.method !== "GET" || queryOf(req)["sid"]) return undefined;
    return this.#judgeHandshake(req);
  }

  /**
   * Decides on a connection that becomes a transport: of a new session, unless it names one. A
   * handshake that may go on has a place then.
   *
   * @returns why it is refused, or `undefined`
   */
  judgeUpgrade(req: IncomingMessage, sid: unknown): Refusal | undefined {
    if (!this.#isClosable) return undefined;
    return sid ? this.#judgeOrigin(req) : this.#judgeHandshake(req);
  }

  /**
   * Decides whether there is room for one more session. Asked again right before a session opens: a
   * handshake may have lost its place, or never had one, and the server may drain.
   */
  judgeRoom(req: IncomingMessage): Refusal | undefined {
    if (this.#draining) return unavailable("DRAINING", RETRY_WHEN_DRAINING);
    if (this.#waiting === undefined || this.#waiting.has(req)) return undefined;
    const { maxConnections, maxConnectionsPerAddress } = this.#context.options;
    if (this.#context.clientsCount() + this.#waiting.size >= maxConnections) {
      return unavailable("MAX_CONNECTIONS", RETRY_WHEN_FULL, { maxConnections });
    }
    if (this.#places === undefined) return undefined;
    const address = this.addressOf(req);
    if ((this.#places.get(addressKey(address)) ?? 0) < maxConnectionsPerAddress) return undefined;
    const context = { address, maxConnectionsPerAddress };
    return tooMany("MAX_CONNECTIONS_PER_ADDRESS", RETRY_WHEN_FULL, context);
  }

  /** The address of the client behind the proxies that are trusted. */
  addressOf(req: IncomingMessage): string {
    try {
      return clientAddress(req, this.#trust);
    } catch (error) {
      this.#context.onHandlerError(error);
      return clientAddress(req, undefined);
    }
  }

  /** A handshake waits no longer, if it did: it was refused, or becomes a session. */
  release(req: IncomingMessage): void {
    const place = this.#waiting?.get(req);
    if (place === undefined) return;
    this.#waiting?.delete(req);
    if (place.key !== undefined) this.#count(place.key, -1);
    place.unwatch?.();
  }

  /** Frees the place of a handshake that still waits when it is answered, or its client leaves. */
  watchResponse(req: IncomingMessage, res: ServerResponse): void {
    const place = this.#waiting?.get(req);
    if (place === undefined) return;
    place.unwatch = this.#watch.response(req, res, () => this.release(req));
  }

  /** Frees the place of a handshake that still waits when its client leaves. */
  watchUpgrade(req: IncomingMessage, socket: Duplex): void {
    const place = this.#waiting?.get(req);
    // Where there is a watch, the connection has been handed over.
    if (place === undefined || place.unwatch !== undefined) return;
    place.unwatch = this.#watch.upgrade(socket, () => this.release(req));
  }

  /** A WebSocket server gets the connection: only that it closes is looked at from now on. */
  handOver(req: IncomingMessage, socket: Duplex): void {
    const place = this.#waiting?.get(req);
    if (place === undefined) return;
    place.unwatch?.();
    place.unwatch = this.#watch.connection(socket, () => this.release(req));
  }

  /** Frees the place of a handshake that still waits when its WebTransport session is over. */
  watchWebTransport(
    req: IncomingMessage,
    session: WebTransportSession,
    transport: WebTransportTransport,
  ): void {
    const place = this.#waiting?.get(req);
    if (place === undefined) return;
    place.unwatch = this.#watch.webTransport(session, transport, () => this.release(req));
  }

  /** A session has opened. */
  enter(address: string): void {
    if (this.#places !== undefined) this.#count(addressKey(address), 1);
  }

  /** A session that had entered is gone. */
  leave(address: string): void {
    if (this.#places !== undefined) this.#count(addressKey(address), -1);
  }

  /** How many addresses have open sessions or handshakes that wait, as far as they are counted. */
  get addressCount(): number {
    return this.#places?.size ?? 0;
  }

  /** How many handshakes have a place and are no sessions yet, as far as places are counted. */
  get waitingCount(): number {
    return this.#waiting?.size ?? 0;
  }

  get #isClosable(): boolean {
    return this.#draining || this.#isLimited || this.#isAllowed !== undefined;
  }

  #judgeHandshake(req: IncomingMessage): Refusal | undefined {
    // The token is taken last: whoever is refused for another reason keeps it.
    const why = this.#judgeOrigin(req) ?? this.judgeRoom(req) ?? this.#judgeRate(req);
    if (why === undefined) this.#takePlace(req);
    return why;
  }

  #takePlace(req: IncomingMessage): void {
    if (this.#waiting === undefined || this.#waiting.has(req)) return;
    const key = this.#places === undefined ? undefined : addressKey(this.addressOf(req));
    this.#waiting.set(req, { key, unwatch: undefined });
    if (key !== undefined) this.#count(key, 1);
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#places?.get(key) ?? 0) + change;
    if (count > 0) this.#places?.set(key, count);
    else this.#places?.delete(key);
  }

  #judgeOrigin(req: IncomingMessage): Refusal | undefined {
    try {
      if (this.#isAllowed?.(req) ?? true) return undefined;
    } catch (error) {
      this.#context.onHandlerError(error);
    }
    const { origin } = req.headers;
    return refusal(HANDSHAKE_ERRORS.FORBIDDEN, { name: "ORIGIN_NOT_ALLOWED", origin });
  }

  #judgeRate(req: IncomingMessage): Refusal | undefined {
    if (this.#limiter === undefined) return undefined;
    const address = this.addressOf(req);
    const wait = this.#limiter.take(addressKey(address), this.#context.clock.now());
    return wait === 0 ? undefined : tooMany("HANDSHAKE_RATE", Math.ceil(wait / 1000), { address });
  }
}

function unavailable(name: string, retryAfter: number, context?: object): Refusal {
  const why = refusal(HANDSHAKE_ERRORS.FORBIDDEN, { name, ...context }, "Service unavailable");
  return { ...why, status: 503, retryAfter };
}

function tooMany(name: string, retryAfter: number, context: object): Refusal {
  const why = refusal(HANDSHAKE_ERRORS.FORBIDDEN, { name, ...context }, "Too many requests");
  return { ...why, status: 429, retryAfter };
}
