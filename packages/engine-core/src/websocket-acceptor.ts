import type { HeaderHooks } from "./headers.js";
import type { Upgrade } from "./server-types.js";
import { ignoreError } from "./stray-connection.js";
import type { WebSocketLike } from "./transports/websocket.js";
import { PlainWebSocketServer, type WebSocketServerLike } from "./websocket-server.js";

/** Is given a WebSocket, and whether the greeting has been sent on it. */
export type Accepted = (websocket: WebSocketLike, isGreeted: boolean) => void;

/** Accepts the upgrades of a server: the 101 response and the open packet leave in one write. */
export class WebSocketAcceptor {
  readonly #websockets: WebSocketServerLike;
  readonly #hooks: HeaderHooks;

  constructor(websockets: WebSocketServerLike, hooks: HeaderHooks) {
    this.#websockets = websockets;
    this.#hooks = hooks;
    // Of our own server, the answer is put together here.
    if (websockets instanceof PlainWebSocketServer) return;
    websockets.on?.("headers", (lines, req) => lines.push(...hooks.upgradeLines(req)));
  }

  /**
   * @param greeting a frame to send with the response if possible, in characters of Latin-1
   * @param accepted not called when the request is refused
   */
  accept(upgrade: Upgrade, greeting: string | undefined, accepted: Accepted): void {
    const { req, socket, head } = upgrade;
    if (this.#websockets instanceof PlainWebSocketServer) {
      this.#acceptPlain(this.#websockets, upgrade, greeting, accepted);
      return;
    }
    socket.cork();
    this.#websockets.handleUpgrade(req, socket, head, (websocket) => {
      socket.removeListener("error", ignoreError);
      accepted(websocket, false);
    });
    socket.uncork();
  }

  #acceptPlain(
    websockets: PlainWebSocketServer,
    { req, socket, head, headers = req.headers }: Upgrade,
    greeting: string | undefined,
    accepted: Accepted,
  ): void {
    if (!websockets.admits(req, socket, headers)) return;
    const lines = this.#hooks.upgradeLines(req);
    // Lines of the application may be in any characters.
    const isGreeted = greeting !== undefined && lines.length === 0;
    if (!isGreeted) socket.cork();
    const websocket = websockets.connect(socket, head, {
      headers,
      lines,
      greeting: isGreeted ? greeting : undefined,
    });
    socket.removeListener("error", ignoreError);
    accepted(websocket, isGreeted);
    if (!isGreeted) socket.uncork();
  }
}
