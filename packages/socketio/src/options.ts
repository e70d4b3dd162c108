import type { AttachOptions, ServerOptions as EngineOptions } from "@jackfield/engine-core";
import type { LegacyParserModule } from "@jackfield/parser";
import type { AdapterConstructor } from "./adapter/contract.js";
import { DEFAULT_LIMITS } from "./adapter/session-aware.js";
import { OptionsError } from "./errors.js";

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
export interface ResolvedOptions {
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

const MAX_DELAY = 2_147_483_647;

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
    pingInterval: input.pingInterval,
    pingTimeout: input.pingTimeout,
  };
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it is a string */
export function checkPath(path: unknown): void {
  if (typeof path !== "string") throw new OptionsError("path", path, "a string");
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it can make an adapter */
export function checkAdapter(adapter: unknown): void {
  if (typeof adapter !== "function") {
    throw new OptionsError("adapter", adapter, "a class or a function");
  }
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless a timer can wait so long */
export function checkDelay(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_DELAY)) {
    throw new OptionsError(name, value, `a number of milliseconds from 0 to ${MAX_DELAY}`);
  }
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it is `true` or `false` */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new OptionsError(name, value, "true or false");
  return value;
}

function checkCount(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0)) {
    throw new OptionsError(name, value, "a number that is not negative");
  }
}

function isParser(parser: unknown): boolean {
  if (typeof parser !== "object" && typeof parser !== "function") return false;
  const { Encoder, Decoder } = (parser ?? {}) as Record<string, unknown>;
  return typeof Encoder === "function" && typeof Decoder === "function";
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
