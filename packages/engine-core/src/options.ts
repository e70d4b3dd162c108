import type { IncomingMessage } from "node:http";
import type { CorsOptions, CorsOptionsDelegate } from "cors";
import type { PerMessageDeflateOptions } from "ws";
import { compileTrust, type TrustProxy } from "./client-address.js";
import type { RawData } from "./codec.js";
import type { CookieOptions } from "./cookies.js";
import { OptionsError } from "./errors.js";
import type { HandshakeRate } from "./handshake-rate.js";
import { compileOrigins, type AllowedOrigins } from "./origins.js";
import { DEFAULT_MAX_BUFFERED_BYTES, type SlowConsumerPolicy } from "./slow-consumer.js";
import type { WsEngine } from "./websocket-server.js";
import type { HttpCompressionOptions } from "./transports/compression.js";
import type { TransportName } from "./transports/transport.js";

/**
 * Decides whether a client may connect (behaviour 6): by its callback, or by returning a boolean or
 * a promise of one. It is asked for handshakes only, not for later requests of a session.
 * `callback(message, false)` refuses with code 4 and the message, a rejected promise with code 4.
 * Whatever else is returned means nothing.
 */
export type AllowRequest =
  | ((req: IncomingMessage, callback: AllowRequestCallback) => void)
  | ((
      req: IncomingMessage,
      callback: AllowRequestCallback,
    ) => boolean | PromiseLike<void | boolean>);

type AllowRequestCallback = (error: unknown, success?: boolean) => void;

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
  /** A class with the interface of `WebSocketServer` of `ws`. Default: our own. */
  wsEngine?: WsEngine | undefined;
  /** Options of the `cors` package, or a function that picks them. Default: no CORS headers. */
  cors?: CorsOptions | CorsOptionsDelegate;
  /**
   * Bytes that may wait for one client: in the write buffer, in the transport and in the stream.
   * Each packet counts 64 bytes more than its data. What is done with a message that would take a
   * session over it, says `slowConsumer`. A single message that is larger is sent only when nearly
   * nothing waits before it. Default 16777216 (16 MiB), from 1 on; `Infinity` is no bound.
   */
  maxBufferedBytes?: number;
  /**
   * What becomes of a client for which more than `maxBufferedBytes` would wait:
   * - `"disconnect"`: its session is closed at once, and what waits is dropped. The reason is
   *   `transport error`, the description a `SlowConsumerError` with code `"ERR_SLOW_CONSUMER"`.
   * - `"drop-volatile"`: volatile packets, which are else dropped when anything waits, wait as well,
   *   up to a sixteenth of the bound (at most 1 MiB). At the bound, the client is disconnected.
   * - a function `(session, { bufferedBytes, messageBytes, maxBufferedBytes })` that is asked for each
   *   message too many, and returns `"disconnect"`, `"drop"` or `"keep"`. Beyond twice the bound it is
   *   not asked, and the client is disconnected. Mind that Socket.IO sends an event with binary data
   *   as several messages, of which none may be dropped alone.
   *
   * Default `"disconnect"`.
   */
  slowConsumer?: SlowConsumerPolicy;
  /**
   * Sessions that may be open at a time, and handshakes that wait for the application; further
   * handshakes get status 503. Default `Infinity`.
   */
  maxConnections?: number;
  /**
   * Sessions that one address may have open at a time, handshakes that wait included; further ones
   * get status 429. Of IPv6, the network of 64 bits counts. See `trustProxy` for servers behind a proxy. Default `Infinity`.
   */
  maxConnectionsPerAddress?: number;
  /**
   * Which proxies are believed when they say, in `X-Forwarded-For`, where a request comes from. The
   * address found is that of the quotas and of `session.remoteAddress`. Default `false`: none.
   */
  trustProxy?: TrustProxy;
  /**
   * How many handshakes one address may make: `perSecond` in the long run, `burst` at once. Those
   * above get status 429. Default `false`: any number.
   */
  handshakeRate?: HandshakeRate | false;
  /**
   * The origins whose pages may open a session, or upgrade one, over any transport; others get status
   * 403, and 400 for an upgrade. Unlike `cors`, it holds for WebSocket, too. Clients that send no
   * origin are no browsers, and may connect. Default: all origins.
   */
  allowedOrigins?: AllowedOrigins | undefined;
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
  maxBufferedBytes: number;
  slowConsumer: SlowConsumerPolicy;
  maxConnections: number;
  maxConnectionsPerAddress: number;
  trustProxy: TrustProxy;
  handshakeRate: HandshakeRate | false;
  allowedOrigins: AllowedOrigins | undefined;
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
  maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
  slowConsumer: "disconnect",
  maxConnections: Infinity,
  maxConnectionsPerAddress: Infinity,
  trustProxy: false,
  handshakeRate: false,
  allowedOrigins: undefined,
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
  checkLimits(options);
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

function checkLimits(options: Readonly<Record<string, unknown>>): void {
  const { maxBufferedBytes, slowConsumer, handshakeRate } = options;
  check("maxBufferedBytes", maxBufferedBytes, isSize, "a number of bytes, 1 or more");
  check("slowConsumer", slowConsumer, isPolicy, '"disconnect", "drop-volatile" or a function');
  for (const name of ["maxConnections", "maxConnectionsPerAddress"]) {
    check(name, options[name], isSize, "a number of connections, 1 or more");
  }
  check("handshakeRate", handshakeRate, isRate, "false or { perSecond, burst }");
  compileTrust(options["trustProxy"]);
  compileOrigins(options["allowedOrigins"]);
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

function isPolicy(value: unknown): boolean {
  return value === "disconnect" || value === "drop-volatile" || typeof value === "function";
}

function isRate(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === false;
  const { perSecond, burst } = value as Partial<HandshakeRate>;
  return typeof perSecond === "number" && perSecond > 0 && perSecond < Infinity && isSize(burst);
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
