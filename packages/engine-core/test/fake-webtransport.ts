import {
  ReadableStream,
  WritableStream,
  type ReadableStreamDefaultController,
} from "node:stream/web";
import { encodeFrameHeader, FrameDecoder, type RawData } from "@jackfield/parser";
import type { WebTransportSession, WebTransportStream } from "../src/transports/webtransport.js";

/** A frame as it travels. */
export function frame(data: RawData): Buffer {
  const payload = Buffer.from(data);
  return Buffer.concat([encodeFrameHeader(payload.length, typeof data !== "string"), payload]);
}

/** Lets promises that are settled already be told, however many depend on one another. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A WebTransport session on real streams in memory, of which a test plays the other end. */
export class FakeWebTransport implements WebTransportSession {
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: ReadableStream<WebTransportStream>;
  /** What the server wrote, one buffer for each write. */
  readonly chunks: Buffer[] = [];
  /** How often the server called `close`. */
  closeCalls = 0;
  #streams: ReadableStreamDefaultController<WebTransportStream> | undefined;
  #bytes: ReadableStreamDefaultController<Uint8Array> | undefined;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;
  #gate: Promise<void> | undefined;
  #openGate: ((error?: Error) => void) | undefined;

  constructor() {
    this.closed = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => {
        this.#streams = controller;
      },
    });
  }

  close(): void {
    this.closeCalls += 1;
    this.#settle?.resolve();
  }

  /** The client opens its stream. */
  openStream(): WebTransportStream {
    const stream = {
      readable: new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.#bytes = controller;
        },
      }),
      writable: new WritableStream<Uint8Array>({
        write: async (chunk) => {
          this.chunks.push(Buffer.from(chunk));
          await this.#gate;
        },
      }),
    };
    this.#streams?.enqueue(stream);
    return stream;
  }

  /** The client leaves without having opened a stream. */
  endStreams(): void {
    this.#streams?.close();
  }

  /** The client sends bytes, in one chunk. */
  sendBytes(bytes: Uint8Array): void {
    this.#bytes?.enqueue(bytes);
  }

  /** The client sends packets, in one chunk. */
  send(...packets: RawData[]): void {
    this.sendBytes(Buffer.concat(packets.map(frame)));
  }

  /** The client ends its side of the stream. */
  endStream(): void {
    this.#bytes?.close();
  }

  /** The stream breaks for the reader. */
  resetStream(error: Error): void {
    this.#bytes?.error(error);
  }

  /** The client closes the session. */
  leave(): void {
    this.#settle?.resolve();
  }

  /** The connection below fails. */
  fail(error: Error): void {
    this.#settle?.reject(error);
  }

  /** From here on the stream takes nothing, until `resume`. */
  pause(): void {
    this.#gate = new Promise((resolve, reject) => {
      this.#openGate = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  /** The stream takes what was written; with an error it fails instead. */
  resume(error?: Error): void {
    this.#openGate?.(error);
    this.#gate = undefined;
  }

  /** The frames that the server wrote. */
  get frames(): RawData[] {
    const decoder = new FrameDecoder(Infinity);
    const frames: RawData[] = [];
    for (const chunk of this.chunks) decoder.push(chunk, (data) => void frames.push(data));
    return frames;
  }
}
