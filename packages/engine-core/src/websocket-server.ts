import { constants } from "node:buffer";
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { systemClock } from "./clock.js";
import { TimerWheel, type Scheduler } from "./timer-wheel.js";
import {
  ConnectionContext,
  WebSocketConnection,
  type ChunkObserver,
} from "./transports/websocket-connection.js";
import { EngineWebSocket, type WebSocketLike } from "./transports/websocket.js";
import type { UpgradeHeaders } from "./upgrade-headers.js";
import { judgeUpgrade, refuseUpgrade, upgradeResponse } from "./websocket-handshake.js";

/** What is used of a WebSocket server: ours, that of `ws`, or of the class given as `wsEngine`. */
export interface WebSocketServerLike {
  handleUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (websocket: WebSocketLike) => void,
  ): void;
  /** Foreign engines may lack it (behaviour 68). */
  on?(event: "headers", listener: (lines: string[], req: IncomingMessage) => void): unknown;
  close?(): unknown;
}

/** The options that a WebSocket server is made with. */
export interface WsEngineOptions {
  readonly noServer: true;
  readonly clientTracking: false;
  readonly perMessageDeflate: PerMessageDeflateOptions | false;
  readonly maxPayload: number;
}

/** A class with the interface of `WebSocketServer` of `ws`. */
export type WsEngine = new (options: WsEngineOptions) => WebSocketServerLike;

/**
 * Makes the WebSocket server of an engine: of the class given, that of `ws` if messages are to be
 * compressed, or our own.
 */
export function createWebSocketServer(
  options: Pick<WsEngineOptions, "perMessageDeflate" | "maxPayload">,
  wsEngine: WsEngine | undefined,
  scheduler: Scheduler = new TimerWheel(systemClock),
  chunks?: ChunkObserver,
): WebSocketServerLike {
  const all = { noServer: true, clientTracking: false, ...options } as const;
  if (wsEngine !== undefined) return new wsEngine(all);
  if (options.perMessageDeflate === false) {
    return new PlainWebSocketServer(options.maxPayload, scheduler, chunks);
  }
  return new WebSocketServer<typeof EngineWebSocket>({ ...all, WebSocket: EngineWebSocket });
}

/** What an upgrade is accepted with. */
export interface Opening {
  readonly headers: UpgradeHeaders;
  /** Further lines of the 101 response. */
  readonly lines: readonly string[];
  /** A frame that leaves together with the response, in characters of Latin-1. */
  readonly greeting?: string | undefined;
}

/** Our own WebSocket server: it accepts upgrades, and takes no extension. */
export class PlainWebSocketServer
  extends EventEmitter<{ headers: [lines: string[], req: IncomingMessage] }>
  implements WebSocketServerLike
{
  readonly #context: ConnectionContext;

  constructor(maxPayload: number, scheduler: Scheduler, chunks: ChunkObserver | undefined) {
    super();
    // Longer text could not be decoded, whatever the application allows.
    const limit = Math.min(maxPayload, constants.MAX_STRING_LENGTH);
    this.#context = new ConnectionContext(scheduler, limit, chunks);
  }

  handleUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (websocket: WebSocketLike) => void,
  ): void {
    if (!this.admits(req, socket, req.headers)) return;
    const lines: string[] = [];
    this.emit("headers", lines, req);
    callback(this.connect(socket, head, { headers: req.headers, lines }));
  }

  /** Whether a request may be accepted; else it is answered, and its connection ended. */
  admits({ method }: IncomingMessage, socket: Duplex, headers: UpgradeHeaders): boolean {
    const fault = judgeUpgrade(method, headers);
    if (fault !== undefined) {
      refuseUpgrade(fault, socket);
      return false;
    }
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return false;
    }
    if (WebSocketConnection.has(socket)) throw new Error("the socket was upgraded before");
    return true;
  }

  /** Answers a request that is admitted. */
  connect(
    socket: Duplex,
    head: Buffer,
    { headers, lines, greeting }: Opening,
  ): WebSocketConnection {
    const response = upgradeResponse(headers, lines);
    if (greeting === undefined) socket.write(response);
    else socket.write(response + greeting, "latin1");
    if (socket instanceof Socket) {
      // Where there never was a timeout, to set one makes the object larger.
      if (socket.timeout) socket.setTimeout(0);
      socket.setNoDelay();
    }
    // Before the connection listens: it would be told of it at once, and its owner not be there yet.
    if (head.length > 0) socket.unshift(head);
    return new WebSocketConnection(socket, this.#context);
  }
}
