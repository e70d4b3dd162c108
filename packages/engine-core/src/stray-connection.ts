import createDebug from "debug";
import type { WebSocketLike } from "./transports/websocket.js";

const debug = createDebug("engine");

/** Closes a WebSocket that nobody listens to: what the peer may have sent already can be garbage. */
export function dismiss(websocket: WebSocketLike): void {
  websocket.on("error", ignoreError);
  websocket.close();
}

/** For connections that are no session yet: their errors concern nobody. */
export function ignoreError(error: Error): void {
  debug("a connection failed that is no session: %s", error.message);
}
