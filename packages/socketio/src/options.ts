import type { AttachOptions, ServerOptions as EngineOptions } from "@jackfield/engine-core";
import type { LegacyParserModule } from "@jackfield/parser";
import type { AdapterConstructor } from "./adapter/contract.js";
import { DEFAULT_LIMITS } from "./adapter/session-aware.js";
import type { Socket } from "./api.js";
import { OptionsError } from "./errors.js";
import type { EventRate, Limits } from "./limits.js";
import { checkAdapter, checkBoolean, checkCount, checkDelay, checkPath } from "./option-checks.js";

/** The options of a server: its own, and those of the engine, which it passes on. */
export interface ServerOptions extends EngineOptions, AttachOptions {
  /** What the URLs of the server begin with. Default `"/socket.io"`. */
  path?: string;
  /** Whether the files of the client are served. Default `true`. */
  serveClient?: boolean;
  /** What makes the adapter of a namespace. Default: the one for a single server. */
  adapter?: AdapterConstructor;
  /** The wire format of packets, for client and server. Default: the one of the protocol. */
  parser?: LegacyParserModule;
  /** How long a connection may last without a namespace, in ms. Default 45000. */
  connectTimeout?: number;
  /** Whether a namespace that was made for a client is closed with its last socket. Default `false`. */
  cleanupEmptyChildNamespaces?: boolean;
  /** How long the state of broken connections is kept. Default: it is not kept. */
  connectionStateRecovery?: ConnectionStateRecoveryOptions;
  /** Namespaces that one connection may be in. Further ones are refused. Default `Infinity`. */
  maxNamespacesPerConnection?: number;
  /**
   * Namespaces that may be made in the name of one connection, because a pattern or a function
   * admits them. Further ones are refused. Default `Infinity`.
   */
  maxDynamicNamespacesPerConnection?: number;
  /** Rooms that one socket may be in. It does not join further ones. Default `Infinity`. */
  maxRoomsPerSocket?: number;
  /**
   * Acknowledgements that one client may owe. Events that ask for further ones are not sent, and
   * those who wait get a `LimitError`. Default `Infinity`.
   */
  maxPendingAcksPerSocket?: number;
  /** How many events one socket may send. Default: any number. */
  eventRate?: EventRate<Socket> | undefined;
}

/** How the state of broken connections is kept. */
export interface ConnectionStateRecoveryOptions {
  /** How long it is kept, in ms. Default 120000. */
  maxDisconnectionDuration?: number;
  /** Whether middlewares are skipped for sockets that come back. Default `true`. */
  skipMiddlewares?: boolean;
  /** How many broken connections a namespace keeps; the oldest give way. Default 100000. */
  maxSessions?: number;
  /** How many packets a namespace keeps; who has missed an older one starts anew. Default 100000. */
  maxPackets?: number;
  /** How many bytes of packets a namespace keeps. Default 67108864. */
  maxBytes?: number;
}

/** The options after defaults. */
export interface ResolvedOptions extends Limits {
  /** `undefined` when the constructor was given none. */
  readonly path: string | undefined;
  readonly serveClient: boolean;
  readonly adapter: AdapterConstructor | undefined;
  readonly parser: LegacyParserModule | undefined;
  readonly connectTimeout: number;
  readonly cleanupEmptyChildNamespaces: boolean;
  readonly connectionStateRecovery: Required<ConnectionStateRecoveryOptions> | undefined;
  /** The engine's, unless it has its default. */
  readonly pingInterval: number | undefined;
  readonly pingTimeout: number | undefined;
}

/** The path when nobody chooses another one. */
export const DEFAULT_PATH = "/socket.io";

/**
 * Copies the options that are not the engine's, fills in the defaults and checks every value.
 *
 * @throws {OptionsError} ERR_OPTION_VALUE, for the first value that is not accepted
 */
export function resolveOptions(input: ServerOptions = {}): ResolvedOptions {
  const { path, adapter, parser } = input;
  if (path !== undefined) checkPath(path);
  if (adapter !== undefined) checkAdapter(adapter);
  if (parser !== undefined && !isParser(parser)) {
    throw new OptionsError("parser", parser, "an object with the classes Encoder and Decoder");
  }
  const { connectTimeout = 45_000 } = input;
  checkDelay("connectTimeout", connectTimeout);
  return {
    path,
    adapter,
    parser,
    connectTimeout,
    serveClient: checkBoolean("serveClient", input.serveClient ?? true),
    cleanupEmptyChildNamespaces: checkBoolean(
      "cleanupEmptyChildNamespaces",
      input.cleanupEmptyChildNamespaces ?? false,
    ),
    connectionStateRecovery: resolveRecovery(input.connectionStateRecovery),
    ...resolveLimits(input),
    pingInterval: input.pingInterval,
    pingTimeout: input.pingTimeout,
  };
}

function isParser(parser: unknown): boolean {
  if (typeof parser !== "object" && typeof parser !== "function") return false;
  const { Encoder, Decoder } = (parser ?? {}) as Record<string, unknown>;
  return typeof Encoder === "function" && typeof Decoder === "function";
}

function resolveLimits(input: ServerOptions): Limits {
  const {
    maxNamespacesPerConnection = Infinity,
    maxDynamicNamespacesPerConnection = Infinity,
    maxRoomsPerSocket = Infinity,
    maxPendingAcksPerSocket = Infinity,
    eventRate,
  } = input;
  checkCount("maxNamespacesPerConnection", maxNamespacesPerConnection);
  checkCount("maxDynamicNamespacesPerConnection", maxDynamicNamespacesPerConnection);
  checkCount("maxRoomsPerSocket", maxRoomsPerSocket);
  checkCount("maxPendingAcksPerSocket", maxPendingAcksPerSocket);
  if (eventRate !== undefined) checkEventRate(eventRate);
  return {
    maxNamespacesPerConnection,
    maxDynamicNamespacesPerConnection,
    maxRoomsPerSocket,
    maxPendingAcksPerSocket,
    // One cast: the limiter hands its policy the sockets it was made for.
    eventRate: eventRate as EventRate | undefined,
  };
}

function checkEventRate(input: unknown): void {
  const isObject = typeof input === "object" && input !== null;
  if (!isObject) throw new OptionsError("eventRate", input, "an object");
  const { perSecond, burst, policy } = input as Readonly<Record<string, unknown>>;
  checkCount("eventRate.perSecond", perSecond);
  if (burst !== undefined) checkCount("eventRate.burst", burst);
  const isPolicy =
    policy === undefined ||
    policy === "drop" ||
    policy === "disconnect" ||
    typeof policy === "function";
  if (!isPolicy) {
    throw new OptionsError("eventRate.policy", policy, '"drop", "disconnect" or a function');
  }
}

function resolveRecovery(
  input: ConnectionStateRecoveryOptions | false | null | undefined,
): Required<ConnectionStateRecoveryOptions> | undefined {
  if (input === undefined || input === null || input === false) return undefined;
  if (typeof input !== "object") {
    throw new OptionsError("connectionStateRecovery", input, "an object");
  }
  const { skipMiddlewares = true, ...limits } = input;
  const { maxDisconnectionDuration, maxSessions, maxPackets, maxBytes } = {
    ...DEFAULT_LIMITS,
    ...limits,
  };
  checkDelay("connectionStateRecovery.maxDisconnectionDuration", maxDisconnectionDuration);
  checkBoolean("connectionStateRecovery.skipMiddlewares", skipMiddlewares);
  checkCount("connectionStateRecovery.maxSessions", maxSessions);
  checkCount("connectionStateRecovery.maxPackets", maxPackets);
  checkCount("connectionStateRecovery.maxBytes", maxBytes);
  return { maxDisconnectionDuration, skipMiddlewares, maxSessions, maxPackets, maxBytes };
}
