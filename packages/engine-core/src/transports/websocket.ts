import type { Duplex } from "node:stream";
import { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import { WebSocket, type RawData as WsData } from "ws";
import type { OutgoingPacket, PacketCodec, RawData } from "../codec.js";
import { TransportError } from "../errors.js";
import { type FrameBatch, writeFrames } from "./frame-batch.js";
import type { SharedWriter, SharedWrites } from "./shared-writes.js";
import { TransportBase, type TransportHost, type TransportState } from "./transport.js";
import { WebSocketConnection, type ConnectionOwner } from "./websocket-connection.js";

const debug = createDebug("engine:ws");

/** Whether every write is to be logged. */
export function isTraced(): boolean {
  return debug.enabled;
}

/**
 * The WebSocket class of our server on `ws`, for compressed messages: it hands its events to its
 * transport, with no listener between. A connection without a transport emits them as usual.
 */
export class EngineWebSocket extends WebSocket {
  transport: WebSocketTransport | undefined;

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const { transport } = this;
    if (transport === undefined) return super.emit(event, ...args);
    switch (event) {
      case "message":
        // One cast each: what `ws` gives with these events.
        transport.onMessage(args[0] as WsData, args[1] as boolean);
        return true;
      case "close":
        transport.onClose();
        return true;
      case "error":
        transport.onError(args[0] as Error);
        return true;
      default:
        return super.emit(event, ...args);
    }
  }

  /** Called by `ws`, too, when the peer closes. */
  override close(code?: number, data?: string | Buffer): void {
    this.transport?.beforeClose();
    super.close(code, data);
  }
}

/** What is used of a WebSocket: ours, that of `ws`, or of another class given as `wsEngine`. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly extensions?: string;
  readonly bufferedAmount?: number;
  on(event: "message", listener: (data: WsData | string, isBinary?: boolean) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  send(
    data: RawData,
    options: { compress: boolean; binary: boolean },
    written?: (error?: Error | null) => void,
  ): unknown;
  close(): unknown;
}

/** What a WebSocket transport is made of. */
export interface WebSocketTransportInit {
  readonly websocket: WebSocketLike;
  /** The stream below `websocket`. */
  readonly stream: Duplex;
  readonly codec: PacketCodec;
  readonly supportsBinary: boolean;
  readonly batch: FrameBatch;
}

/**
 * The WebSocket transport (behaviours 62 to 65). Its connection receives, answers pings and closes;
 * data frames are written from here, straight to the stream, one buffer per tick.
 *
 * Its writable state is that of the stream: what a slow peer leaves waits in the session's write
 * buffer, where it is counted, and leaves in one buffer once the stream drains.
 */
export class WebSocketTransport extends TransportBase implements ConnectionOwner, SharedWriter {
  // What every write needs comes first: together, it is fetched from memory at once.
  #blocked = false;
  /** Absent where the WebSocket has to be asked. */
  #isOpen: boolean | undefined;
  /** Absent where frames are not ours to write: with an extension, and with a foreign WebSocket. */
  readonly #batch: FrameBatch | undefined;
  override readonly stream: Duplex;
  readonly #codec: PacketCodec;
  readonly supportsBinary: boolean;
  sid: string | undefined;
  readonly #websocket: WebSocketLike;
  #host: TransportHost | undefined;

  constructor(init: WebSocketTransportInit) {
    super();
    const { websocket } = init;
    this.supportsBinary = init.supportsBinary;
    this.#websocket = websocket;
    this.stream = init.stream;
    this.#codec = init.codec;
    this.#batch = isPlain(websocket) ? init.batch : undefined;
    if (websocket instanceof WebSocketConnection) {
      websocket.owner = this;
      this.#isOpen = websocket.readyState === WebSocket.OPEN;
    } else if (websocket instanceof EngineWebSocket) websocket.transport = this;
    else this.#listenToForeign(websocket);
  }

  get name(): "websocket" {
    return "websocket";
  }

  get writable(): boolean {
    return !this.#blocked && (this.#isOpen ?? this.#websocket.readyState === WebSocket.OPEN);
  }

  get bufferedBytes(): number {
    if (this.#batch !== undefined) return this.stream.writableLength;
    return this.#websocket.bufferedAmount ?? 0;
  }

  get protocol(): 3 | 4 {
    return this.#codec.protocol;
  }

  get readyState(): TransportState {
    const { readyState } = this.#websocket;
    if (readyState === WebSocket.CLOSED) return "closed";
    return readyState === WebSocket.CLOSING ? "closing" : "open";
  }

  get discarded(): boolean {
    return this.readyState !== "open";
  }

  host(host: TransportHost): void {
    this.#host = host;
  }

  send(packets: readonly OutgoingPacket[], written?: () => void): void {
    if (debug.enabled) debug("%s: writing %d packets", this.sid, packets.length);
    if (this.#batch === undefined) {
      this.#sendThroughWebSocket(packets, written);
      return;
    }
    const frames = this.#batch.encode(packets, this.#codec, this.supportsBinary);
    if (!writeFrames(this.stream, frames, written && ((error) => error ?? written())))
      this.onFull();
    if (this.listenerCount("drain") > 0) this.emit("drain");
    if (!this.#blocked && this.listenerCount("ready") > 0) this.emit("ready");
  }

  override handOver(packets: readonly OutgoingPacket[], writes: SharedWrites): number | undefined {
    if (this.#batch === undefined || !this.writable) return undefined;
    if (this.listenerCount("drain") > 0 || this.listenerCount("ready") > 0) return undefined;
    const frames = this.#batch.encode(packets, this.#codec, this.supportsBinary);
    writes.add(this, this.stream, frames);
    return this.stream.writableLength + frames.length;
  }

  close(closed?: () => void): void {
    debug("%s: closing", this.sid);
    this.#websocket.close();
    closed?.();
  }

  discard(): void {
    // A WebSocket never waits for its peer before it closes.
  }

  /** Takes a message of the peer. Only for the WebSocket. */
  onMessage(data: WsData | string, isBinary: boolean): void {
    this.#receive(isBinary ? toBuffer(data) : toText(data));
  }

  /** Takes a message of the peer. Only for the connection. */
  onText(text: string): void {
    this.#receive(text);
  }

  /** Takes a message of the peer. Only for the connection. */
  onBinary(data: Buffer): void {
    this.#receive(data);
  }

  /** The listener is made for the slow peer only: all others do without. */
  onFull(): void {
    this.#blocked = true;
    this.stream.once("drain", () => this.#onWritable());
  }

  onThrown(error: unknown): void {
    this.stream.destroy();
    this.onError(error instanceof Error ? error : new Error(String(error)));
  }

  /** Answers what came before a close frame before it is answered. Only for the WebSocket. */
  beforeClose(): void {
    this.#host?.onReady();
  }

  /** Nothing can be sent any more. Only for the connection. */
  onClosing(): void {
    this.#isOpen = false;
  }

  /** The connection is gone. Only for the WebSocket. */
  onClose(): void {
    this.#host?.onClose();
    this.emit("close");
  }

  /** The connection failed; `close` follows. Only for the WebSocket. */
  onError(error: Error): void {
    debug("%s: failed: %s", this.sid, error.message);
    const failure = new TransportError("ERR_TRANSPORT_CONNECTION", error.message, error);
    this.#host?.onError(failure);
    this.emit("error", failure);
  }

  #receive(data: RawData): void {
    if (debug.enabled) debug("%s: received %o", this.sid, data);
    const host = this.#host;
    if (host === undefined) return;
    let packet;
    try {
      packet = this.#codec.decodePacket(data);
    } catch (error) {
      if (error instanceof PacketError) host.onParseError(error);
      else throw error;
      return;
    }
    if (this.listenerCount("packet") > 0) this.emit("packet", packet);
    host.onPacket(packet);
  }

  #listenToForeign(websocket: WebSocketLike): void {
    websocket.on("message", (data, isBinary = typeof data !== "string") =>
      this.onMessage(data, isBinary),
    );
    websocket.on("close", () => this.onClose());
    websocket.on("error", (error) => this.onError(error));
  }

  /** The frames are made by the WebSocket; it says when it has sent the last of them (65, 66). */
  #sendThroughWebSocket(packets: readonly OutgoingPacket[], written?: () => void): void {
    this.#blocked = true;
    let waiting = packets.length;
    for (const packet of packets) {
      const data = this.#codec.encodePacket(packet, this.supportsBinary);
      const options = {
        compress: packet.options?.compress !== false,
        binary: typeof data !== "string",
      };
      this.#websocket.send(data, options, (error) => {
        waiting -= 1;
        if (error || waiting > 0) return;
        this.emit("drain");
        this.#onWritable();
        written?.();
      });
    }
  }

  #onWritable(): void {
    this.#blocked = false;
    this.emit("ready");
    this.#host?.onReady();
  }
}

/** Whether frames can be written to the stream below: no extension has to see them. */
function isPlain(websocket: WebSocketLike): boolean {
  if (websocket instanceof WebSocketConnection) return true;
  return websocket instanceof EngineWebSocket && websocket.extensions === "";
}

function toText(data: WsData | string): string {
  return typeof data === "string" ? data : toBuffer(data).toString();
}

function toBuffer(data: WsData | string): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (typeof data === "string") return Buffer.from(data);
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
