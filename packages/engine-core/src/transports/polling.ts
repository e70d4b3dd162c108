import type { IncomingMessage, ServerResponse } from "node:http";
import { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import vary from "vary";
import type { Timer } from "../clock.js";
import type { EnginePacket, OutgoingPacket, PacketCodec, RawData } from "../codec.js";
import { TransportError } from "../errors.js";
import type { Scheduler } from "../timer-wheel.js";
import { compress, negotiateCoding, type HttpCompressionOptions } from "./compression.js";
import { endInOneWrite } from "./http-response.js";
import { readBody, type BodyResult } from "./polling-body.js";
import type { PollingFormat } from "./polling-format.js";
import {
  TransportBase,
  type TransportHost,
  type TransportName,
  type TransportState,
} from "./transport.js";

/** What a polling transport is made of. */
export interface PollingTransportInit {
  readonly codec: PacketCodec;
  readonly supportsBinary: boolean;
  readonly scheduler: Scheduler;
  /** Bytes that the body of one request may have. */
  readonly maxHttpBufferSize: number;
  readonly format: PollingFormat;
  readonly httpCompression: Required<Pick<HttpCompressionOptions, "threshold">> | false;
  /** Lets the server add to the headers of a response, before they are written. */
  readonly onHeaders: (headers: ResponseHeaders, req: IncomingMessage) => void;
}

/** Headers by name. */
export type ResponseHeaders = Record<string, string | string[]>;

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

const debug = createDebug("engine:polling");

const CLOSE: OutgoingPacket = { type: "close" };
const NOOP: OutgoingPacket = { type: "noop" };

/**
 * Long-polling over HTTP (behaviours 28 to 38): the peer keeps one GET open, which the next payload
 * answers, and POSTs what it has to say.
 */
export class PollingTransport extends TransportBase {
  static override readonly upgradesTo: readonly TransportName[] = ["websocket", "webtransport"];
  readonly name = "polling";
  sid: string | undefined;
  readonly supportsBinary: boolean;
  /**
   * How long an orderly close waits for a poll by which to tell the peer (behaviour 38), and then for
   * the peer to read what it is told, in ms.
   */
  closeTimeout = 30_000;
  readonly #init: PollingTransportInit;
  #host: TransportHost | undefined;
  #poll: Exchange | undefined;
  /** The last answer, until the kernel has all of it. */
  #answer: Exchange | undefined;
  #answerBytes = 0;
  /** Set while a closed transport has an answer that the peer does not read. */
  #cut: Timer | undefined;
  #data: Exchange | undefined;
  #discarded = false;
  #closed = false;
  /** Set while an orderly close waits for a poll. */
  #closing: { readonly closed: (() => void) | undefined; readonly timer: Timer } | undefined;

  constructor(init: PollingTransportInit) {
    super();
    this.supportsBinary = init.supportsBinary;
    this.#init = init;
  }

  /** A peer that polls again without having read the last answer waits for that one first. */
  get writable(): boolean {
    return this.#poll !== undefined && !this.#isAnswering;
  }

  /** The size of the answer that the peer is reading. Text counts one byte per UTF-16 code unit. */
  get bufferedBytes(): number {
    return this.#isAnswering ? this.#answerBytes : 0;
  }

  get protocol(): 3 | 4 {
    return this.#init.codec.protocol;
  }

  get readyState(): TransportState {
    if (this.#closed) return "closed";
    return this.#closing === undefined ? "open" : "closing";
  }

  get discarded(): boolean {
    return this.#discarded;
  }

  /** Bytes that the body of one request may have. */
  get maxHttpBufferSize(): number {
    return this.#init.maxHttpBufferSize;
  }

  get httpCompression(): PollingTransportInit["httpCompression"] {
    return this.#init.httpCompression;
  }

  host(host: TransportHost): void {
    this.#host = host;
  }

  override onRequest(req: IncomingMessage, res: ServerResponse): void {
    if (req.method === "GET") this.#onPoll(req, res);
    else if (req.method === "POST") this.#onData(req, res);
    else res.writeHead(500).end();
  }

  send(packets: readonly OutgoingPacket[], written?: () => void): void {
    const poll = this.#poll;
    if (poll === undefined) return;
    this.#poll = undefined;
    const closing = this.#closing;
    const all = closing === undefined ? packets : [...packets, CLOSE];
    const { codec, format } = this.#init;
    const body = format.encodeBody(codec.encodePayload(all, this.supportsBinary));
    // Only at the end: who polls again without having read the last answer never will.
    if (this.#isAnswering) this.#answer?.res.destroy();
    this.#answer = poll;
    this.#answerBytes = body.length;
    if (this.#isWorthCompressing(all, body)) this.#respondCompressed(poll, body, written);
    else this.#respond(poll, body, {}, written);
    if (closing !== undefined) this.#finishClose(closing.closed);
  }

  close(closed?: () => void): void {
    if (this.#closed) {
      closed?.();
      return;
    }
    this.#abortData();
    if (this.#poll !== undefined) {
      this.send([CLOSE]);
      this.#finishClose(closed);
    } else if (this.#discarded) {
      this.#finishClose(closed);
    } else {
      this.#closing ??= {
        closed,
        timer: this.#init.scheduler.after(this.closeTimeout, {
          expire: () => this.#finishClose(closed),
        }),
      };
    }
  }

  discard(): void {
    this.#discarded = true;
  }

  override destroy(): void {
    this.#answer?.res.destroy();
    this.#poll?.res.destroy();
    this.#abortData();
  }

  get #isAnswering(): boolean {
    return this.#answer !== undefined && !this.#answer.res.writableFinished;
  }

  #onPoll(req: IncomingMessage, res: ServerResponse): void {
    if (this.#poll !== undefined) {
      res.writeHead(400).end();
      this.#fail("ERR_TRANSPORT_OVERLAP", "overlap from client");
      return;
    }
    const poll: Exchange = { req, res };
    this.#poll = poll;
    // The peer hung up: before there was an answer, or before it had the whole of it.
    res.on("close", () => {
      if (this.#answer === poll) {
        this.#answer = undefined;
        this.#cut?.cancel();
      }
      if (this.#poll !== poll && res.writableFinished) {
        this.#onAnswered();
        return;
      }
      if (this.#poll === poll) this.#poll = undefined;
      this.#fail("ERR_TRANSPORT_ABORTED", "poll connection closed prematurely");
    });
    res.on("error", ignoreError);
    if (this.#isAnswering) return;
    this.#onReady();
    if (this.#closing !== undefined && this.#poll === poll) this.send([NOOP]);
  }

  /** The peer has read an answer, and polls again already. */
  #onAnswered(): void {
    const poll = this.#poll;
    if (poll === undefined || this.#isAnswering) return;
    this.#onReady();
    if (this.#closing !== undefined && this.#poll === poll) this.send([NOOP]);
  }

  #onReady(): void {
    this.emit("ready");
    this.#host?.onReady();
  }

  #onData(req: IncomingMessage, res: ServerResponse): void {
    if (this.#data !== undefined) {
      res.writeHead(400).end();
      this.#fail("ERR_TRANSPORT_OVERLAP", "data request overlap from client");
      return;
    }
    if (this.#init.codec.protocol === 4 && hasBinaryBody(req)) {
      res.writeHead(400).end();
      this.#fail("ERR_TRANSPORT_PROTOCOL", "invalid content");
      return;
    }
    const data: Exchange = { req, res };
    this.#data = data;
    readBody(req, this.#init.maxHttpBufferSize, (body) => {
      if (this.#data !== data) return;
      this.#data = undefined;
      this.#onBody(data, body);
    });
  }

  #onBody({ req, res }: Exchange, body: BodyResult): void {
    switch (body.type) {
      case "aborted":
        this.#fail("ERR_TRANSPORT_ABORTED", "data request connection closed prematurely");
        break;
      case "too large":
        res.writeHead(413).end();
        break;
      case "body":
        this.#onPayload(body.data, hasBinaryBody(req));
        res.writeHead(
          200,
          this.#headers(req, { "Content-Type": "text/html", "Content-Length": "2" }),
        );
        endInOneWrite(res, "ok", undefined);
    }
  }

  #onPayload(body: Buffer, isBinary: boolean): void {
    const payload = this.#init.format.decodeBody(body, isBinary);
    if (payload === undefined) return;
    try {
      this.#init.codec.decodePayload(payload, this.#onPacket);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#host?.onParseError(error);
    }
  }

  // Made once per transport, because the codec calls it without a receiver.
  readonly #onPacket = (packet: EnginePacket): boolean => {
    if (packet.type !== "close") {
      this.emit("packet", packet);
      this.#host?.onPacket(packet);
      return !this.#closed;
    }
    if (this.#poll !== undefined) this.send([NOOP]);
    this.#finishClose(undefined);
    this.#host?.onClose();
    return false;
  };

  #isWorthCompressing(packets: readonly OutgoingPacket[], body: RawData): boolean {
    const { httpCompression } = this.#init;
    return (
      httpCompression !== false &&
      Buffer.byteLength(body) >= httpCompression.threshold &&
      packets.some(({ options }) => options?.compress !== false)
    );
  }

  #respond(
    { req, res }: Exchange,
    body: RawData,
    headers: ResponseHeaders,
    written: (() => void) | undefined,
  ): void {
    const all = this.#headers(req, {
      "Content-Type": contentType(body),
      "Content-Length": String(Buffer.byteLength(body)),
      ...headers,
    });
    res.writeHead(200, all);
    endInOneWrite(res, body, written);
    this.emit("drain");
  }

  /** Answers in the coding that the client takes, if any (behaviour 40). */
  #respondCompressed(poll: Exchange, body: RawData, written: (() => void) | undefined): void {
    vary(poll.res, "Accept-Encoding");
    const coding = negotiateCoding(poll.req);
    const { httpCompression } = this.#init;
    if (coding === undefined || httpCompression === false) {
      this.#respond(poll, body, {}, written);
      return;
    }
    compress(body, coding, httpCompression, (error, compressed) => {
      if (error === null) {
        const headers = { "Content-Encoding": coding, "Content-Type": contentType(body) };
        this.#respond(poll, compressed, headers, written);
      } else {
        debug("compression failed: %s", error.message);
        poll.res.writeHead(500).end();
        this.#fail("ERR_TRANSPORT_CONNECTION", "compression failed", error);
      }
    });
  }

  #headers(req: IncomingMessage, headers: ResponseHeaders): ResponseHeaders {
    const userAgent = req.headers["user-agent"];
    // Internet Explorer takes responses with user input for attacks (behaviour 27).
    if (
      userAgent !== undefined &&
      (userAgent.includes(";MSIE") || userAgent.includes("Trident/"))
    ) {
      headers["X-XSS-Protection"] = "0";
    }
    headers["cache-control"] = "no-store";
    this.emit("headers", headers, req);
    this.#init.onHeaders(headers, req);
    return headers;
  }

  #fail(code: TransportError["code"], message: string, cause?: Error): void {
    const error = new TransportError(code, message, cause);
    this.#host?.onError(error);
    this.emit("error", error);
  }

  #abortData(): void {
    const data = this.#data;
    this.#data = undefined;
    data?.req.destroy();
  }

  #finishClose(closed: (() => void) | undefined): void {
    if (this.#closed) return;
    this.#closing?.timer.cancel();
    this.#closing = undefined;
    this.#closed = true;
    this.#cutLater();
    closed?.();
    this.emit("close");
  }

  /** Nobody else would notice a peer that never reads its last answer. */
  #cutLater(): void {
    const answer = this.#answer;
    if (answer === undefined || answer.res.writableFinished) return;
    this.#cut = this.#init.scheduler.after(this.closeTimeout, {
      expire: () => answer.res.destroy(),
    });
  }
}

/** An exact match: with a parameter, it is text (behaviour 34). */
function hasBinaryBody(req: IncomingMessage): boolean {
  return req.headers["content-type"] === "application/octet-stream";
}

function contentType(body: RawData): string {
  return typeof body === "string" ? "text/plain; charset=UTF-8" : "application/octet-stream";
}

function ignoreError(error: Error): void {
  debug("response failed: %s", error.message);
}
