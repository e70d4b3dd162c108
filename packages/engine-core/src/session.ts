import type { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import { awaitEnd } from "./bounded-close.js";
import type { EnginePacket, OutgoingPacket, PacketCodec, PacketOptions } from "./codec.js";
import { SlowConsumerError, TransportError } from "./errors.js";
import type { Flushable } from "./flush-queue.js";
import { createHeartbeat, type Heartbeat, type HeartbeatSubject } from "./heartbeat.js";
import { openPacketData } from "./open-packet.js";
import { DEFAULT_OPTIONS, toMessage, type SendData } from "./send-data.js";
import { SessionRequest } from "./session-request.js";
import type {
  ContextOf,
  SendCallback,
  ServerOf,
  SessionInit,
  SessionSink,
} from "./session-types.js";
import { TRANSITIONS, type CloseReason, type SessionState } from "./session-state.js";
import { judgeOverflow, lowWatermark, PACKET_COST } from "./slow-consumer.js";
import type { SharedWrites } from "./transports/shared-writes.js";
import { encodeFrame } from "./transports/websocket-frame.js";
import {
  NOBODY,
  type Transport,
  type TransportBase,
  type TransportHost,
} from "./transports/transport.js";
import { UpgradeProbe, type UpgradeSubject } from "./upgrade.js";

const debug = createDebug("engine:socket");

export type { SendData } from "./send-data.js";
export type * from "./session-types.js";

/** What a session tells of the server that it belongs to. */
export type SessionServer = ServerOf<Session>;

/** What the sessions of one server share. */
export type SessionContext = ContextOf<Session>;

/** The write buffer of a session with nothing to send; a burst gets an array of its own. */
const NOTHING: OutgoingPacket[] = Object.freeze([]) as unknown as OutgoingPacket[];
const NOOP: readonly OutgoingPacket[] = [{ type: "noop" }];

/**
 * One Engine.IO session: the `Socket` of the npm package `engine.io`, `socket.conn` in Socket.IO.
 *
 * It owns the state, the transport, the write buffer and the heartbeat. Packets collect in the write
 * buffer and leave at the end of the tick, or as soon as the transport is writable.
 */
export class Session
  extends SessionRequest
  implements TransportHost, HeartbeatSubject, UpgradeSubject, Flushable
{
  // What a broadcast needs comes first: together, it is fetched from memory at once.
  #state: SessionState = "opening";
  #isDirty = false;
  #buffer: OutgoingPacket[] = NOTHING;
  /** Whether other sessions may have the same buffer. */
  #sharesBuffer = false;
  #bufferBytes = 0;
  /** What the transport held back right after the last flush: it holds no more now. */
  #sentBytes = 0;
  readonly #context: SessionContext;
  transport: TransportBase;
  readonly id: string;
  /** The address of the client, as it was when the session opened: see the option `trustProxy`. */
  readonly remoteAddress: string;
  readonly #codec: PacketCodec;
  readonly #heartbeat: Heartbeat;
  #sink: SessionSink | undefined;
  #probe: UpgradeProbe | undefined;
  #upgraded = false;
  #callbacks: SendCallback[] | undefined;

  constructor(context: SessionContext, init: SessionInit) {
    const { id, codec, transport, request } = init;
    super(request);
    this.id = id;
    this.remoteAddress = init.remoteAddress ?? request.socket?.remoteAddress ?? "";
    this.transport = asShown(transport);
    this.#context = context;
    this.#codec = codec;
    this.#heartbeat = createHeartbeat(codec.protocol, context.scheduler, context.options, this);
    transport.sid = id;
    transport.host(this);
  }

  /** What waits for the transport. Still there in `close` listeners (behaviour 107). */
  get writeBuffer(): OutgoingPacket[] {
    // Whoever reads it may change it.
    if (this.#sharesBuffer) this.#buffer = [...this.#buffer];
    this.#sharesBuffer = false;
    return this.#buffer;
  }

  set writeBuffer(packets: OutgoingPacket[]) {
    this.#buffer = packets;
    this.#sharesBuffer = false;
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
   *
   * With `slowConsumer: "drop-volatile"`, whether little enough waits for a volatile packet to wait
   * behind it.
   */
  get writable(): boolean {
    const { slowConsumer, maxBufferedBytes } = this.#context.options;
    if (slowConsumer === "drop-volatile") {
      return this.#state === "open" && this.#backlog <= lowWatermark(maxBufferedBytes);
    }
    return (
      this.#buffer.length === 0 && this.transport.writable && this.transport.bufferedBytes === 0
    );
  }

  /**
   * Bytes on their way to the peer: those that wait, and those that the kernel has not taken yet.
   * Text that waits counts one byte per UTF-16 code unit. `maxBufferedBytes` bounds it.
   */
  get bufferedBytes(): number {
    return this.#bufferBytes + this.transport.bufferedBytes;
  }

  /** Whether the session is closed, and the connection below holds nothing back any more. */
  get ended(): boolean {
    if (this.#state !== "closed") return false;
    const { stream, bufferedBytes } = this.transport;
    return stream === undefined ? bufferedBytes === 0 : stream.destroyed;
  }

  /**
   * Opens the session: the peer gets the open packet at once (behaviours 18 to 21).
   *
   * @param isGreeted whether it has been sent already
   */
  open(isGreeted = false): void {
    const { options } = this.#context;
    this.#become("open");
    if (!isGreeted) {
      const upgrades = this.#context.upgrades(this.transport.name);
      const data = openPacketData(this.id, upgrades, options);
      this.#push({ type: "open", data, options: DEFAULT_OPTIONS, frame: undefined });
    }
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
   * Sends a message. Nothing happens when the session is closing or closed. One that would take the
   * session over `maxBufferedBytes` is for the option `slowConsumer` to decide.
   *
   * @param callback called once the kernel has taken the message
   */
  send(data: SendData, options?: PacketOptions | SendCallback, callback?: SendCallback): this {
    if (typeof options === "function") return this.send(data, undefined, options);
    const isTaken = this.#push(toMessage(data, options, this.#codec));
    if (isTaken && callback !== undefined) (this.#callbacks ??= []).push(callback);
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
    if (message.frame === undefined && this.transport.name === "websocket") {
      message.frame = encodeFrame(message, this.#codec, true);
    }
    this.#push(message, true);
  }

  /**
   * Closes the session. What waits in the write buffer is sent before.
   *
   * @param discard does not wait for the transport to take it, nor for a poll by which to tell the
   *   peer (behaviour 38)
   */
  close(discard = false): void {
    if (discard && this.#isSending) {
      // What waits for nothing but the end of the tick leaves before.
      this.flush();
      if (this.#state === "open") this.#become("closing");
      if (this.#state === "closing") this.#closeTransport(true);
    } else if (this.#state === "open") {
      this.#become("closing");
      this.flush();
      if (this.#buffer.length === 0) this.#closeTransport(false);
    }
  }

  /**
   * Closes the session as `close()` does, but waits no longer than `ms` milliseconds for the client
   * to take what waits and to close its end; then the connection is cut. The client learns of no
   * reason to stay away, so it reconnects.
   *
   * @returns whether it ended by itself
   */
  closeWithin(ms: number): Promise<boolean> {
    this.close();
    return awaitEnd(this, ms, this.#context.scheduler);
  }

  /** Closes at once, and cuts the connection: what is on its way is dropped. */
  destroy(): void {
    this.#onClosed("forced close");
    const transport: Transport = this.transport;
    transport.destroy?.();
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
    const packets = this.#buffer;
    if (packets.length === 0 || !this.#isSending || !this.transport.writable) return;
    const callbacks = this.#callbacks;
    this.#clearBuffer();
    this.#callbacks = undefined;
    try {
      if (this.listenerCount("flush") > 0) this.emit("flush", [...packets]);
      this.#context.onFlush(this, packets);
      this.transport.send(packets, callbacks && this.#callLater(callbacks));
      this.#sentBytes = this.transport.bufferedBytes;
      if (this.listenerCount("drain") > 0) this.emit("drain");
      this.#context.onDrain(this);
    } catch (error) {
      this.#context.onHandlerError(error, this);
    }
    if (this.#state === "closing" && this.#buffer.length === 0) this.#closeTransport(false);
  }

  // ── what the flush queue, the heartbeat, the transport and the probe call ──

  onTickEnd(): void {
    this.#isDirty = false;
    this.flush();
  }

  handOver(writes: SharedWrites): boolean {
    if (this.listenerCount("flush") + this.listenerCount("drain") > 0) return false;
    const isPlain = this.#sharesBuffer && this.#state === "open";
    const heldBack = isPlain ? this.transport.handOver?.(this.#buffer, writes) : undefined;
    if (heldBack === undefined) return false;
    this.#isDirty = false;
    this.#clearBuffer();
    this.#sentBytes = heldBack;
    return true;
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
      if (this.listenerCount("packet") > 0) this.emit("packet", packet);
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
    this.#sentBytes = candidate.bufferedBytes;
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
        if (this.listenerCount("data") > 0) this.emit("data", data);
        if (this.listenerCount("message") > 0) this.emit("message", data);
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
    if (type === "ping" && !this.#isPongWaiting) {
      this.#push({ type: "pong", options: DEFAULT_OPTIONS, frame: undefined });
    }
    this.emit("heartbeat");
  }

  /** One answer stands for all pings of a client that reads none of them: they must not pile up. */
  get #isPongWaiting(): boolean {
    return !this.transport.writable && this.#buffer.at(-1)?.type === "pong";
  }

  /** What counts against `maxBufferedBytes`. */
  get #backlog(): number {
    return this.bufferedBytes + this.#buffer.length * PACKET_COST;
  }

  /**
   * A broadcast comes here once per session, so this looks at nothing below the session: with many
   * sessions, what it costs is what it fetches from memory. The flush looks at the rest, once.
   *
   * @returns whether the packet is on its way
   */
  #push(packet: OutgoingPacket, isPrepared = false): boolean {
    if (this.#state !== "open") return false;
    const bytes = packet.data?.length ?? 0;
    const most = this.#sentBytes + this.#bufferBytes + this.#buffer.length * PACKET_COST;
    if (most + bytes + PACKET_COST > this.#context.options.maxBufferedBytes) {
      // The packets of the protocol itself are small, few, and never refused.
      if (packet.type === "message" && !this.#isAdmitted(bytes)) return false;
    }
    if (this.listenerCount("packetCreate") > 0) {
      this.#guard(() => this.emit("packetCreate", packet));
    }
    this.#append(packet, isPrepared);
    this.#bufferBytes += bytes;
    if (!this.#isDirty) this.#context.flushQueue.add(this);
    this.#isDirty = true;
    return true;
  }

  /** Decides on a message that is too much, unless the transport has got rid of enough. */
  #isAdmitted(messageBytes: number): boolean {
    const backlog = this.#backlog;
    const { maxBufferedBytes } = this.#context.options;
    if (backlog + messageBytes + PACKET_COST <= maxBufferedBytes) return true;
    const verdict = judgeOverflow(this, { bufferedBytes: backlog, messageBytes }, this.#context);
    // The application was asked, and may have closed the session.
    if (this.#state !== "open") return false;
    if (verdict === "disconnect") this.#cutOff();
    return verdict === "keep";
  }

  /**
   * Gives up a client that does not keep up. What waits is dropped now; the connection is cut and
   * everybody told once whoever is sending has finished, for it may be in the middle of a broadcast.
   */
  #cutOff(): void {
    const { options, counters } = this.#context;
    const { length } = this.#buffer;
    const error = new SlowConsumerError(this.bufferedBytes, length, options.maxBufferedBytes);
    debug("%s: %s", this.id, error.message);
    counters.slowConsumers += 1;
    this.#become("closing");
    this.#clearBuffer();
    this.#callbacks = undefined;
    process.nextTick(() => {
      this.#onClosed("transport error", error);
      this.destroy();
    });
  }

  #append(packet: OutgoingPacket, isPrepared: boolean): void {
    const buffer = this.#buffer;
    const mayShare = isPrepared && (this.#sharesBuffer || buffer === NOTHING);
    const shared = mayShare ? this.#context.flushQueue.shared.extend(buffer, packet) : undefined;
    if (shared !== undefined) this.#buffer = shared;
    else if (buffer === NOTHING) this.#buffer = [packet];
    else this.writeBuffer.push(packet);
    this.#sharesBuffer = shared !== undefined;
  }

  #clearBuffer(): void {
    this.#buffer = NOTHING;
    this.#sharesBuffer = false;
    this.#bufferBytes = 0;
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
    process.nextTick(() => this.#clearBuffer());
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
