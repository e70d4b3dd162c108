import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

import { formatRequest, type HeaderList, parseResponse, type RawResponse } from "./raw-http.js";

/** The opcodes of RFC 6455, section 5.2. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** A frame to send. Nothing is checked, so illegal frames can be made as well. */
export interface OutgoingFrame {
  readonly opcode: number;
  /** @default empty */
  readonly payload?: Buffer | string;
  /** @default true */
  readonly fin?: boolean;
  /** The three reserved bits as a number: 4 is RSV1. @default 0 */
  readonly rsv?: number;
  /** A client has to mask (RFC 6455, section 5.3). @default true */
  readonly masked?: boolean;
}

/** A frame as it was received. */
export interface IncomingFrame {
  readonly fin: boolean;
  /** The three reserved bits as a number: 4 is RSV1. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
  /** The payload as UTF-8 text. */
  readonly text: string;
  /** The status code of a close frame; undefined when the frame has none, and for other frames. */
  readonly closeCode: number | undefined;
}

/** How a WebSocket connection ended. */
export interface RawClosure {
  /** Whether a close frame came before the end of the connection. */
  readonly hasCloseFrame: boolean;
  /** The status code of the close frame; undefined without a code (a browser reports 1005) or without a frame. */
  readonly code: number | undefined;
}

/** What to ask for when opening a WebSocket. */
export interface UpgradeRequest {
  readonly port: number;
  /** The request target, query string included, sent as it is. */
  readonly path: string;
  /** Sent after the headers that make up the upgrade. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes that leave in the same write as the request, before the server has answered. */
  readonly early?: Buffer;
  /** Whether a close frame is answered with one (RFC 6455, section 5.5.1). @default true */
  readonly answersClose?: boolean;
}

/** What came of an attempt to open a WebSocket. */
export type UpgradeOutcome =
  | { readonly name: "accepted"; readonly socket: RawWebSocket; readonly response: RawResponse }
  /** Answered with another status than 101; settled when the server has closed the connection. */
  | { readonly name: "refused"; readonly response: RawResponse; readonly received: Buffer }
  /** Closed without a complete HTTP answer. */
  | { readonly name: "dropped"; readonly received: Buffer };

interface Waiter {
  resolve(frame: IncomingFrame): void;
  reject(error: Error): void;
}

const HANDSHAKE_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function mask(payload: Buffer, key: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (key[index % 4] ?? 0)));
}

function lengthBytes(length: number, maskBit: number): Buffer {
  if (length < 126) {
    return Buffer.from([maskBit | length]);
  }
  if (length < 0x10000) {
    return Buffer.from([maskBit | 126, length >> 8, length & 0xff]);
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** Writes a frame down as the bytes that go over the wire (RFC 6455, section 5.2). */
export function formatFrame(frame: OutgoingFrame): Buffer {
  const { opcode, fin = true, rsv = 0, masked = true } = frame;
  const payload = Buffer.from(frame.payload ?? "");
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  if (!masked) {
    return Buffer.concat([first, lengthBytes(payload.length, 0), payload]);
  }
  const key = randomBytes(4);
  return Buffer.concat([first, lengthBytes(payload.length, 0x80), key, mask(payload, key)]);
}

/** Where the payload of the frame begins and how long it is; undefined while the header is not complete. */
function extentOf(wire: Buffer, second: number): { start: number; size: number } | undefined {
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + (second >= 0x80 ? 4 : 0);
  if (wire.length < start) {
    return undefined;
  }
  if (extended === 0) {
    return { start, size: short };
  }
  return { start, size: extended === 2 ? wire.readUInt16BE(2) : Number(wire.readBigUInt64BE(2)) };
}

/** Reads the first frame out of `wire`; undefined while it is not complete. */
function parseFrame(wire: Buffer): { frame: IncomingFrame; length: number } | undefined {
  const [first, second] = wire;
  const extent = first === undefined || second === undefined ? undefined : extentOf(wire, second);
  if (first === undefined || second === undefined || extent === undefined) {
    return undefined;
  }
  const { start, size } = extent;
  const length = start + size;
  if (wire.length < length) {
    return undefined;
  }
  const masked = second >= 0x80;
  const body = Buffer.from(wire.subarray(start, length));
  const payload = masked ? mask(body, wire.subarray(start - 4, start)) : body;
  const opcode = first & 0x0f;
  const hasCode = opcode === OPCODE.close && size >= 2;
  const frame: IncomingFrame = {
    fin: first >= 0x80,
    rsv: (first >> 4) & 0x7,
    opcode,
    masked,
    payload,
    text: payload.toString("utf8"),
    closeCode: hasCode ? payload.readUInt16BE(0) : undefined,
  };
  return { frame, length };
}

/** A WebSocket client that shows and sends single frames. */
export class RawWebSocket {
  /** The server's answer to the upgrade request. */
  readonly response: RawResponse;
  /** Resolves once the TCP connection is gone, however it went. */
  readonly closed: Promise<RawClosure>;
  readonly #socket: Socket;
  readonly #answersClose: boolean;
  readonly #frames: IncomingFrame[] = [];
  readonly #waiters: Waiter[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #closeFrame: IncomingFrame | undefined;
  #hasAnswered = false;
  #isClosed = false;

  /** Takes over a connection that has just been upgraded; use {@link RawWebSocket.connect}. */
  constructor(socket: Socket, response: RawResponse, rest: Buffer, answersClose: boolean) {
    this.#socket = socket;
    this.response = response;
    this.#answersClose = answersClose;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        for (const waiter of this.#waiters.splice(0)) {
          waiter.reject(this.#closedError());
        }
        const frame = this.#closeFrame;
        resolve({ hasCloseFrame: frame !== undefined, code: frame?.closeCode });
      });
    });
    this.#read(rest);
  }

  /** Sends an upgrade request and reports what came of it. Rejects only when no connection can be made. */
  static attempt(request: UpgradeRequest): Promise<UpgradeOutcome> {
    const key = randomBytes(16).toString("base64");
    const headers: HeaderList = [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", key],
      ...Object.entries(request.headers ?? {}),
    ];
    const socket = connect({ port: request.port, host: "127.0.0.1", noDelay: true });
    const wire = formatRequest({ path: request.path, headers });
    socket.write(Buffer.concat([wire, request.early ?? Buffer.alloc(0)]));
    return new Promise((resolve, reject) => {
      let received: Buffer = Buffer.alloc(0);
      const onData = (chunk: Buffer): void => {
        received = Buffer.concat([received, chunk]);
        const response = parseResponse(received);
        if (response?.status !== 101) {
          return;
        }
        socket.off("data", onData);
        socket.off("close", onClose);
        if (response.header("sec-websocket-accept") !== acceptFor(key)) {
          socket.destroy();
          reject(new Error("wrong Sec-WebSocket-Accept"));
          return;
        }
        const rest = received.subarray(response.raw.length);
        const accepted = new RawWebSocket(socket, response, rest, request.answersClose ?? true);
        resolve({ name: "accepted", socket: accepted, response });
      };
      const onClose = (): void => {
        const response = parseResponse(received, { hasEnded: true });
        resolve(
          response === undefined
            ? { name: "dropped", received }
            : { name: "refused", response, received },
        );
      };
      socket.on("data", onData);
      socket.on("close", onClose);
      // Stays for the life of the connection: a reset is one of the ways to be closed.
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") {
          reject(error);
        }
      });
    });
  }

  /** Opens a WebSocket. Throws when the server does not answer 101. */
  static async connect(request: UpgradeRequest): Promise<RawWebSocket> {
    const outcome = await RawWebSocket.attempt(request);
    if (outcome.name !== "accepted") {
      throw new Error(`upgrade ${outcome.name}: ${outcome.received.toString("latin1")}`);
    }
    return outcome.socket;
  }

  /** Frames that have come and that nobody has taken with {@link RawWebSocket.nextFrame}. */
  get untaken(): readonly IncomingFrame[] {
    return this.#frames;
  }

  /** Whether the TCP connection is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves with the next frame, control frames included. Rejects when the connection goes first. */
  nextFrame(): Promise<IncomingFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      return Promise.resolve(frame);
    }
    if (this.#isClosed) {
      return Promise.reject(this.#closedError());
    }
    const next = new Promise<IncomingFrame>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
    // Whoever asked may have stopped caring by the time the connection goes.
    next.catch(() => {});
    return next;
  }

  /** Resolves with the text of the next frame. Rejects when that is not a complete text message. */
  async nextText(): Promise<string> {
    const frame = await this.nextFrame();
    if (frame.opcode !== OPCODE.text || !frame.fin) {
      const { opcode, fin, closeCode } = frame;
      throw new Error(`not a text message: ${JSON.stringify({ opcode, fin, closeCode })}`);
    }
    return frame.text;
  }

  /** Sends a text message for a string, a binary message for a buffer. */
  send(message: Buffer | string): void {
    const opcode = typeof message === "string" ? OPCODE.text : OPCODE.binary;
    this.sendFrame({ opcode, payload: message });
  }

  /** Sends one message as several frames, one for each part. */
  sendFragments(parts: readonly (Buffer | string)[]): void {
    parts.forEach((payload, index) => {
      const first = typeof payload === "string" ? OPCODE.text : OPCODE.binary;
      const opcode = index === 0 ? first : OPCODE.continuation;
      this.sendFrame({ opcode, payload, fin: index === parts.length - 1 });
    });
  }

  /** Sends a frame, legal or not. */
  sendFrame(frame: OutgoingFrame): void {
    this.write(formatFrame(frame));
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends a close frame, without a status code when none is given, and leaves the rest to the server. */
  close(code?: number): void {
    const payload = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) {
      payload.writeUInt16BE(code);
    }
    this.#hasAnswered = true;
    this.sendFrame({ opcode: OPCODE.close, payload });
  }

  /** Reads nothing from here on. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection without a close frame. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (let next = parseFrame(this.#unread); next; next = parseFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(next.length);
      this.#onFrame(next.frame);
    }
  }

  #onFrame(frame: IncomingFrame): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#frames.push(frame);
    } else {
      waiter.resolve(frame);
    }
    if (frame.opcode === OPCODE.close) {
      this.#closeFrame ??= frame;
      if (this.#answersClose && !this.#hasAnswered) {
        this.#hasAnswered = true;
        this.sendFrame({ opcode: OPCODE.close, payload: frame.payload });
      }
    }
  }

  #closedError(): Error {
    return new Error(`connection closed, close code ${String(this.#closeFrame?.closeCode)}`);
  }
}

function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + HANDSHAKE_GUID)
    .digest("base64");
}
