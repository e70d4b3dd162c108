import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import { PacketType, type SocketPacket } from "@jackfield/parser";
import type { BroadcastFlags, ClientWriteOptions, Session, SocketId } from "./adapter/contract.js";
import type { DisconnectReason } from "./disconnect-reason.js";
import { closeWithin, type EngineSession, type EngineSink } from "./engine-port.js";
import { type ErrorReporter, isThenable } from "./handler-error.js";
import type { Limiter } from "./limits.js";
import type { Namespace } from "./namespace.js";
import type { PacketDecoder, PacketEncoder, RawData } from "./parser-port.js";
import { isLegacy, parseLegacyNamespace } from "./protocol-v4.js";
import type { Socket, SocketClient } from "./socket.js";
import type { Timer, Wheel } from "./timers.js";

const debug = createDebug("socket.io:client");

/** What a client needs of the server. */
export interface ClientDeps {
  readonly encoder: PacketEncoder;
  readonly wheel: Wheel;
  readonly errors: ErrorReporter;
  /** Absent when nothing is limited. */
  readonly limiter: Limiter | undefined;
  /** Milliseconds a connection may last without a namespace. */
  readonly connectTimeout: number;
  createDecoder(): PacketDecoder;
  /** The namespaces there are. */
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** Finds the namespace that the client asks for, or makes it. */
  findNamespace(
    name: string,
    auth: Record<string, unknown>,
    onFound: (namespace: Namespace | undefined) => void,
  ): void;
}

/** `closing` when the connection is being closed and what still arrives does not count. */
type ClientState = "open" | "closing" | "closed";

/**
 * One connection: passes packets between the session of the engine and the sockets, one per
 * namespace. Nearly all clients join one namespace, so the first socket needs no map.
 */
export class Client implements EngineSink, SocketClient {
  readonly conn: EngineSession;
  readonly #deps: ClientDeps;
  readonly #decoder: PacketDecoder;
  #state: ClientState = "open";
  #first: Socket | undefined;
  #others: Map<string, Socket> | undefined;
  /** The namespaces that have not decided yet, with the socket if it exists already (FIX 80). */
  #pending: Map<string, Socket | undefined> | undefined;
  #connectTimer: Timer | undefined;

  constructor(conn: EngineSession, deps: ClientDeps) {
    this.conn = conn;
    this.#deps = deps;
    this.#decoder = deps.createDecoder();
    this.#connectTimer = deps.wheel.after(deps.connectTimeout, this);
    this.#listen();
    // Clients of Socket.IO 1 and 2 are in the namespace "/" without asking (S15, Z4).
    if (isLegacy(conn)) this.#onPacket({ type: PacketType.CONNECT, nsp: "/" });
  }

  get request(): IncomingMessage {
    return this.conn.request;
  }

  /** The id of the session: confidential. */
  get id(): string {
    return this.conn.id;
  }

  /** The connected sockets by id. */
  get sockets(): Map<SocketId, Socket> {
    return new Map(this.#all().map((socket) => [socket.id, socket]));
  }

  /** The connected sockets by namespace. */
  get nsps(): Map<string, Socket> {
    return new Map(this.#all().map((socket) => [socket.nsp.name, socket]));
  }

  /** The time to join a namespace is over (behaviour 73). */
  expire(): void {
    if (this.#first === undefined) {
      debug("no namespace joined yet, closing the connection");
      this.close();
    }
  }

  /** A message has arrived. */
  onMessage(data: RawData): void {
    if (this.#state !== "open") return;
    let packet: SocketPacket | undefined;
    try {
      packet = this.#decoder.push(data);
    } catch (error) {
      this.#onError(error);
      return;
    }
    if (packet !== undefined) this.#onPacket(packet);
  }

  /** The session is closed. */
  onClose(reason: string, description?: unknown): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (debug.enabled) debug("connection closed: %s", reason);
    this.#stopConnectTimer();
    this.#decoder.destroy();
    const pending = this.#pending;
    this.#pending = undefined;
    for (const socket of pending?.values() ?? []) socket?.abandon();
    for (const socket of this.#all()) socket._onclose(reason as DisconnectReason, description);
  }

  /** Closes the connection. */
  close(): void {
    this.#beClosing();
    if (this.conn.readyState !== "open") return;
    this.conn.close();
    // The session may have something to send first, and is closed later; the sockets are not.
    this.onClose("forced server close");
  }

  get pendingAcks(): number {
    return this.#all().reduce((total, { pendingAcks }) => total + pendingAcks, 0);
  }

  release(ms: number): Promise<boolean> {
    this.onClose("server shutting down");
    return closeWithin(this.conn, ms);
  }

  disconnectAll(): void {
    for (const socket of this.#all()) socket.disconnect();
    this.close();
  }

  addSocket(socket: Socket): void {
    this.#forget(socket.nsp.name);
    this.#stopConnectTimer();
    if (this.#first === undefined) this.#first = socket;
    else {
      this.#others ??= new Map();
      this.#others.set(socket.nsp.name, socket);
    }
  }

  removeSocket(socket: Socket): void {
    if (this.#pending?.get(socket.nsp.name) === socket) this.#forget(socket.nsp.name);
    if (this.#first === socket) {
      this.#first = undefined;
      // Any other takes its place, so that the first is only absent when there is none.
      for (const [name, other] of this.#others ?? []) {
        this.#first = other;
        this.#others?.delete(name);
        break;
      }
    } else if (this.#others?.get(socket.nsp.name) === socket) {
      this.#others.delete(socket.nsp.name);
    }
  }

  packet(packet: SocketPacket, flags?: BroadcastFlags): void {
    if (this.conn.readyState !== "open") {
      if (debug.enabled) debug("the connection is closed, ignoring packet %j", packet);
      return;
    }
    if (flags?.volatile === true && !this.#isWritable()) return;
    const options = flags?.compress === undefined ? undefined : { compress: flags.compress };
    for (const data of this.#deps.encoder.encode(packet)) this.conn.write(data, options);
  }

  /** Sends encoded packets. For adapters. */
  writeToEngine(encodedPackets: readonly RawData[], options: ClientWriteOptions): void {
    const { conn } = this;
    if (conn.readyState !== "open") return;
    if (options.volatile === true && !this.#isWritable()) {
      if (debug.enabled) debug("the transport is busy, dropping a volatile packet");
      return;
    }
    if (options.prepared !== undefined && conn.sendPrepared !== undefined) {
      for (const message of options.prepared) conn.sendPrepared(message);
      return;
    }
    // Published adapters of old passed a single message without an array.
    const messages = Array.isArray(encodedPackets) ? encodedPackets : [encodedPackets];
    for (const data of messages) conn.write(data, options);
  }

  /** Joins a namespace in the name of the client. */
  connect(name: string, auth?: Record<string, unknown>): void {
    // Who asks again before there is an answer gets one answer (FIX 80).
    if (this.#pending?.has(name) === true) return;
    const existing = this.#deps.namespaces.get(name);
    const { limiter } = this.#deps;
    if (limiter !== undefined && !this.#isWithinLimits(limiter, name, existing)) {
      this.#refuse(name, "Too many namespaces");
      return;
    }
    if (existing?._fns.length === 0 && (existing.recovery === undefined || !auth?.["pid"])) {
      // The answer is there at once, so nothing is pending.
      existing.add(this, auth);
      return;
    }
    this.#pending ??= new Map();
    this.#pending.set(name, undefined);
    this.#deps.findNamespace(name, auth ?? {}, (namespace) => {
      if (namespace === undefined && existing === undefined) limiter?.releaseDynamicNamespace(this);
      if (this.#state !== "open") return;
      if (namespace === undefined) this.#refuse(name, "Invalid namespace");
      else this.#join(namespace, auth);
    });
  }

  #listen(): void {
    const { conn } = this;
    if (conn.bindSink !== undefined) {
      conn.bindSink(this);
      return;
    }
    conn.on("data", (data: RawData) => this.onMessage(data));
    conn.on("error", (error: unknown) => this.#onError(error));
    conn.on("close", (reason: string, description?: unknown) => this.onClose(reason, description));
  }

  #onPacket(packet: SocketPacket): void {
    try {
      this.#route(packet);
    } catch (error) {
      this.#onServerError(error, packet.nsp);
    }
  }

  /** Something the server was given to work with failed. Not the peer's fault, but it would wait. */
  #onServerError(error: unknown, nsp: string): void {
    this.#deps.errors.report(error, { source: "adapter", nsp });
    this.close();
  }

  #route(packet: SocketPacket): void {
    const socket = this.#socketOf(packet.nsp) ?? this.#socketOfUrl(packet);
    if (packet.type === PacketType.CONNECT) {
      if (socket === undefined) this.connect(packet.nsp, authOf(packet));
      else this.#violation(packet);
    } else if (socket === undefined || packet.type === PacketType.CONNECT_ERROR) {
      this.#violation(packet);
    } else {
      socket.onPacket(packet);
    }
  }

  #socketOf(name: string): Socket | undefined {
    const first = this.#first;
    return first?.nsp.name === name ? first : this.#others?.get(name);
  }

  /** For clients of Socket.IO 1 and 2, the namespace of a packet is a URL. */
  #socketOfUrl(packet: SocketPacket): Socket | undefined {
    if (!isLegacy(this.conn)) return undefined;
    const { name, auth } = parseLegacyNamespace(packet.nsp);
    packet.nsp = name;
    if (packet.type === PacketType.CONNECT) packet.data = auth;
    return this.#socketOf(name);
  }

  #violation(packet: SocketPacket): void {
    if (debug.enabled) debug("packet of type %d is out of place", packet.type);
    this.close();
  }

  #isWithinLimits(limiter: Limiter, name: string, existing: Namespace | undefined): boolean {
    const count = this.#all().length + (this.#pending?.size ?? 0);
    const scope = { nsp: name };
    if (!limiter.admitsNamespace(count, scope)) return false;
    return existing !== undefined || limiter.admitsDynamicNamespace(this, scope);
  }

  #refuse(name: string, message: string): void {
    this.#forget(name);
    const data = { message };
    this.packet({ type: PacketType.CONNECT_ERROR, nsp: name, data });
  }

  #join(namespace: Namespace, auth: Record<string, unknown> | undefined): void {
    const session = isLegacy(this.conn) ? undefined : namespace.recovery?.claim(auth);
    if (isThenable(session)) {
      session
        .then((claimed) => this.#joinWith(namespace, auth, claimed))
        .catch((error: unknown) => this.#onServerError(error, namespace.name));
    } else this.#joinWith(namespace, auth, session);
  }

  #joinWith(
    namespace: Namespace,
    auth: Record<string, unknown> | undefined,
    session: Session | undefined,
  ): void {
    const { name } = namespace;
    if (this.#state !== "open") {
      if (session !== undefined) namespace.recovery?.giveBack(session);
      return;
    }
    const socket = namespace.add(this, auth, session);
    if (this.#pending?.has(name) !== true) return;
    if (isUndecided(namespace, socket)) this.#pending.set(name, socket);
    else this.#forget(name);
  }

  #forget(name: string): void {
    this.#pending?.delete(name);
    if (this.#pending?.size === 0) this.#pending = undefined;
  }

  /** The peer broke the protocol, or a foreign engine says so. */
  #onError(error: unknown): void {
    if (debug.enabled) debug("closing the connection: %o", error);
    this.#beClosing();
    for (const socket of this.#all()) socket.onError(error);
    this.conn.close();
  }

  #beClosing(): void {
    if (this.#state === "open") this.#state = "closing";
  }

  #stopConnectTimer(): void {
    this.#connectTimer?.cancel();
    this.#connectTimer = undefined;
  }

  #isWritable(): boolean {
    return this.conn.writable ?? this.conn.transport.writable;
  }

  #all(): Socket[] {
    if (this.#first === undefined) return [];
    return [this.#first, ...(this.#others?.values() ?? [])];
  }
}

/** Whether middlewares still run for the socket. */
function isUndecided(namespace: Namespace, socket: Socket): boolean {
  return namespace._preConnectSockets.has(socket.id);
}

/** The decoder admits nothing but objects, and nothing at all. */
function authOf({ data }: SocketPacket): Record<string, unknown> | undefined {
  return data as Record<string, unknown> | undefined;
}
