import type { IncomingMessage } from "node:http";
import { addressKey, clientAddress, compileTrust, type Trust } from "./client-address.js";
import type { Clock } from "./clock.js";
import { HANDSHAKE_ERRORS, refusal, type Refusal } from "./errors.js";
import { HandshakeLimiter } from "./handshake-rate.js";
import type { ResolvedOptions } from "./options.js";
import { queryOf } from "./request.js";
import { compileOrigins, type OriginJudge } from "./origins.js";

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

/** Seconds after which a place may be free again. */
const RETRY_WHEN_FULL = 10;
/** A server that drains has others beside it, so there is nothing to wait for. */
const RETRY_WHEN_DRAINING = 1;

/**
 * What stands before everything else: quotas, origins, draining. It decides from the request and a
 * few numbers alone, so refusing costs neither a session nor a middleware nor a timer.
 */
export class HandshakeGate {
  readonly #context: GateContext;
  readonly #trust: Trust | undefined;
  readonly #isAllowed: OriginJudge | undefined;
  readonly #limiter: HandshakeLimiter | undefined;
  /** Open sessions by address; absent when nobody counts them. */
  readonly #places: Map<string, number> | undefined;
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
    this.#isLimited =
      maxConnections !== Infinity || this.#places !== undefined || this.#limiter !== undefined;
  }

  /** Whether new sessions are refused for good. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Refuses all new sessions from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** @returns why an HTTP request is refused as it arrives, or `undefined` */
  judgeRequest(req: IncomingMessage): Refusal | undefined {
    if (!this.#isClosable || req.method !== "GET" || queryOf(req)["sid"]) return undefined;
    return this.#judgeHandshake(req);
  }

  /**
   * Decides on a connection that becomes a transport: of a new session, unless it names one.
   *
   * @returns why it is refused, or `undefined`
   */
  judgeUpgrade(req: IncomingMessage, sid: unknown): Refusal | undefined {
    if (!this.#isClosable) return undefined;
    return sid ? this.#judgeOrigin(req) : this.#judgeHandshake(req);
  }

  /**
   * Decides whether there is room for one more session. Asked again right before a session opens:
   * others may have opened while the application was thinking.
   */
  judgeRoom(req: IncomingMessage): Refusal | undefined {
    if (this.#draining) return unavailable("DRAINING", RETRY_WHEN_DRAINING);
    const { maxConnections, maxConnectionsPerAddress } = this.#context.options;
    if (this.#context.clientsCount() >= maxConnections) {
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

  /** A session has opened. */
  enter(address: string): void {
    if (this.#places === undefined) return;
    const key = addressKey(address);
    this.#places.set(key, (this.#places.get(key) ?? 0) + 1);
  }

  /** A session that had entered is gone. */
  leave(address: string): void {
    if (this.#places === undefined) return;
    const key = addressKey(address);
    const left = (this.#places.get(key) ?? 0) - 1;
    if (left > 0) this.#places.set(key, left);
    else this.#places.delete(key);
  }

  /** How many addresses have open sessions, as far as they are counted. */
  get addressCount(): number {
    return this.#places?.size ?? 0;
  }

  get #isClosable(): boolean {
    return this.#draining || this.#isLimited || this.#isAllowed !== undefined;
  }

  #judgeHandshake(req: IncomingMessage): Refusal | undefined {
    // The token is taken last: whoever is refused for another reason keeps it.
    return this.#judgeOrigin(req) ?? this.judgeRoom(req) ?? this.#judgeRate(req);
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
