import type { Room } from "./adapter/contract.js";
import { LimitError, type LimitName } from "./errors.js";
import type { Clock } from "./timers.js";

/** What becomes of an event that comes too fast. */
export type EventRateVerdict =
  /** The event is ignored. */
  | "drop"
  /** The client is disconnected, and does not come back by itself. */
  | "disconnect"
  /** The event is dispatched all the same. */
  | "keep";

/** How many events one socket may send. */
export interface EventRate<Socket = object> {
  /** Events in the long run. */
  readonly perSecond: number;
  /** Events at once. Default: `perSecond`, 1 at least. */
  readonly burst?: number;
  /** What becomes of those above. A function is asked for each of them. Default `"drop"`. */
  readonly policy?: "drop" | "disconnect" | ((socket: Socket) => EventRateVerdict);
}

/** The limits of a server; `Infinity` where there is none. */
export interface Limits {
  readonly maxNamespacesPerConnection: number;
  readonly maxDynamicNamespacesPerConnection: number;
  readonly maxRoomsPerSocket: number;
  readonly maxPendingAcksPerSocket: number;
  readonly eventRate: EventRate | undefined;
}

/** Where a limit was exceeded. */
export interface LimitScope {
  readonly nsp: string;
  readonly socket?: object | undefined;
}

/** What the limiter needs of a socket. */
export interface LimitedSocket {
  readonly nsp: { readonly name: string };
  readonly rooms: ReadonlySet<Room>;
  disconnect(close: boolean): unknown;
}

/** What the limiter is made of. */
export interface LimiterDeps {
  readonly clock: Clock;
  /** Tells the operator. Never throws. */
  onExceeded(error: LimitError, scope: LimitScope): void;
  /** A policy of the application threw. Never throws. */
  onPolicyError(error: unknown, scope: LimitScope): void;
}

interface Bucket {
  tokens: number;
  /** When the tokens were counted, in ms since 1970. */
  countedAt: number;
}

/**
 * Enforces the limits of one server. What it has to remember of a connection or a socket is kept
 * here and not there: most servers have no such limits, and their sockets are to cost nothing.
 */
export class Limiter {
  readonly #limits: Limits;
  readonly #deps: LimiterDeps;
  readonly #buckets = new WeakMap<object, Bucket>();
  readonly #created = new WeakMap<object, number>();

  constructor(limits: Limits, deps: LimiterDeps) {
    this.#limits = limits;
    this.#deps = deps;
  }

  /** Whether a connection that has so many namespaces may join one more. */
  admitsNamespace(count: number, scope: LimitScope): boolean {
    return this.#isWithin("maxNamespacesPerConnection", count + 1, scope);
  }

  /** Whether a namespace may be made for the connection. Counts it, if so. */
  admitsDynamicNamespace(connection: object, scope: LimitScope): boolean {
    const count = (this.#created.get(connection) ?? 0) + 1;
    if (!this.#isWithin("maxDynamicNamespacesPerConnection", count, scope)) return false;
    this.#created.set(connection, count);
    return true;
  }

  /** The namespace was not made. */
  releaseDynamicNamespace(connection: object): void {
    this.#created.set(connection, (this.#created.get(connection) ?? 1) - 1);
  }

  /** Whether a socket may join the rooms. */
  admitsJoin(socket: LimitedSocket, rooms: Iterable<Room>): boolean {
    // To read the rooms of a socket costs memory for as long as it lives.
    if (this.#limits.maxRoomsPerSocket === Infinity) return true;
    const all = new Set(socket.rooms);
    for (const room of rooms) all.add(room);
    return this.#isWithin("maxRoomsPerSocket", all.size, scopeOf(socket));
  }

  /** Why a client that owes so many acknowledgements cannot be asked for one more. */
  judgeAck(socket: LimitedSocket, pending: number): LimitError | undefined {
    const max = this.#limits.maxPendingAcksPerSocket;
    if (pending < max) return undefined;
    const error = new LimitError("maxPendingAcksPerSocket", max);
    this.#deps.onExceeded(error, scopeOf(socket));
    return error;
  }

  /** Whether an event of the socket is to be dispatched. Counts it, and may disconnect the socket. */
  admitsEvent(socket: LimitedSocket): boolean {
    const { eventRate } = this.#limits;
    if (eventRate === undefined || this.#takeToken(socket, eventRate)) return true;
    this.#deps.onExceeded(new LimitError("eventRate", eventRate.perSecond), scopeOf(socket));
    const verdict = this.#judge(socket, eventRate.policy);
    if (verdict === "disconnect") socket.disconnect(true);
    return verdict === "keep";
  }

  #judge(socket: LimitedSocket, policy: EventRate["policy"] = "drop"): EventRateVerdict {
    if (typeof policy !== "function") return policy;
    try {
      const verdict: unknown = policy(socket);
      if (verdict === "drop" || verdict === "disconnect" || verdict === "keep") return verdict;
      throw new TypeError('the policy of eventRate must return "drop", "disconnect" or "keep"');
    } catch (error) {
      this.#deps.onPolicyError(error, scopeOf(socket));
      return "drop";
    }
  }

  #takeToken(socket: object, { perSecond, burst = Math.max(1, perSecond) }: EventRate): boolean {
    const now = this.#deps.clock.date().getTime();
    const bucket = this.#buckets.get(socket);
    if (bucket === undefined) {
      this.#buckets.set(socket, { tokens: burst - 1, countedAt: now });
      return burst >= 1;
    }
    // Clocks are set back sometimes.
    const elapsed = Math.max(0, now - bucket.countedAt);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsed / 1000) * perSecond);
    bucket.countedAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #isWithin(limit: Exclude<LimitName, "eventRate">, count: number, scope: LimitScope): boolean {
    const max = this.#limits[limit];
    if (count <= max) return true;
    this.#deps.onExceeded(new LimitError(limit, max), scope);
    return false;
  }
}

function scopeOf(socket: LimitedSocket): LimitScope {
  return { nsp: socket.nsp.name, socket };
}

/** Whether any limit is set. Takes options that have others beside them. */
export function isLimited(limits: Limits): boolean {
  return (
    limits.eventRate !== undefined ||
    limits.maxNamespacesPerConnection < Infinity ||
    limits.maxDynamicNamespacesPerConnection < Infinity ||
    limits.maxRoomsPerSocket < Infinity ||
    limits.maxPendingAcksPerSocket < Infinity
  );
}
