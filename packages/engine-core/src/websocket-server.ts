import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { EngineWebSocket, type WebSocketLike } from "./transports/websocket.js";

/** What is used of a WebSocket server: that of `ws`, or of the class given as `wsEngine`. */
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

/** Makes the WebSocket server of an engine: of the class given, or ours on `ws`. */
export function createWebSocketServer(
  options: Pick<WsEngineOptions, "perMessageDeflate" | "maxPayload">,
  wsEngine: WsEngine | undefined,
): WebSocketServerLike {
  const all = { noServer: true, clientTracking: false, ...options } as const;
  if (wsEngine !== undefined) return new wsEngine(all);
  return new WebSocketServer<typeof EngineWebSocket>({ ...all, WebSocket: EngineWebSocket });
}
