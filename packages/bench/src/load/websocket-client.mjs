// oxlint-disable no-await-in-loop -- a worker opens one connection after the other
import { connect } from "node:net";
import { clientFrame, FrameCounter, readFrames } from "./frames.mjs";

/** @import { Message } from "../messages.mjs" */

/**
 * What a server greets with: "socket.io" with the open packet and, asked for it, the main namespace;
 * "engine.io" with the open packet; a floor with "none", a connection is ready with the answer to
 * its upgrade request.
 *
 * @typedef {"socket.io" | "engine.io" | "none"} Protocol
 */

/**
 * Where to connect.
 *
 * @typedef {{ port: number, protocol: Protocol }} Target
 */

const NAMESPACE_CONNECT = clientFrame("40");
const PONG = clientFrame("3");

/** All sockets read into the same memory: what arrives is looked at before the next read. */
const INPUT = Buffer.allocUnsafe(65_536);

/** A WebSocket client reduced to what a load needs: ready frames out, frames counted in. */
export class WebSocketClient {
  /** Called with the number of frames that arrived together. @type {(frames: number) => void} */
  onFrames = () => {};
  /** Called when the connection ended without `close()`. @type {(error: Error) => void} */
  onLost = () => {};

  #socket;
  #target;
  #counter = new FrameCounter({ masked: false });
  /** @type {((messages: Message[]) => boolean) | undefined} reads contents until it says true */
  #reader;
  /** @type {Buffer} */
  #unread = Buffer.alloc(0);
  #upgraded = false;

  /** @param {Target} target */
  constructor(target) {
    this.#target = target;
    this.#socket = connect({
      host: "127.0.0.1",
      port: target.port,
      noDelay: true,
      onread: { buffer: INPUT, callback: (length) => this.#read(length) },
    });
    this.#socket.on("error", (error) => this.onLost(error));
    this.#socket.on("close", () => this.onLost(new Error("the server closed a connection")));
  }

  /** Resolves when the connection is open, and what the server greets with has come. */
  async open() {
    this.#socket.write(upgradeRequest(this.#target));
    await this.#collect((messages) => this.#isGreeted(messages));
  }

  /**
   * Sends frames that were built beforehand.
   *
   * @param {Uint8Array} frames
   */
  send(frames) {
    this.#socket.write(frames);
  }

  /**
   * Resolves with the contents of the next frames; meanwhile `onFrames` is not called.
   *
   * @param {number} count
   * @returns {Promise<Message[]>}
   */
  async receive(count) {
    return this.#collect((messages) => messages.length >= count);
  }

  /** Ends the connection with a reset, which leaves no port waiting behind. */
  close() {
    this.onLost = () => {};
    this.#socket.resetAndDestroy();
  }

  /** @param {Message[]} messages all that came so far; the answer to "open" is sent once */
  #isGreeted(messages) {
    const { protocol } = this.#target;
    if (protocol === "none") return true;
    if (protocol === "engine.io") return String(messages[0]).startsWith("0{");
    if (messages.length === 1) this.send(NAMESPACE_CONNECT);
    return messages.length >= 2 && String(messages[1]).startsWith("40{");
  }

  /**
   * @param {(messages: Message[]) => boolean} done
   * @returns {Promise<Message[]>}
   */
  #collect(done) {
    /** @type {Message[]} */
    const collected = [];
    return new Promise((resolve, reject) => {
      this.onLost = reject;
      this.#reader = (messages) => {
        collected.push(...messages);
        const complete = done(collected);
        if (complete) resolve(collected);
        return complete;
      };
    });
  }

  /**
   * @param {number} length
   * @returns {boolean} true: go on reading
   */
  #read(length) {
    if (this.#reader === undefined) this.#count(length);
    else this.#readContents(Buffer.concat([this.#unread, INPUT.subarray(0, length)]), this.#reader);
    return true;
  }

  /** @param {number} length */
  #count(length) {
    const frames = this.#counter.push(INPUT, length);
    if (this.#counter.closed) this.onLost(new Error("the server sent a close frame"));
    for (; this.#counter.pings > 0; this.#counter.pings--) this.send(PONG);
    if (frames > 0) this.onFrames(frames);
  }

  /**
   * @param {Buffer} input
   * @param {(messages: Message[]) => boolean} reader
   */
  #readContents(input, reader) {
    this.#unread = input;
    if (!this.#upgraded) {
      const end = input.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!input.toString("latin1", 0, end).startsWith("HTTP/1.1 101 ")) {
        return this.onLost(new Error(`no upgrade: ${input.toString("latin1", 0, end)}`));
      }
      this.#upgraded = true;
      this.#unread = input.subarray(end + 4);
    }
    const { messages, rest } = readFrames(this.#unread);
    this.#unread = rest;
    if (reader(messages)) {
      this.#reader = undefined;
      this.#counter.push(rest, rest.length);
      this.#unread = Buffer.alloc(0);
    }
  }
}

/**
 * Opens many connections, some at a time.
 *
 * @param {Target} target
 * @param {number} count
 * @param {number} [together] default 50
 * @returns {Promise<WebSocketClient[]>}
 */
export async function openMany(target, count, together = 50) {
  /** @type {WebSocketClient[]} */
  const clients = [];
  let started = 0;
  const worker = async () => {
    while (started < count) {
      started++;
      const client = new WebSocketClient(target);
      await client.open();
      clients.push(client);
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  return clients;
}

/**
 * The path of the requests to a server; a floor answers any.
 *
 * @param {Protocol} protocol
 * @param {"polling" | "websocket"} transport
 * @returns {string}
 */
export function requestPath(protocol, transport) {
  const base = protocol === "engine.io" ? "/engine.io/" : "/socket.io/";
  return `${base}?EIO=4&transport=${transport}`;
}

/**
 * The headers of a browser, because a server reads them all.
 *
 * @param {Target} target
 */
function upgradeRequest({ port, protocol }) {
  return (
    `GET ${requestPath(protocol, "websocket")} HTTP/1.1\r\n` +
    `Host: 127.0.0.1:${port}\r\n` +
    "Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n" +
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0\r\n" +
    `Upgrade: websocket\r\nOrigin: http://127.0.0.1:${port}\r\n` +
    "Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br\r\n" +
    "Accept-Language: en-US,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
  );
}
