import { IncomingMessage } from "node:http";
import type { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import type { Clock } from "./clock.js";
import type { EnginePacket, OutgoingPacket, PacketCodec, PacketOptions, RawData } from "./codec.js";
import { TransportError } from "./errors.js";
import type { FlushQueue, Flushable } from "./flush-queue.js";
import { createHeartbeat, type Heartbeat, type HeartbeatSubject } from "./heartbeat.js";
import { LazyEmitter } from "./lazy-emitter.js";
import type { ResolvedOptions } from "./options.js";
import { packRequest, unpackRequest } from "./packed-request.js";
import { TRANSITIONS, type CloseReason, type SessionState } from "./session-state.js";
import type { Scheduler } from "./timer-wheel.js";
import { encodeFrame } from "./transports/websocket-frame.js";
import type { Transport, TransportBase, TransportHost } from "./transports/transport.js";
import { UpgradeProbe, type UpgradeSubject } from "./upgrade.js";

const debug = createDebug("engine:socket");

/** What a session may be given to send. Views and array buffers are sent as the bytes they hold. */
export type SendData = RawData | ArrayBuffer | ArrayBufferView;

/** Called with the transport, once it has handed the packet to the kernel. */
export type SendCallback = (transport: TransportBase) => void;

/** Receives what a session has to tell, called directly, in place of the `data` and `close` events. */
export interface SessionSink {
  onMessage(data: RawData): void;
  onClose(reason: CloseReason, description?: Error): void;
}

/** What a session tells of the server that it belongs to. */
export interface SessionServer {
  readonly opts: ResolvedOptions;
  readonly clients: Readonly<Record<string, Session>>;
  readonly clientsCount: number;
}

/** What the sessions of one server share. */
export interface SessionContext {
  /** Absent for sessions that are made by themselves. */
  readonly server?: SessionServer | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly flushQueue: FlushQueue;
  readonly options: ResolvedOptions;
  /** The transports that a session on `transport` may upgrade to. */
  upgrades(transport: string): string[];
  onFlush(session: Session, packets: readonly OutgoingPacket[]): void;
  onDrain(session: Session): void;
  onClose(session: Session): void;
  /** A listener or sink threw. */
  onHandlerError(error: unknown, session: Session): void;
}

/** The parts of one session. */
export interface SessionInit {
  readonly id: string;
  readonly codec: PacketCodec;
  readonly transport: Transport;
  /** The request that opened the session. */
  readonly request: IncomingMessage;
}

/** The events of a session. */
export interface SessionEvents {
  open: [];
  /** A packet arrived, of any type. */
  packet: [packet: EnginePacket];
  /** A packet is about to wait in the write buffer. */
  packetCreate: [packet: OutgoingPacket];
  data: [data: RawData];
  message: [data: RawData];
  /** A pong arrived. */
  heartbeat: [];
  /** A candidate was probed. */
  upgrading: [transport: TransportBase];
  /** The session runs on another transport now. */
  upgrade: [transport: TransportBase];
  /** The write buffer is about to be given to the transport. */
  flush: [packets: readonly OutgoingPacket[]];
  /** The write buffer was given to the transport. */
  drain: [];
  close: [reason: CloseReason, description?: Error];
}

const DEFAULT_OPTIONS: PacketOptions = Object.freeze({ compress: true });
const UNCOMPRESSED: PacketOptions = Object.freeze({ compress: false });
/** The write buffer of a session with nothing to send; a burst gets an array of its own. */
const NOTHING: OutgoingPacket[] = Object.freeze([]) as unknown as OutgoingPacket[];
const NOOP: readonly OutgoingPacket[] = [{ type: "noop" }];

/** Hears a transport that the session has left: what it still tells concerns nobody (behaviour 52). */
const NOBODY: TransportHost = {
  onPacket() {},
  onReady() {},
  onClose() {},
  onError() {},
  onParseError() {},
};

/**
 * One Engine.IO session: the `Socket` of the npm package `engine.io`, `socket.conn` in Socket.IO.
 *
 * It owns the state, the transport, the write buffer and the heartbeat. Packets collect in the write
 * buffer and leave at the end of the tick, or as soon as the transport is writable.
 */
export class Session
  extends LazyEmitter<SessionEvents>
  implements TransportHost, HeartbeatSubject, UpgradeSubject, Flushable
{
  readonly id: string;
  /** The address of the peer, as it was when the session opened. */
  readonly remoteAddress: string;
  /** The transport in use; after an upgrade, another one. */
  transport: TransportBase;
  /** What waits for the transport. Still there in `close` listeners (behaviour 107). */
  writeBuffer: OutgoingPacket[] = NOTHING;
  readonly #context: SessionContext;
  readonly #codec: PacketCodec;
  readonly #heartbeat: Heartbeat;
  /** As it came, packed once nobody has asked for it, or what the application put in its place. */
  #request: IncomingMessage | string | null | undefined;
  #isRequestSeen = false;
  #state: SessionState = "opening";
  #sink: SessionSink | undefined;
  #probe: UpgradeProbe | undefined;
  #upgraded = false;
  #isDirty = false;
  #writeBufferBytes = 0;
  #callbacks: SendCallback[] | undefined;

  constructor(context: SessionContext, { id, codec, transport, request }: SessionInit) {
    super();
    this.id = id;
    this.#request = request;
    this.remoteAddress = request.socket?.remoteAddress ?? "";
    this.transport = asShown(transport);
    this.#context = context;
    this.#codec = codec;
    this.#heartbeat = createHeartbeat(codec.protocol, context.scheduler, context.options, this);
    transport.sid = id;
    transport.host(this);
  }

  /**
   * The request that opened the session. Applications that never need it may set it to `null`, to
   * save memory.
   */
  get request(): IncomingMessage {
    this.#isRequestSeen = true;
    if (typeof this.#request === "string") {
      this.#request = unpackRequest(this.#request, this.transport.stream);
    }
    // One cast: it is only absent for the application that has taken it away.
    return this.#request as IncomingMessage;
  }

  set request(request: IncomingMessage | null | undefined) {
    this.#isRequestSeen = true;
    this.#request = request;
  }

  /** Keeps the request in less memory, unless somebody has seen it and may rely on its identity. */
  packRequest(): void {
    if (this.#isRequestSeen || !(this.#request instanceof IncomingMessage)) return;
    if (this.transport.stream !== undefined) this.#request = packRequest(this.#request);
  }

  /** The server that the session belongs to, unless it was made by itself. */
  get server(): SessionServer | undefined {
    return this.#context.server;
  }

  /** The revision of the Engine.IO protocol that the client speaks. */
  get protocol(): 3 | 4 {
    return this.#codec.protocol;
  }

  get readyState(): SessionState {
    return this.#state;
  }

  /** Whether a candidate is being probed. */
  get upgrading(): boolean {
    return this.#probe !== undefined;
  }

  /** Whether the session has left its first transport. */
  get upgraded(): boolean {
    return this.#upgraded;
  }

  /**
   * Whether a packet sent now would leave at the end of this tick with nothing before it. Volatile
   * packets are dropped otherwise (behaviour 111).
   */
  get writable(): boolean {
    return (
      this.writeBuffer.length === 0 && this.transport.writable && this.transport.bufferedBytes === 0
    );
  }

  /**
   * Bytes on their way to the peer: those that wait, and those that the kernel has not taken yet.
   * Text that waits counts one byte per UTF-16 code unit.
   */
  get bufferedBytes(): number {
    return this.#writeBufferBytes + this.transport.bufferedBytes;
  }

  /** Opens the session: the peer gets the open packet at once (behaviours 18 to 21). */
  open(): void {
    const { options } = this.#context;
    this.#become("open");
    const handshake = {
      sid: this.id,
      upgrades: this.#context.upgrades(this.transport.name),
      pingInterval: options.pingInterval,
      pingTimeout: options.pingTimeout,
      maxPayload: options.maxHttpBufferSize,
    };
    this.#push({
      type: "open",
      data: JSON.stringify(handshake),
      options: DEFAULT_OPTIONS,
      frame: undefined,
    });
    if (options.initialPacket !== undefined) this.send(options.initialPacket);
    this.emit("open");
    this.#heartbeat.restart();
    this.flush();
  }

  /** Names who hears of messages and of the end, besides the listeners of the events. */
  bindSink(sink: SessionSink): void {
    this.#sink = sink;
  }

  /**
   * Sends a message. Nothing happens when the session is closing or closed.
   *
   * @param callback called once the kernel has taken the message
   */
  send(data: SendData, options?: PacketOptions | SendCallback, callback?: SendCallback): this {
    if (typeof options === "function") return this.send(data, undefined, options);
    if (callback !== undefined && this.#state === "open") (this.#callbacks ??= []).push(callback);
    this.#push({
      type: "message",
      data: toRawData(data),
      options: resolvePacketOptions(options),
      frame: frameFrom(options?.wsPreEncodedFrame, this.#codec),
    });
    return this;
  }

  /** Alias of {@link send}. */
  write(data: SendData, options?: PacketOptions | SendCallback, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Sends a message that other sessions send, too. The first of them encodes it, and keeps the
   * frame in the message for the others.
   */
  sendPrepared(message: OutgoingPacket): void {
    if (this.#state !== "open") return;
    if (typeof message.data !== "string" && !this.#sharesBinaryFrames) {
      this.send(message.data ?? "", message.options);
      return;
    }
    if (this.transport.name === "websocket") {
      message.frame ??= encodeFrame(message, this.#codec, true);
    }
    this.#push(message);
  }

  /**
   * Closes the session. What waits in the write buffer is sent before.
   *
   * @param discard does not wait for a poll by which to tell the peer (behaviour 38)
   */
  close(discard = false): void {
    if (discard && this.#isSending) {
      if (this.#state === "open") this.#become("closing");
      this.#closeTransport(true);
    } else if (this.#state === "open") {
      this.#become("closing");
      this.flush();
      if (this.writeBuffer.length === 0) this.#closeTransport(false);
    }
  }

  /** Tries to upgrade to `candidate`, or closes it when the session cannot (behaviour 16). */
  probe(candidate: Transport): void {
    if (this.#probe !== undefined || this.#upgraded || this.transport.name !== "polling") {
      debug("%s: no upgrade in this state", this.id);
      candidate.close();
      return;
    }
    candidate.sid = this.id;
    this.#probe = new UpgradeProbe(this, candidate, this.#context.clock, this.#context.options);
  }

  /** Gives the write buffer to the transport, if both are ready. */
  flush(): void {
    if (!this.#isSending || !this.transport.writable || this.writeBuffer.length === 0) return;
    const packets = this.writeBuffer;
    const callbacks = this.#callbacks;
    this.writeBuffer = NOTHING;
    this.#writeBufferBytes = 0;
    this.#callbacks = undefined;
    try {
      this.emit("flush", packets);
      this.#context.onFlush(this, packets);
      this.transport.send(packets, callbacks && this.#callLater(callbacks));
      this.emit("drain");
      this.#context.onDrain(this);
    } catch (error) {
      this.#context.onHandlerError(error, this);
    }
    if (this.#state === "closing" && this.writeBuffer.length === 0) this.#closeTransport(false);
  }

  // ── what the flush queue, the heartbeat, the transport and the probe call ──

  onTickEnd(): void {
    this.#isDirty = false;
    this.flush();
  }

  sendPing(): void {
    this.#push({ type: "ping", options: DEFAULT_OPTIONS, frame: undefined });
  }

  onPingTimeout(): void {
    this.#onClosed("ping timeout");
  }

  onReady(): void {
    this.flush();
  }

  onPacket(packet: EnginePacket): void {
    if (this.#state !== "open") return;
    this.#heartbeat.onPacket();
    try {
      this.emit("packet", packet);
      this.#dispatch(packet);
    } catch (error) {
      this.#context.onHandlerError(error, this);
    }
  }

  onClose(): void {
    this.#onClosed("transport close");
  }

  onError(error: TransportError): void {
    this.#onClosed("transport error", error);
  }

  onParseError(error: PacketError): void {
    debug("%s: %s", this.id, error.message);
    this.#onClosed("parse error", error);
  }

  onProbe(candidate: Transport): void {
    this.#guard(() => this.emit("upgrading", asShown(candidate)));
  }

  releasePoll(): void {
    if (this.transport.name !== "polling" || !this.transport.writable) return;
    this.#guard(() => this.transport.send(NOOP));
  }

  onUpgradeFailed(): void {
    this.#probe = undefined;
  }

  onUpgrade(candidate: Transport): void {
    const old = this.transport;
    this.#probe = undefined;
    this.#upgraded = true;
    this.transport = asShown(candidate);
    candidate.host(this);
    old.host(NOBODY);
    old.discard();
    old.close();
    this.#guard(() => this.emit("upgrade", this.transport));
    this.flush();
    if (this.#state === "closing") this.#closeTransport(false);
  }

  // ───────────────────────────────────────────────────────────────────────────

  get #isSending(): boolean {
    return this.#state === "open" || this.#state === "closing";
  }

  /**
   * Text frames look the same for everybody; binary ones for all sessions of protocol 4 that take
   * bytes. What waits for a poll may have to leave by a WebSocket after an upgrade, which can be one
   * that takes none.
   */
  get #sharesBinaryFrames(): boolean {
    const { transport } = this;
    return transport.name === "websocket" && this.protocol === 4 && transport.supportsBinary;
  }

  #dispatch(packet: EnginePacket): void {
    switch (packet.type) {
      case "message": {
        const data = packet.data ?? "";
        this.#sink?.onMessage(data);
        this.emit("data", data);
        this.emit("message", data);
        break;
      }
      case "ping":
      case "pong":
        this.#onHeartbeat(packet);
        break;
      case "open":
      case "close":
      case "upgrade":
      case "noop":
        // Without a meaning from a client on an open session (behaviour 64).
        break;
    }
  }

  /** A pong answers our ping; clients of protocol 3 ping, and we answer (behaviours 57 to 59). */
  #onHeartbeat({ type }: EnginePacket): void {
    if (type !== (this.protocol === 4 ? "pong" : "ping")) {
      this.onError(new TransportError("ERR_TRANSPORT_PROTOCOL", "invalid heartbeat direction"));
      return;
    }
    this.#heartbeat.restart();
    if (type === "ping") this.#push({ type: "pong", options: DEFAULT_OPTIONS, frame: undefined });
    this.emit("heartbeat");
  }

  #push(packet: OutgoingPacket): void {
    if (this.#state !== "open") return;
    try {
      this.emit("packetCreate", packet);
    } catch (error) {
      this.#context.onHandlerError(error, this);
    }
    if (this.writeBuffer === NOTHING) this.writeBuffer = [packet];
    else this.writeBuffer.push(packet);
    this.#writeBufferBytes += packet.data?.length ?? 0;
    if (this.#isDirty || !this.transport.writable) return;
    this.#isDirty = true;
    this.#context.flushQueue.add(this);
  }

  #callLater(callbacks: readonly SendCallback[]): () => void {
    const { transport } = this;
    return () => {
      for (const callback of callbacks) this.#guard(() => callback(transport));
    };
  }

  #closeTransport(discard: boolean): void {
    if (discard) this.transport.discard();
    this.transport.close(() => this.#onClosed("forced close"));
  }

  #onClosed(reason: CloseReason, description?: Error): void {
    if (this.#state === "closed") return;
    debug("%s: %s", this.id, reason);
    this.#become("closed");
    this.#heartbeat.stop();
    this.#probe?.cancel();
    this.#probe = undefined;
    this.transport.host(NOBODY);
    this.transport.discard();
    this.transport.close();
    this.#callbacks = undefined;
    process.nextTick(clearWriteBuffer, this);
    this.#context.onClose(this);
    this.#guard(() => this.#sink?.onClose(reason, description));
    this.#guard(() => this.emit("close", reason, description));
  }

  #become(state: SessionState): void {
    if (!TRANSITIONS[this.#state].includes(state)) {
      throw new Error(`a session that is ${this.#state} cannot become ${state}`);
    }
    this.#state = state;
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#context.onHandlerError(error, this);
    }
  }
}

/** One cast: a session does with less than what applications see of a transport. */
function asShown(transport: Transport): TransportBase {
  return transport as TransportBase;
}

function clearWriteBuffer(session: Session): void {
  session.writeBuffer = NOTHING;
}

function toRawData(data: SendData): RawData {
  if (typeof data === "string" || Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}

function resolvePacketOptions(options: PacketOptions | undefined): PacketOptions {
  if (options === undefined) return DEFAULT_OPTIONS;
  if (options.wsPreEncodedFrame !== undefined) return options;
  return options.compress === false ? UNCOMPRESSED : DEFAULT_OPTIONS;
}

/** Frames that published adapters encoded, in one piece each, for as long as their array lives. */
const joinedFrames = new WeakMap<readonly Buffer[], Buffer>();

function frameFrom(parts: readonly Buffer[] | undefined, codec: PacketCodec): Buffer | undefined {
  if (parts === undefined || codec.protocol !== 4) return undefined;
  let frame = joinedFrames.get(parts);
  if (frame === undefined) joinedFrames.set(parts, (frame = Buffer.concat(parts)));
  return frame;
}
