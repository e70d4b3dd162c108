import type { IncomingMessage } from "node:http";
import type { CorsOptions, CorsOptionsDelegate } from "cors";
import type { PerMessageDeflateOptions } from "ws";
import type { RawData } from "./codec.js";
import type { CookieOptions } from "./cookies.js";
import { OptionsError } from "./errors.js";
import type { WsEngine } from "./websocket-server.js";
import type { HttpCompressionOptions } from "./transports/compression.js";
import type { TransportName } from "./transports/transport.js";

/**
 * Decides whether a client may connect (behaviour 6): by its callback, or by returning a boolean or
 * a promise of one. It is asked for handshakes only, not for later requests of a session.
 * `callback(message, false)` refuses with code 4 and the message, a rejected promise with code 4.
 */
export type AllowRequest = (
  req: IncomingMessage,
  callback: (error: unknown, success?: boolean) => void,
) => void | boolean | PromiseLike<void | boolean>;

/** The options of an Engine.IO server. All have defaults. */
export interface ServerOptions {
  /** How long a client may take to answer a ping, in ms. Default 20000. */
  pingTimeout?: number;
  /** Time between two pings, in ms. Default 25000. */
  pingInterval?: number;
  /** How long an upgrade may take before it is given up, in ms. Default 10000. */
  upgradeTimeout?: number;
  /**
   * Bytes that one message over WebSocket, or the body of one POST, may have. Default 1e6. The
   * client is told, and cuts its payloads accordingly (behaviour 142).
   */
  maxHttpBufferSize?: number;
  /** Default: everybody may connect. */
  allowRequest?: AllowRequest;
  /** The transports that clients may use. Default `["polling", "websocket"]`. */
  transports?: TransportName[];
  /** Whether clients may change from polling to a better transport. Default `true`. */
  allowUpgrades?: boolean;
  /** A message for each client, sent with the handshake. Default: none. */
  initialPacket?: RawData | undefined;
  /** A cookie with the session id, set by the polling handshake. Default `false`. */
  cookie?: CookieOptions | boolean;
  /** Whether clients of protocol 3, those of Socket.IO 1 and 2, may connect. Default `false`. */
  allowEIO3?: boolean;
  /**
   * Compression of WebSocket messages, `true` or the options of `ws`. It costs a lot of memory per
   * connection. Default `false`; messages below `threshold` bytes (default 1024) are left alone.
   */
  perMessageDeflate?: PerMessageDeflateOptions | boolean;
  /** Compression of HTTP responses. Default `{ threshold: 1024 }`; `false` for none. */
  httpCompression?: HttpCompressionOptions | boolean;
  /** A class with the interface of `WebSocketServer` of `ws`. Default: that one. */
  wsEngine?: WsEngine | undefined;
  /** Options of the `cors` package, or a function that picks them. Default: no CORS headers. */
  cors?: CorsOptions | CorsOptionsDelegate;
}

/** The options after defaults: what `server.opts` holds. */
export interface ResolvedOptions {
  pingTimeout: number;
  pingInterval: number;
  upgradeTimeout: number;
  maxHttpBufferSize: number;
  allowRequest: AllowRequest | undefined;
  transports: TransportName[];
  allowUpgrades: boolean;
  initialPacket: RawData | undefined;
  cookie: CookieOptions | false;
  cors: CorsOptions | CorsOptionsDelegate | undefined;
  allowEIO3: boolean;
  perMessageDeflate: PerMessageDeflateOptions | false;
  httpCompression: (HttpCompressionOptions & { threshold: number }) | false;
  wsEngine: WsEngine | undefined;
}

const TRANSPORTS: readonly string[] = [
  "polling",
  "websocket",
  "webtransport",
] satisfies TransportName[];

/** Bytes from which on compression is worth its time. */
const COMPRESSION_THRESHOLD = 1024;

const DEFAULTS: Readonly<ResolvedOptions> = {
  pingTimeout: 20_000,
  pingInterval: 25_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1e6,
  allowRequest: undefined,
  transports: ["polling", "websocket"],
  allowUpgrades: true,
  initialPacket: undefined,
  cookie: false,
  cors: undefined,
  allowEIO3: false,
  perMessageDeflate: false,
  httpCompression: { threshold: COMPRESSION_THRESHOLD },
  wsEngine: undefined,
};

/**
 * Copies the options, fills in the defaults and checks every value.
 *
 * @throws {OptionsError} ERR_OPTION_VALUE, for the first value that is not accepted
 */
export function resolveOptions(input: ServerOptions = {}): ResolvedOptions {
  const given = Object.entries(input).filter(
    ([name, value]) => value !== undefined && Object.hasOwn(DEFAULTS, name),
  );
  const options: Record<string, unknown> = { ...DEFAULTS, ...Object.fromEntries(given) };
  for (const name of ["pingTimeout", "pingInterval", "upgradeTimeout"]) {
    check(name, options[name], isDuration, "a number of milliseconds from 0 to 2147483647");
  }
  check("maxHttpBufferSize", options["maxHttpBufferSize"], isSize, "a number of bytes, 1 or more");
  check("transports", options["transports"], isTransportList, `a list of ${TRANSPORTS.join(", ")}`);
  check("allowUpgrades", options["allowUpgrades"], isBoolean, "true or false");
  check("allowRequest", options["allowRequest"], isOptionalFunction, "a function");
  check("initialPacket", options["initialPacket"], isOptionalData, "a string or a Buffer");
  check("cookie", options["cookie"], isSwitch, "an object, true or false");
  check("cors", options["cors"], isCors, "an object or a function");
  check("allowEIO3", options["allowEIO3"], isBoolean, "true or false");
  check("perMessageDeflate", options["perMessageDeflate"], isSwitch, "an object, true or false");
  check("httpCompression", options["httpCompression"], isSwitch, "an object, true or false");
  check("wsEngine", options["wsEngine"], isOptionalFunction, "a class");
  if (options["cookie"] === true) options["cookie"] = {};
  for (const name of ["perMessageDeflate", "httpCompression"]) {
    const value = options[name];
    if (value === false) continue;
    options[name] = {
      threshold: COMPRESSION_THRESHOLD,
      ...(typeof value === "object" ? value : {}),
    };
  }
  if (options["cors"] === false) options["cors"] = undefined;
  options["transports"] = [...(options["transports"] as TransportName[])];
  return options as unknown as ResolvedOptions;
}

function check(
  name: string,
  value: unknown,
  isAccepted: (value: unknown) => boolean,
  accepted: string,
): void {
  if (!isAccepted(value)) throw new OptionsError(name, value, accepted);
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 2_147_483_647;
}

function isSize(value: unknown): boolean {
  return typeof value === "number" && value >= 1;
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function isOptionalFunction(value: unknown): boolean {
  return value === undefined || typeof value === "function";
}

function isOptionalData(value: unknown): boolean {
  return value === undefined || typeof value === "string" || Buffer.isBuffer(value);
}

function isTransportList(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => TRANSPORTS.includes(name));
}

function isSwitch(value: unknown): boolean {
  return isBoolean(value) || (typeof value === "object" && value !== null);
}

function isCors(value: unknown): boolean {
  return (
    value === undefined ||
    value === false ||
    typeof value === "function" ||
    (typeof value === "object" && value !== null)
  );
}
