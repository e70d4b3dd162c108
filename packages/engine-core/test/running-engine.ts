import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { Server, type ServerOptions, type Session } from "../src/index.js";

/** An engine on a real HTTP server, for one test. */
export interface RunningEngine {
  readonly engine: Server;
  readonly httpServer: HttpServer;
  readonly url: string;
  /** The next session that opens. */
  nextSession(): Promise<Session>;
  /** Opens a polling session, and takes the handshake off it. */
  openPolling(query?: string): Promise<PollingClient>;
  /** Opens a WebSocket, and reads the open packet. */
  openWebSocket(query?: string, options?: ClientOptions): Promise<WebSocketClient>;
}

/** A polling client that says nothing by itself. */
export interface PollingClient {
  readonly url: string;
  readonly session: Session;
  poll(headers?: Record<string, string>): Promise<Response>;
  post(body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
}

/** A WebSocket client that says nothing by itself. */
export interface WebSocketClient {
  readonly socket: WebSocket;
  readonly session: Session;
  next(): Promise<string | Buffer>;
}

export async function startEngine(
  options?: ServerOptions,
  httpServer: HttpServer = createServer(),
): Promise<RunningEngine> {
  const engine = new Server(options).attach(httpServer);
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    engine.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });
  // One cast: a server that listens on a port has an address.
  const { port } = httpServer.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/engine.io/`;
  const nextSession = () => new Promise<Session>((resolve) => engine.once("connection", resolve));
  return {
    engine,
    httpServer,
    url,
    nextSession,
    async openPolling(query = "EIO=4&transport=polling") {
      const opened = nextSession();
      await (await fetch(`${url}?${query}`)).text();
      const session = await opened;
      const own = `${url}?${query}&sid=${session.id}`;
      return {
        url: own,
        session,
        poll: (headers = {}) => fetch(own, { headers }),
        post: (body, headers = {}) => fetch(own, { method: "POST", body: body as string, headers }),
      };
    },
    async openWebSocket(query = "EIO=4&transport=websocket", clientOptions = {}) {
      const opened = nextSession();
      const socket = new WebSocket(`${url.replace("http", "ws")}?${query}`, clientOptions);
      onTestFinished(() => socket.terminate());
      const messages: (string | Buffer)[] = [];
      const waiting: ((message: string | Buffer) => void)[] = [];
      socket.on("message", (data: Buffer, isBinary) => {
        const message = isBinary ? data : data.toString();
        const resolve = waiting.shift();
        if (resolve === undefined) messages.push(message);
        else resolve(message);
      });
      const next = () =>
        new Promise<string | Buffer>((resolve) => {
          const message = messages.shift();
          if (message === undefined) waiting.push(resolve);
          else resolve(message);
        });
      await next();
      return { socket, session: await opened, next };
    },
  };
}
