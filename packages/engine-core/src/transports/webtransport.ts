import { encodeFrameHeader, PacketError, type FrameDecoder } from "@jackfield/parser";
import createDebug from "debug";
import type { Clock, Timer } from "../clock.js";
import type { OutgoingPacket, PacketCodec, RawData } from "../codec.js";
import { TransportError } from "../errors.js";
import { TransportBase, type TransportHost, type TransportState } from "./transport.js";

const debug = createDebug("engine:webtransport");

/** What is used of a reader of a stream, as the Streams standard has it. */
export interface StreamReader<T> {
  /** Absent in some implementations. */
  readonly closed?: PromiseLike<unknown> | undefined;
  read(): PromiseLike<{ readonly done: boolean; readonly value?: T | undefined }>;
}

/** What is used of a writer of a stream, as the Streams standard has it. */
export interface StreamWriter {
  /** Fulfilled while the stream can take more. */
  readonly ready: PromiseLike<unknown>;
  /** Absent in some implementations. */
  readonly closed?: PromiseLike<unknown> | undefined;
  /** Resolves once the stream took the chunk. */
  write(chunk: Uint8Array): PromiseLike<unknown>;
}

/** What is used of a bidirectional stream of a WebTransport session. */
export interface WebTransportStream {
  readonly readable: { getReader(): StreamReader<Uint8Array> };
  readonly writable: { getWriter(): StreamWriter };
}

/** What is used of a WebTransport session: any object with the interface of the W3C will do. */
export interface WebTransportSession {
  /** Absent in some implementations. */
  readonly ready?: PromiseLike<unknown> | undefined;
  /** Settles when the session is over: rejected, when the connection failed. */
  readonly closed: PromiseLike<unknown>;
  readonly incomingBidirectionalStreams: { getReader(): StreamReader<WebTransportStream> };
  close(): unknown;
}

/** What a WebTransport transport is made of. */
export interface WebTransportTransportInit {
  readonly session: WebTransportSession;
  readonly reader: StreamReader<Uint8Array>;
  readonly writer: StreamWriter;
  readonly decoder: FrameDecoder;
  /** The frames that arrived together with the first one. */
  readonly frames: readonly RawData[];
  readonly codec: PacketCodec;
  readonly clock: Clock;
}

const PING: OutgoingPacket = { type: "ping" };

/**
 * The WebTransport transport (behaviours 70 to 72 and 140): packets as length-prefixed frames on the
 * one bidirectional stream that the client opens.
 *
 * All packets of one `send` are one chunk. It is not writable again before the stream asks for more,
 * so what a slow peer leaves waits in the session's write buffer, where it is counted.
 */
export class WebTransportTransport extends TransportBase {
  readonly name = "webtransport";
  sid: string | undefined;
  readonly supportsBinary = true;
  /** How long an orderly close waits for the peer to have received everything, in ms. */
  closeTimeout = 30_000;
  readonly #init: WebTransportTransportInit;
  #host: TransportHost | undefined;
  /** `gone`: the session is over or the stream broken, but nobody has called `close` yet. */
  #state: "open" | "gone" | "closing" | "closed" = "open";
  #discarded = false;
  #blocked = false;
  #bufferedBytes = 0;
  /** Whether something was sent that the peer must not miss. */
  #hasSent = false;
  /** Pings that the peer has not answered yet. */
  #pings = 0;
  /** Why the session is over, if it failed. */
  #failure: TransportError | undefined;
  #closed: (() => void) | undefined;
  #closeTimer: Timer | undefined;

  constructor(init: WebTransportTransportInit) {
    super();
    this.#init = init;
    init.reader.closed?.then(undefined, ignoreFailure);
    init.writer.closed?.then(undefined, ignoreFailure);
    init.session.closed.then(() => this.#onEnd(undefined), this.#onSessionFailure);
  }

  get writable(): boolean {
    return this.#state === "open" && !this.#blocked;
  }

  /** Bytes taken by `send` that the stream has not taken yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get protocol(): 3 | 4 {
    return this.#init.codec.protocol;
  }

  get readyState(): TransportState {
    return this.#state === "gone" ? "closed" : this.#state;
  }

  get discarded(): boolean {
    return this.#discarded;
  }

  /** Names who hears of the peer. The transport begins to read after the first call. */
  host(host: TransportHost): void {
    // Later, because a session is not yet open when it names itself as the host.
    if (this.#host === undefined) queueMicrotask(() => this.#start());
    this.#host = host;
  }

  send(packets: readonly OutgoingPacket[], written?: () => void): void {
    for (const { type } of packets) {
      if (type === "ping") this.#pings += 1;
      if (type === "open" || type === "message") this.#hasSent = true;
    }
    this.#write(packets, written);
    this.emit("drain");
  }

  /**
   * Closes the session once the peer has received what was sent.
   *
   * Closing a session drops what is still on its way, and closing the stream first tells nothing
   * about that. So a last ping follows what was sent, and its answer is waited for (behaviour 140).
   */
  close(closed?: () => void): void {
    if (this.#state === "closed") {
      closed?.();
      return;
    }
    this.#closed ??= closed;
    if (this.#discarded || this.#state === "gone" || !this.#hasSent) this.#finish();
    else if (this.#state === "open") {
      this.#state = "closing";
      this.#closeTimer = this.#init.clock.setTimeout(() => this.#finish(), this.closeTimeout);
      this.#pings += 1;
      this.#write([PING], undefined);
    }
  }

  discard(): void {
    this.#discarded = true;
  }

  /** Closes at once. */
  override destroy(): void {
    this.#discarded = true;
    this.close();
  }

  // ── receiving ──────────────────────────────────────────────────────────────

  #start(): void {
    if (this.#state === "gone") this.#tellEnd();
    else if (this.#init.frames.every(this.#onFrame)) this.#read();
  }

  #read(): void {
    if (this.#state === "closed") return;
    this.#init.reader.read().then(this.#onChunk, this.#onStreamFailure);
  }

  // Made once per transport, like those below: promises call it without a receiver.
  readonly #onChunk = ({
    done,
    value,
  }: {
    done: boolean;
    value?: Uint8Array | undefined;
  }): void => {
    if (done) {
      this.#onEnd(undefined);
      return;
    }
    try {
      if (value !== undefined) this.#init.decoder.push(value, this.#onFrame);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#onGarbage(error);
    }
    this.#read();
  };

  /** @returns whether more frames are welcome */
  readonly #onFrame = (frame: RawData): boolean => {
    let packet;
    try {
      packet = this.#init.codec.decodePacket(frame);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#onGarbage(error);
      return false;
    }
    if (packet.type === "pong" && this.#pings > 0) this.#pings -= 1;
    if (this.#state === "open") {
      this.emit("packet", packet);
      this.#host?.onPacket(packet);
    } else if (this.#state === "closing" && this.#pings === 0) this.#finish();
    return !this.#isClosed;
  };

  #onGarbage(error: PacketError): void {
    if (this.#state === "open") this.#host?.onParseError(error);
    else this.#finish();
  }

  // ── sending ────────────────────────────────────────────────────────────────

  #write(packets: readonly OutgoingPacket[], written: (() => void) | undefined): void {
    const { writer, codec } = this.#init;
    const chunk = encodeChunk(packets, codec);
    this.#blocked = true;
    this.#bufferedBytes += chunk.length;
    writer.write(chunk).then(() => this.#onWritten(chunk, written), this.#onStreamFailure);
    writer.ready.then(this.#onWritable, ignoreFailure);
  }

  #onWritten(chunk: Buffer, written: (() => void) | undefined): void {
    this.#bufferedBytes -= chunk.length;
    written?.();
  }

  readonly #onWritable = (): void => {
    if (!this.#blocked || this.#state !== "open") return;
    this.#blocked = false;
    this.emit("ready");
    this.#host?.onReady();
  };

  // ── the end ────────────────────────────────────────────────────────────────

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  /**
   * Ends the session, whose own end follows: only that tells a peer that has left, which breaks its
   * streams as well, from a connection that failed.
   */
  readonly #onStreamFailure = (error: unknown): void => {
    debug("stream failed: %o", error);
    if (this.#state === "open") closeQuietly(this.#init.session);
    else if (this.#state === "closing") this.#finish();
  };

  readonly #onSessionFailure = (error: unknown): void => {
    debug("session failed: %o", error);
    const message = error instanceof Error ? error.message : "the session failed";
    this.#onEnd(new TransportError("ERR_TRANSPORT_CONNECTION", message, error));
  };

  #onEnd(failure: TransportError | undefined): void {
    if (this.#state === "closing") this.#finish();
    if (this.#state !== "open") return;
    this.#state = "gone";
    this.#failure = failure;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#failure === undefined) {
      this.#host?.onClose();
      return;
    }
    this.#host?.onError(this.#failure);
    this.emit("error", this.#failure);
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closeTimer?.cancel();
    closeQuietly(this.#init.session);
    this.#closed?.();
    this.emit("close");
  }
}

/** Closes a session, whatever its implementation thinks of that. */
export function closeQuietly(session: WebTransportSession): void {
  try {
    session.close();
  } catch (error) {
    debug("session does not close: %o", error);
  }
}

/** Somebody else hears of the same failure. */
export function ignoreFailure(error: unknown): void {
  debug("ignored: %o", error);
}

function encodeChunk(packets: readonly OutgoingPacket[], codec: PacketCodec): Buffer {
  const parts: Buffer[] = [];
  for (const packet of packets) {
    // The clients take a frame without a payload for an error, so no bytes travel as text.
    const encoded = codec.encodePacket(packet, packet.data?.length !== 0);
    const payload = typeof encoded === "string" ? Buffer.from(encoded) : encoded;
    parts.push(encodeFrameHeader(payload.length, encoded === payload), payload);
  }
  return Buffer.concat(parts);
}
