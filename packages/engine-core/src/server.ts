import { EventEmitter } from "node:events";
import { IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { codecV3, codecV4 } from "@jackfield/parser";
import createCors from "cors";
import createDebug from "debug";
import { admit, type AdmissionContext, type Admitted, type Refuse } from "./admission.js";
import { attach, type AttachOptions, type HttpServer } from "./attach.js";
import { systemClock } from "./clock.js";
import { destroyAfter } from "./bounded-close.js";
import type { PacketCodec } from "./codec.js";
import { HANDSHAKE_ERROR_MESSAGES, HANDSHAKE_ERRORS, type Refusal } from "./errors.js";
import { FlushQueue } from "./flush-queue.js";
import { HandshakeGate } from "./handshake-gate.js";
import { badRequest, judgeRequest } from "./handshake.js";
import { IdSource } from "./ids.js";
import { HeaderHooks } from "./headers.js";
import { runMiddlewares, UpgradeResponse, type Middleware } from "./middleware.js";
import { openFrame } from "./open-packet.js";
import { resolveOptions, type ResolvedOptions, type ServerOptions } from "./options.js";
import { answerRefusal, rejectUpgrade } from "./refuse.js";
import { hasQuery, queryOf } from "./request.js";
import type { Passage, ServerCounters, ServerDeps, ServerEvents, Upgrade } from "./server-types.js";
import { Session, type SessionContext, type SessionInit } from "./session.js";
import { SessionTable } from "./session-table.js";
import { dismiss, ignoreError } from "./stray-connection.js";
import { TimerWheel } from "./timer-wheel.js";
import { findUpgradeHeaders } from "./upgrade-headers.js";
import { jsonpFormat, plainFormat } from "./transports/polling-format.js";
import { PollingTransport } from "./transports/polling.js";
import type { TransportName } from "./transports/transport.js";
import { WebSocketTransport, type WebSocketLike } from "./transports/websocket.js";
import type { WebTransportSession, WebTransportTransport } from "./transports/webtransport.js";
import {
  acceptWebTransport,
  judgeWebTransport,
  requestOf,
  type WebTransportJudgeContext,
  type WebTransportRequest,
} from "./webtransport-handshake.js";
import { WebSocketAcceptor } from "./websocket-acceptor.js";
import { createWebSocketServer } from "./websocket-server.js";

const debug = createDebug("engine");

/** How long clients have to close their ends when the server closes, in ms. */
const CLOSE_GRACE = 2_000;

export type { ServerCounters, ServerDeps, ServerEvents } from "./server-types.js";

/**
 * An Engine.IO server: sessions over HTTP long-polling and WebSocket.
 *
 * It needs an HTTP server: call {@link attach}, or hand requests over with {@link handleRequest} and
 * {@link handleUpgrade}.
 */
export class Server extends EventEmitter<ServerEvents> {
  /** The codes of refusals, by name. */
  static readonly errors: typeof HANDSHAKE_ERRORS = HANDSHAKE_ERRORS;
  /** The texts of refusals, by code. */
  static readonly errorMessages: typeof HANDSHAKE_ERROR_MESSAGES = HANDSHAKE_ERROR_MESSAGES;
  readonly opts: ResolvedOptions;
  /** The HTTP server attached last. */
  httpServer: HttpServer | undefined;
  /** What happened so far, to be read by monitoring. */
  readonly counters: ServerCounters = { slowConsumers: 0, droppedMessages: 0, refusedByLimits: 0 };
  readonly #sessions = new SessionTable<Session>();
  readonly #gate: HandshakeGate;
  readonly #cors: Middleware | undefined;
  /** For HTTP requests: CORS, then the middlewares. */
  readonly #requestMiddlewares: Middleware[] = [];
  readonly #middlewares: Middleware[] = [];
  readonly #context: SessionContext;
  readonly #judgeContext: WebTransportJudgeContext;
  readonly #admission: AdmissionContext;
  readonly #acceptor: WebSocketAcceptor;
  readonly #headers: HeaderHooks;
  readonly #ids = new IdSource();

  /** @throws {OptionsError} ERR_OPTION_VALUE, for an option with a wrong value */
  constructor(options?: ServerOptions, deps: Partial<ServerDeps> = {}) {
    super();
    this.opts = resolveOptions(options);
    const clock = deps.clock ?? systemClock;
    this.#context = {
      server: this,
      clock,
      scheduler: deps.scheduler ?? new TimerWheel(clock),
      flushQueue: new FlushQueue(this),
      options: this.opts,
      counters: this.counters,
      upgrades: (transport) => this.upgrades(transport),
      onFlush: (session, packets) => {
        if (this.listenerCount("flush") > 0) this.emit("flush", session, [...packets]);
      },
      onDrain: (session) => {
        if (this.listenerCount("drain") > 0) this.emit("drain", session);
      },
      onClose: (session) => this.#forget(session),
      onHandlerError: (error, session) => this.#onHandlerError(error, session),
    };
    this.#gate = new HandshakeGate({
      options: this.opts,
      clock,
      clientsCount: () => this.#sessions.count,
      onHandlerError: (error) => this.#onHandlerError(error, undefined),
    });
    this.#admission = {
      options: this.opts,
      codecs: deps.codecs ?? (this.opts.allowEIO3 ? { 3: codecV3, 4: codecV4 } : { 4: codecV4 }),
      generateId: (req) => this.generateId(req),
      isTaken: (id) => this.#hasForeignIds && this.#sessions.get(id) !== undefined,
      onHandlerError: (error) => this.#onHandlerError(error, undefined),
    };
    this.#judgeContext = {
      transports: this.opts.transports,
      sessionOf: (sid) => this.#sessions.get(sid),
      middlewares: this.#middlewares,
      hasAllowRequest: this.opts.allowRequest !== undefined,
    };
    const { perMessageDeflate, maxHttpBufferSize, wsEngine } = this.opts;
    const websockets = createWebSocketServer(
      { perMessageDeflate, maxPayload: maxHttpBufferSize },
      wsEngine,
      this.#context.scheduler,
      this.#context.flushQueue,
    );
    this.#headers = new HeaderHooks(this, this.opts.cookie, (error) =>
      this.#onHandlerError(error, undefined),
    );
    this.#acceptor = new WebSocketAcceptor(websockets, this.#headers);
    if (this.opts.cors !== undefined) {
      // One cast: the types of `cors` do not tell its two forms apart.
      this.#cors = createCors(this.opts.cors as createCors.CorsOptions);
      this.#requestMiddlewares.push(this.#cors);
    }
  }

  /** The open sessions, by id. */
  get clients(): Record<string, Session> {
    return this.#sessions.record;
  }

  /** How many sessions are open. */
  get clientsCount(): number {
    return this.#sessions.count;
  }

  /** Whether {@link drain} was called: new sessions are refused. */
  get draining(): boolean {
    return this.#gate.draining;
  }

  /** What an HTTP request passes, in this order; that of the option `cors` is the first. */
  get middlewares(): readonly Middleware[] {
    return this.#requestMiddlewares;
  }

  /** The transports that a session on `transport` may upgrade to (behaviour 22). */
  upgrades(transport: string): TransportName[] {
    if (!this.opts.allowUpgrades || transport !== "polling") return [];
    return PollingTransport.upgradesTo.filter((name) => this.opts.transports.includes(name));
  }

  /** Adds a middleware, which sees every HTTP request and every WebSocket upgrade (behaviour 8). */
  use(middleware: Middleware): this {
    this.#requestMiddlewares.push(middleware);
    this.#middlewares.push(middleware);
    return this;
  }

  /**
   * Makes the id of a new session. Applications may replace the method; it may return a promise.
   * The id must not be in use.
   */
  generateId(_req: IncomingMessage): string | PromiseLike<string> {
    return this.#ids.next();
  }

  /** Serves the requests of an HTTP server that begin with the path of the options. */
  attach(httpServer: HttpServer, options?: AttachOptions): this {
    this.httpServer = httpServer;
    attach(this, httpServer, this.#context.clock, options);
    return this;
  }

  /**
   * Does what the option `cors` says for a request that somebody else answers, in `next`. A
   * preflight is answered here.
   */
  applyCors(req: IncomingMessage, res: ServerResponse, next: () => void): void {
    if (this.#cors === undefined) next();
    else runMiddlewares([this.#cors], req, res, next);
  }

  /** Serves one HTTP request. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    debug("%s %s", req.method, req.url);
    const refuse = (why: Refusal): void => {
      this.#refused(why, req);
      answerRefusal(why, res);
    };
    const closed = this.#gate.judgeRequest(req);
    if (closed !== undefined) {
      this.applyCors(req, res, () => refuse(closed));
      return;
    }
    this.#pass({ req, res, refuse, middlewares: this.#requestMiddlewares }, () => {
      const why = judgeRequest(req, false, this.#judgeContext);
      if (why !== undefined) refuse(why);
      else if (queryOf(req)["sid"]) this.#sessionOf(req)?.transport.onRequest?.(req, res);
      else this.#openPolling(req, res, refuse);
    });
    this.#gate.watchResponse(req, res);
  }

  /** Serves one WebSocket upgrade. `head` is what the client has sent behind the request. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isKnown = this.#isKnown(req);
    const headers = isKnown ? undefined : findUpgradeHeaders(req.rawHeaders);
    const upgrade: Upgrade = { req, socket, head, headers, isKnown };
    // Until a WebSocket listens: without a listener, an error of the socket would end the process.
    socket.on("error", ignoreError);
    const refuse = (why: Refusal): void => {
      this.#refused(why, req);
      rejectUpgrade(why, socket);
    };
    const closed = this.#gate.judgeUpgrade(req, queryOf(req)["sid"]);
    if (closed !== undefined) return refuse(closed);
    this.#passUpgrade(req, socket, refuse, () => {
      const why = judgeRequest(req, true, this.#judgeContext, headers);
      if (why !== undefined) refuse(why);
      else if (queryOf(req)["sid"]) this.#upgradeSession(upgrade);
      else this.#openWebSocket(upgrade, refuse);
    });
    this.#gate.watchUpgrade(req, socket);
  }

  /**
   * Serves one WebTransport session, of any implementation of the W3C interface (behaviour 70).
   *
   * @param request what the HTTP/3 server knows of the request. Without it, clients are refused if
   * the application has middlewares or an `allowRequest`, which could not be asked (behaviour 71)
   */
  onWebTransportSession(session: WebTransportSession, request?: WebTransportRequest): void {
    const { clock } = this.#context;
    const init = { codec: codecV4, clock, options: this.opts };
    acceptWebTransport(session, init, (transport, sid) => {
      const req = requestOf(request);
      const refuse = (why: Refusal): void => {
        this.#refused(why, req, request !== undefined);
        transport.destroy();
      };
      const why =
        judgeWebTransport(sid, request !== undefined, this.#judgeContext) ??
        this.#gate.judgeUpgrade(req, sid);
      if (why !== undefined) return refuse(why);
      this.#passUpgrade(req, transport, refuse, () => {
        const known = sid === undefined ? undefined : this.#sessions.get(sid);
        if (sid === undefined) this.#openWebTransport(req, transport, refuse);
        else if (known === undefined) transport.destroy();
        else known.probe(transport);
      });
      this.#gate.watchWebTransport(req, session, transport);
    });
  }

  /**
   * Refuses new sessions from now on, with status 503. Those that are open go on as before, upgrades
   * included; close them with `session.closeWithin(ms)`. There is no way back.
   */
  drain(): this {
    debug("draining");
    this.#gate.drain();
    return this;
  }

  /**
   * Closes every session. Waiting polls are answered, nobody else is waited for (behaviour 39).
   * Connections whose peers have not closed them two seconds later are cut.
   */
  close(): this {
    debug("closing all sessions");
    const sessions = this.#sessions.all();
    for (const session of sessions) session.close(true);
    destroyAfter(sessions, CLOSE_GRACE, this.#context.scheduler);
    return this;
  }

  // ── requests of known sessions ─────────────────────────────────────────────

  #upgradeSession(upgrade: Upgrade): void {
    const { req, socket } = upgrade;
    const sid = this.#sessionOf(req)?.id ?? "";
    this.#acceptor.accept(upgrade, undefined, (websocket) => {
      const session = this.#sessions.get(sid);
      const codec = session && this.#admission.codecs[session.protocol];
      // The session may have gone meanwhile; other transports do not come this way (behaviour 14).
      if (codec === undefined || queryOf(req)["transport"] !== "websocket") dismiss(websocket);
      else session?.probe(this.#webSocketTransport(req, websocket, socket, codec));
    });
  }

  #sessionOf(req: IncomingMessage): Session | undefined {
    const { sid } = queryOf(req);
    return typeof sid === "string" ? this.#sessions.get(sid) : undefined;
  }

  // ── handshakes ─────────────────────────────────────────────────────────────

  #openPolling(req: IncomingMessage, res: ServerResponse, refuse: Refuse): void {
    this.#admit(req, refuse, (id, codec) => {
      // The client may have left while the application was thinking.
      if (res.destroyed || req.socket.destroyed) return;
      const { j, b64 } = queryOf(req);
      const isJsonp = typeof j === "string";
      const transport = new PollingTransport({
        codec,
        supportsBinary: !isJsonp && !b64,
        format: isJsonp ? jsonpFormat(j) : plainFormat,
        httpCompression: this.opts.httpCompression,
        scheduler: this.#context.scheduler,
        maxHttpBufferSize: this.opts.maxHttpBufferSize,
        onHeaders: (headers, request) => this.#headers.addToResponse(headers, request, id),
      });
      const session = this.#openSession({ id, codec, transport, request: req });
      transport.onRequest(req, res);
      this.#announce(session);
    });
  }

  #openWebSocket(upgrade: Upgrade, refuse: Refuse): void {
    const { req, socket } = upgrade;
    this.#admit(req, refuse, (id, codec) => {
      this.#gate.handOver(req, socket);
      const greeting = this.#greeting(upgrade, id, codec);
      this.#acceptor.accept(upgrade, greeting, (websocket, isGreeted) => {
        // Others may have come while a foreign WebSocket server was thinking.
        const isFull = this.#gate.judgeRoom(req) !== undefined;
        if (isFull || queryOf(req)["transport"] !== "websocket") return dismiss(websocket);
        const transport = this.#webSocketTransport(req, websocket, socket, codec);
        const session = this.#openSession({ id, codec, transport, request: req }, isGreeted);
        this.#announce(session);
        if (!upgrade.isKnown) session.packRequest();
      });
    });
  }

  #openWebTransport(req: IncomingMessage, transport: WebTransportTransport, refuse: Refuse): void {
    this.#admit(req, refuse, (id, codec) =>
      this.#announce(this.#openSession({ id, codec, transport, request: req })),
    );
  }

  #admit(req: IncomingMessage, refuse: Refuse, admitted: Admitted): void {
    admit(req, this.#admission, refuse, (id, codec) => {
      const why = this.#gate.judgeRoom(req);
      if (why === undefined) this.#protect(refuse, () => admitted(id, codec));
      else refuse(why);
    });
  }

  #openSession({ id, codec, transport, request }: SessionInit, isGreeted = false): Session {
    // The place of the handshake becomes that of the session.
    this.#gate.release(request);
    const remoteAddress = this.#gate.addressOf(request);
    // Not by spreading, which takes 2 µs here.
    const session = new Session(this.#context, { id, codec, transport, request, remoteAddress });
    session.open(isGreeted);
    return session;
  }

  /** The peer has got the open packet: from here on the session is known (behaviour 21). */
  #announce(session: Session): void {
    if (session.readyState === "closed") return;
    debug("session %s opened", session.id);
    this.#sessions.add(session.id, session);
    this.#gate.enter(session.remoteAddress);
    try {
      this.emit("connection", session);
    } catch (error) {
      this.#onHandlerError(error, session);
    }
  }

  #forget(session: Session): void {
    if (this.#sessions.remove(session.id, session)) this.#gate.leave(session.remoteAddress);
  }

  // ── WebSocket connections ──────────────────────────────────────────────────

  /** Whether the application makes the ids. Ours are different from each other by themselves. */
  get #hasForeignIds(): boolean {
    return this.generateId !== Server.prototype.generateId;
  }

  /** Whether code of the application has seen the request, and may have put something on it. */
  #isKnown(req: IncomingMessage): boolean {
    return (
      hasQuery(req) ||
      !(req instanceof IncomingMessage) ||
      this.#middlewares.length > 0 ||
      this.opts.allowRequest !== undefined ||
      this.#hasForeignIds ||
      this.#headers.hasListeners ||
      this.httpServer?.listenerCount("upgrade") !== 1
    );
  }

  /** The open packet, if nobody looks at how it is sent. */
  #greeting({ req }: Upgrade, id: string, codec: PacketCodec): string | undefined {
    if (queryOf(req)["transport"] !== "websocket") return undefined;
    const isObserved = this.listenerCount("flush") + this.listenerCount("drain") > 0;
    return isObserved ? undefined : openFrame(id, this.opts, codec);
  }

  #webSocketTransport(
    req: IncomingMessage,
    websocket: WebSocketLike,
    stream: Duplex,
    codec: PacketCodec,
  ): WebSocketTransport {
    return new WebSocketTransport({
      websocket,
      stream,
      codec,
      supportsBinary: !queryOf(req)["b64"],
      batch: this.#context.flushQueue.batch,
    });
  }

  // ── middlewares, refusals, errors ──────────────────────────────────────────

  /** Runs the middlewares, then `proceed`: whatever of these throws refuses the request. */
  #pass({ req, res, refuse, middlewares }: Passage, proceed: () => void): void {
    if (middlewares.length === 0) {
      this.#protect(refuse, proceed);
      return;
    }
    // Middlewares read the parsed query of the request, those of the passport recipe for instance.
    queryOf(req);
    runMiddlewares(middlewares, req, res, (error) => {
      if (error === undefined) this.#protect(refuse, proceed);
      else refuse(badRequest("MIDDLEWARE_FAILURE", { error }));
    });
  }

  #passUpgrade(
    req: IncomingMessage,
    connection: { destroy(): unknown },
    refuse: Refuse,
    proceed: () => void,
  ): void {
    const middlewares = this.#middlewares;
    if (middlewares.length === 0) {
      this.#protect(refuse, proceed);
      return;
    }
    const response = new UpgradeResponse(connection);
    // One cast: a response that was never a real one (see UpgradeResponse).
    const res = response as unknown as ServerResponse;
    this.#pass({ req, res, refuse, middlewares }, () => {
      // Some middlewares add their headers when the head is written.
      response.writeHead();
      this.#headers.keep(req, response.headerEntries());
      proceed();
    });
  }

  /** @param isRequest whether `req` was given by the host, rather than made here */
  #refused(why: Refusal, req: IncomingMessage, isRequest = true): void {
    debug("refused: %s %o", why.message, why.context);
    this.#gate.release(req);
    if (why.status !== undefined) this.counters.refusedByLimits += 1;
    try {
      const { code, message, context } = why;
      this.emit("connection_error", { req: isRequest ? req : undefined, code, message, context });
    } catch (error) {
      this.#onHandlerError(error, undefined);
    }
  }

  /** Runs code of the application: what it throws refuses the request, and reaches the operator. */
  #protect(refuse: Refuse, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#onHandlerError(error, undefined);
      refuse(badRequest("HANDLER_FAILURE", { error }));
    }
  }

  #onHandlerError(error: unknown, session: Session | undefined): void {
    debug("a handler threw: %o", error);
    try {
      if (this.emit("handler_error", error, session)) return;
    } catch (secondError) {
      error = secondError;
    }
    process.emitWarning(error instanceof Error ? error : String(error), {
      code: "JACKFIELD_HANDLER_ERROR",
    });
  }
}
