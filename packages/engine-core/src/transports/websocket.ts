import type { Duplex } from "node:stream";
import { PacketError } from "@jackfield/parser";
import { WebSocket, type RawData as WsData } from "ws";
import type { OutgoingPacket, PacketCodec } from "../codec.js";
import { TransportError } from "../errors.js";
import { LazyEmitter } from "../lazy-emitter.js";
import type { FrameBatch } from "./frame-batch.js";
import type { Transport, TransportEvents, TransportHost } from "./transport.js";

/** The WebSocket class of our server: each one knows its transport, so one listener serves all. */
export class EngineWebSocket extends WebSocket {
  transport: WebSocketTransport | undefined;
}

/** What a WebSocket transport is made of. */
export interface WebSocketTransportInit {
  readonly websocket: EngineWebSocket;
  /** The stream below `websocket`: data frames are written to it directly. */
  readonly stream: Duplex;
  readonly codec: PacketCodec;
  readonly supportsBinary: boolean;
  readonly batch: FrameBatch;
}

/** Streams know their transport, so that one `drain` listener serves all of them. */
const transportOfStream = Symbol("transport");

interface TransportStream extends Duplex {
  [transportOfStream]?: WebSocketTransport;
}

/**
 * The WebSocket transport (behaviours 62 to 65): `ws` does the handshake, receives, answers pings
 * and closes; data frames are written by us, straight to the stream, one buffer per tick.
 *
 * Its writable state is that of the stream: what a slow peer leaves waits in the session's write
 * buffer, where it is counted, and leaves in one buffer once the stream drains.
 */
export class WebSocketTransport extends LazyEmitter<TransportEvents> implements Transport {
  readonly name = "websocket";
  sid: string | undefined;
  readonly supportsBinary: boolean;
  readonly #websocket: EngineWebSocket;
  readonly #stream: TransportStream;
  readonly #codec: PacketCodec;
  readonly #batch: FrameBatch;
  #host: TransportHost | undefined;
  #blocked = false;

  constructor(init: WebSocketTransportInit) {
    super();
    this.supportsBinary = init.supportsBinary;
    this.#websocket = init.websocket;
    this.#stream = init.stream;
    this.#codec = init.codec;
    this.#batch = init.batch;
    init.websocket.transport = this;
    this.#stream[transportOfStream] = this;
    init.websocket.on("message", onMessage);
    init.websocket.on("close", onClose);
    init.websocket.on("error", onError);
    this.#stream.on("drain", onDrain);
  }

  get writable(): boolean {
    return !this.#blocked && this.#websocket.readyState === WebSocket.OPEN;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  host(host: TransportHost): void {
    this.#host = host;
  }

  send(packets: readonly OutgoingPacket[], written?: () => void): void {
    const buffer = this.#batch.encode(packets, this.#codec, this.supportsBinary);
    this.#blocked = !this.#stream.write(buffer, written && ((error) => error ?? written()));
  }

  close(closed?: () => void): void {
    this.#websocket.close();
    closed?.();
  }

  discard(): void {
    // A WebSocket never waits for its peer before it closes.
  }

  /** Takes a message of the peer. Only for the listeners of this file. */
  onMessage(data: WsData, isBinary: boolean): void {
    const host = this.#host;
    if (host === undefined) return;
    let packet;
    try {
      const bytes = toBuffer(data);
      packet = this.#codec.decodePacket(isBinary ? bytes : bytes.toString());
    } catch (error) {
      if (error instanceof PacketError) host.onParseError(error);
      else throw error;
      return;
    }
    host.onPacket(packet);
  }

  /** The stream took everything it held. Only for the listeners of this file. */
  onDrain(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#host?.onReady();
  }

  /** The connection is gone. Only for the listeners of this file. */
  onClose(): void {
    this.#host?.onClose();
    this.emit("close");
  }

  /** The connection failed; `close` follows. Only for the listeners of this file. */
  onError(error: Error): void {
    this.#host?.onError(new TransportError("ERR_TRANSPORT_CONNECTION", error.message, error));
  }
}

function toBuffer(data: WsData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function onMessage(this: WebSocket, data: WsData, isBinary: boolean): void {
  (this as EngineWebSocket).transport?.onMessage(data, isBinary);
}

function onClose(this: WebSocket): void {
  (this as EngineWebSocket).transport?.onClose();
}

function onError(this: WebSocket, error: Error): void {
  (this as EngineWebSocket).transport?.onError(error);
}

function onDrain(this: TransportStream): void {
  this[transportOfStream]?.onDrain();
}
