import createDebug from "debug";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { defaultParser, wrapParser } from "@jackfield/parser";
import type { AdapterConstructor, Room, SocketId } from "./adapter/contract.js";
import { Adapter } from "./adapter/in-memory.js";
import { SessionAwareAdapter } from "./adapter/session-aware.js";
import type { AnyListener, HttpServerLike, NamespaceFunction } from "./api.js";
import type { BroadcastOperator } from "./broadcast-operator.js";
import { Client, type ClientDeps } from "./client.js";
import {
  type DrainableClient,
  drainClients,
  type DrainOptions,
  type DrainResult,
} from "./drain.js";
import { closeWithin, type EngineServer, type EngineSession } from "./engine-port.js";
import { dispatch } from "./events/dispatch.js";
import { LazyEmitter } from "./events/typed-emitter.js";
import { type ErrorReporter, HandlerErrors } from "./handler-error.js";
import { closeHttpServer, isAttachable, listenOn } from "./http-server.js";
import { isLimited, Limiter } from "./limits.js";
import type { Middleware } from "./middleware.js";
import type { Namespace } from "./namespace.js";
import { NamespaceRegistry } from "./namespace-registry.js";
import { checkAdapter, checkBoolean, checkDelay, checkPath } from "./option-checks.js";
import {
  DEFAULT_PATH,
  type ResolvedOptions,
  resolveOptions,
  type ServerOptions,
} from "./options.js";
import type { PacketEncoder, PacketParser } from "./parser-port.js";
import type { Socket, SocketClient } from "./socket.js";
import type { Clock, Wheel } from "./timers.js";

const debug = createDebug("socket.io:server");

/** What a server is made of. */
export interface ServerDeps {
  readonly clock: Clock;
  readonly wheel: Wheel;
  /** Makes the engine for an HTTP server. */
  createEngine(options: object): EngineServer;
  /** Makes the id of a socket, which others cannot guess. */
  generateId(): SocketId;
  /** Makes what serves the files of the client. */
  createClientFiles(options: { readonly path: string }): ClientFileServer;
}

/** Serves the files of the client. */
export interface ClientFileServer {
  /** Whether the request is for such a file. */
  has(req: IncomingMessage): boolean;
  /** `true` when the request was for such a file and has been answered. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
}

type EventName = string | symbol;
type EmitArguments = [event: EventName, ...args: unknown[]];

/** The Socket.IO server. What it does as an emitter and broadcaster, its namespace `/` does. */
export class Server extends LazyEmitter {
  readonly opts: ResolvedOptions;
  readonly encoder: PacketEncoder;
  engine: EngineServer | undefined;
  httpServer: HttpServerLike | undefined;
  readonly #deps: ServerDeps;
  readonly #input: ServerOptions;
  readonly #errors: ErrorReporter;
  readonly #limiter: Limiter | undefined;
  readonly #registry: NamespaceRegistry;
  readonly #clientDeps: ClientDeps;
  readonly #engines = new Set<EngineServer>();
  readonly #httpServers = new Set<HttpServerLike>();
  /** Those of them that the server has made for a port. */
  readonly #ownHttpServers = new Set<HttpServerLike>();
  #draining: Promise<DrainResult> | undefined;
  #isDrained = false;
  #path: string | undefined;
  #serveClient: boolean;
  #connectTimeout: number;
  #adapter: AdapterConstructor;

  /** @throws {OptionsError} ERR_OPTION_VALUE, for an option with a wrong value */
  constructor(
    target: HttpServerLike | number | string | ServerOptions | undefined,
    options: ServerOptions | undefined,
    deps: ServerDeps,
  ) {
    super();
    const isTarget = isAttachable(target);
    this.#input = { ...(isTarget ? options : (target ?? options)) };
    this.#deps = deps;
    this.opts = resolveOptions(this.#input);
    this.#path = this.opts.path?.replace(/\/$/, "");
    this.#serveClient = this.opts.serveClient;
    this.#connectTimeout = this.opts.connectTimeout;
    const isRecovering = this.opts.connectionStateRecovery !== undefined;
    this.#adapter = this.opts.adapter ?? (isRecovering ? SessionAwareAdapter : Adapter);
    const parser: PacketParser =
      this.opts.parser === undefined ? defaultParser() : wrapParser(this.opts.parser);
    this.encoder = parser.createEncoder();
    this.#errors = new HandlerErrors(() => this.#mainOrNone());
    this.#limiter = this.#makeLimiter();
    this.#registry = new NamespaceRegistry(
      {
        server: this,
        clock: deps.clock,
        errors: this.#errors,
        limiter: this.#limiter,
        generateId: () => deps.generateId(),
      },
      this.opts,
    );
    this.#clientDeps = this.#makeClientDeps(parser);
    if (isTarget) this.attach(target);
  }

  /** The namespace `/`. */
  get sockets(): Namespace {
    return this.#registry.main;
  }

  /** The namespaces by name. Read by the admin UI. */
  get _nsps(): Map<string, Namespace> {
    return this.#registry.namespaces;
  }

  /** The engine, by the name that some packages know it by. */
  get eio(): EngineServer | undefined {
    return this.engine;
  }

  path(): string;
  path(path: string): this;
  path(path?: string): this | string {
    if (path === undefined) return this.#path ?? DEFAULT_PATH;
    checkPath(path);
    this.#path = path.replace(/\/$/, "");
    return this;
  }

  serveClient(): boolean;
  serveClient(serve: boolean): this;
  serveClient(serve?: boolean): this | boolean {
    if (serve === undefined) return this.#serveClient;
    this.#serveClient = checkBoolean("serveClient", serve);
    return this;
  }

  connectTimeout(): number;
  connectTimeout(ms: number): this;
  connectTimeout(ms?: number): this | number {
    if (ms === undefined) return this.#connectTimeout;
    checkDelay("connectTimeout", ms);
    this.#connectTimeout = ms;
    return this;
  }

  adapter(): AdapterConstructor;
  adapter(adapter: AdapterConstructor): this;
  adapter(adapter?: AdapterConstructor): this | AdapterConstructor {
    if (adapter === undefined) return this.#adapter;
    checkAdapter(adapter);
    this.#adapter = adapter;
    for (const nsp of this.#registry.namespaces.values()) nsp.renewAdapter();
    return this;
  }

  /** The same as {@link Server.attach}. */
  listen(target: HttpServerLike | number | string, options?: ServerOptions): this {
    return this.attach(target, options);
  }

  /** Attaches to an HTTP server, or to a new one that listens on the port. */
  attach(target: HttpServerLike | number | string, options?: ServerOptions): this {
    if (typeof target === "function") {
      throw new Error(
        "You are trying to attach socket.io to an express request handler function. " +
          "Please pass a http.Server instance.",
      );
    }
    const path = this.#path ?? options?.path?.replace(/\/$/, "") ?? DEFAULT_PATH;
    const engineOptions = { ...options, ...this.#input, path };
    const engine = this.#deps.createEngine(engineOptions);
    const httpServer = typeof target === "object" ? target : listenOn(Number(target));
    engine.attach?.(httpServer as HttpServer, engineOptions);
    if (this.#serveClient) this.#serveClientFiles(engine, httpServer as HttpServer, path);
    this.#httpServers.add(httpServer);
    if (httpServer !== target) this.#ownHttpServers.add(httpServer);
    this.httpServer = httpServer;
    return this.bind(engine);
  }

  /** Takes the sessions of an engine that somebody else has made. */
  bind(engine: EngineServer): this {
    this.engine = engine;
    this.#engines.add(engine);
    engine.on("connection", (session) => this.onconnection(session));
    return this;
  }

  /** Takes one session of an engine. */
  onconnection(session: EngineSession): this {
    if (debug.enabled) debug("incoming connection with id %s", session.id);
    void new Client(session, this.#clientDeps);
    return this;
  }

  /** The namespace of this name, or those that a pattern or a function admits. */
  of(name: string | RegExp | NamespaceFunction, listener?: AnyListener): Namespace {
    return this.#registry.of(name, listener);
  }

  /** Whether the server has begun to let its clients go, and takes no new ones. */
  get draining(): boolean {
    return this.#draining !== undefined;
  }

  /**
   * Lets the clients go elsewhere, without losing anything: new handshakes are refused with status
   * 503; then, in batches, what the clients and the server owe each other in acknowledgements is
   * waited for, what waits is sent, and the connections end without a DISCONNECT packet, so that the
   * clients reconnect, and may recover their sessions. In the end the adapters and engines are
   * closed. HTTP servers that the application has made are left alone.
   *
   * The reason of the disconnections is `server shutting down`. A second call returns the same
   * promise.
   *
   * @throws {OptionsError} ERR_OPTION_VALUE, as a rejection
   */
  drain(options: DrainOptions = {}): Promise<DrainResult> {
    this.#draining ??= this.#drain(options);
    return this.#draining;
  }

  /**
   * Disconnects all sockets, then closes the adapters, the engines and all HTTP servers the server
   * was attached to. Never rejects; `callback` gets the error of an HTTP server that did not run.
   */
  async close(callback?: (error?: Error) => void): Promise<void> {
    for (const nsp of this.#registry.namespaces.values()) {
      for (const socket of nsp.sockets.values()) socket._onclose("server shutting down");
    }
    if (!this.#isDrained) await this.#closeParts();
    const errors = await Promise.all(
      [...this.#httpServers].map((server) => closeHttpServer(server, this.#deps.clock)),
    );
    try {
      callback?.(errors.find((error) => error !== undefined));
    } catch (error) {
      this.#errors.report(error, { source: "listener" });
    }
  }

  use(fn: Middleware<Socket>): this {
    this.sockets.use(fn);
    return this;
  }

  to(room: Room | Room[]): BroadcastOperator {
    return this.sockets.to(room);
  }

  in(room: Room | Room[]): BroadcastOperator {
    return this.sockets.in(room);
  }

  except(room: Room | Room[]): BroadcastOperator {
    return this.sockets.except(room);
  }

  compress(compress: boolean): BroadcastOperator {
    return this.sockets.compress(compress);
  }

  get volatile(): BroadcastOperator {
    return this.sockets.volatile;
  }

  get local(): BroadcastOperator {
    return this.sockets.local;
  }

  timeout(ms: number): BroadcastOperator {
    return this.sockets.timeout(ms);
  }

  send(...args: unknown[]): this {
    this.sockets.send(...args);
    return this;
  }

  write(...args: unknown[]): this {
    this.sockets.write(...args);
    return this;
  }

  serverSideEmit(...data: EmitArguments): boolean {
    return this.sockets.serverSideEmit(...data);
  }

  serverSideEmitWithAck(...data: EmitArguments): Promise<unknown> {
    return this.sockets.serverSideEmitWithAck(...data);
  }

  /** @deprecated Use {@link Server.fetchSockets}. */
  allSockets(): Promise<Set<SocketId>> {
    return this.sockets.allSockets();
  }

  fetchSockets(): Promise<unknown[]> {
    return this.sockets.fetchSockets();
  }

  socketsJoin(room: Room | Room[]): void {
    this.sockets.socketsJoin(room);
  }

  socketsLeave(room: Room | Room[]): void {
    this.sockets.socketsLeave(room);
  }

  disconnectSockets(close = false): void {
    this.sockets.disconnectSockets(close);
  }

  override emit(...data: EmitArguments): boolean {
    return this.sockets.emit(...data);
  }

  override on(event: EventName, listener: AnyListener): this {
    this.sockets.on(event, listener);
    return this;
  }

  override addListener(event: EventName, listener: AnyListener): this {
    return this.on(event, listener);
  }

  override once(event: EventName, listener: AnyListener): this {
    this.sockets.once(event, listener);
    return this;
  }

  override prependListener(event: EventName, listener: AnyListener): this {
    this.sockets.prependListener(event, listener);
    return this;
  }

  override prependOnceListener(event: EventName, listener: AnyListener): this {
    this.sockets.prependOnceListener(event, listener);
    return this;
  }

  override off(event: EventName, listener: AnyListener): this {
    this.sockets.off(event, listener);
    return this;
  }

  override removeListener(event: EventName, listener: AnyListener): this {
    return this.off(event, listener);
  }

  override removeAllListeners(...event: [event?: EventName]): this {
    // With `undefined` as argument Node would remove nothing.
    this.sockets.removeAllListeners(...event);
    return this;
  }

  override listeners(event: EventName): AnyListener[] {
    return this.sockets.listeners(event) as AnyListener[];
  }

  override rawListeners(event: EventName): AnyListener[] {
    return this.sockets.rawListeners(event) as AnyListener[];
  }

  override listenerCount(event: EventName, listener?: AnyListener): number {
    return this.sockets.listenerCount(event, listener);
  }

  override eventNames(): EventName[] {
    return this.sockets.eventNames();
  }

  override setMaxListeners(count: number): this {
    this.sockets.setMaxListeners(count);
    return this;
  }

  override getMaxListeners(): number {
    return this.sockets.getMaxListeners();
  }

  async #drain(options: DrainOptions): Promise<DrainResult> {
    const { clock } = this.#deps;
    for (const engine of this.#engines) engine.drain?.();
    const result = await drainClients(this.#drainableClients(), options, {
      clock,
      random: () => Math.random(),
    });
    await this.#closeParts();
    this.#isDrained = true;
    await Promise.all([...this.#ownHttpServers].map((server) => closeHttpServer(server, clock)));
    return result;
  }

  /** Those with sockets, and sessions of our engines that have joined no namespace. */
  #drainableClients(): DrainableClient[] {
    const clients = new Set<SocketClient>();
    for (const { sockets, _preConnectSockets } of this.#registry.namespaces.values()) {
      for (const { client } of [...sockets.values(), ..._preConnectSockets.values()]) {
        clients.add(client);
      }
    }
    const known = new Set([...clients].map(({ conn }) => conn));
    const sessions = [...this.#engines].flatMap(({ clients: all }) => Object.values(all ?? {}));
    const others = sessions
      .filter((session) => !known.has(session))
      .map((session) => ({ pendingAcks: 0, release: (ms: number) => closeWithin(session, ms) }));
    return [...clients, ...others];
  }

  async #closeParts(): Promise<void> {
    const namespaces = [...this.#registry.namespaces.values()];
    await Promise.allSettled(namespaces.map(async (nsp) => nsp.adapter.close()));
    for (const engine of this.#engines) engine.close();
  }

  /** Errors may be reported while the namespace `/` is being made. */
  #mainOrNone(): Namespace | undefined {
    const registry: NamespaceRegistry | undefined = this.#registry;
    return registry?.main;
  }

  #makeLimiter(): Limiter | undefined {
    if (!isLimited(this.opts)) return undefined;
    return new Limiter(this.opts, {
      clock: this.#deps.clock,
      onExceeded: (error, scope) => {
        debug("%s in %s", error.message, scope.nsp);
        dispatch(this.sockets, "limit_exceeded", [error, scope], "listener");
      },
      onPolicyError: (error, { nsp }) =>
        this.#errors.report(error, { source: "limit policy", nsp }),
    });
  }

  #makeClientDeps(parser: PacketParser): ClientDeps {
    const registry = this.#registry;
    const currentTimeout = (): number => this.#connectTimeout;
    return {
      encoder: this.encoder,
      wheel: this.#deps.wheel,
      namespaces: registry.namespaces,
      get connectTimeout() {
        return currentTimeout();
      },
      errors: this.#errors,
      limiter: this.#limiter,
      createDecoder: () => parser.createDecoder(),
      findNamespace: (name, auth, onFound) => registry.find(name, auth, onFound),
    };
  }

  #serveClientFiles(engine: EngineServer, httpServer: HttpServer, path: string): void {
    const files = this.#deps.createClientFiles({ path });
    const others = httpServer.listeners("request");
    httpServer.removeAllListeners("request");
    httpServer.on("request", (req: IncomingMessage, res: ServerResponse) => {
      if (!files.has(req)) {
        for (const listener of others) Reflect.apply(listener, httpServer, [req, res]);
      } else if (engine.applyCors === undefined) {
        files.handle(req, res);
      } else {
        engine.applyCors(req, res, () => files.handle(req, res));
      }
    });
  }
}
