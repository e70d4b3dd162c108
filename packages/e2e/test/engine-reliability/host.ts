import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { connect, type Socket as TcpSocket } from "node:net";
import {
  Server,
  type ConnectionError,
  type ServerDeps,
  type ServerOptions,
  type Session,
} from "@jackfield/engine-core";
import { RawWebSocket } from "@jackfield/testkit";
import { onCleanup } from "../support/cleanup.js";
import { first } from "../support/wait.js";
import { listenOn } from "../support/subject.js";

export const WEBSOCKET = "/engine.io/?EIO=4&transport=websocket";
export const POLLING = "/engine.io/?EIO=4&transport=polling";

/** An engine on the loopback interface. */
export interface Host {
  readonly engine: Server;
  readonly httpServer: HttpServer;
  readonly port: number;
  /** The refusals so far. */
  readonly refusals: ConnectionError[];
  /** The name of each refusal so far. */
  refusalNames(): unknown[];
}

/** Starts an engine, which is closed after the test. */
export async function startHost(
  options: ServerOptions = {},
  deps: Partial<ServerDeps> = {},
): Promise<Host> {
  const httpServer = createServer();
  const engine = new Server(options, deps).attach(httpServer);
  const refusals: ConnectionError[] = [];
  engine.on("connection_error", (error) => refusals.push(error));
  const port = await listenOn(httpServer, 0);
  onCleanup(() => {
    engine.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });
  return {
    engine,
    httpServer,
    port,
    refusals,
    refusalNames: () => refusals.map(({ context }) => context["name"]),
  };
}

/** Opens a WebSocket session. */
export async function openWebSocket(
  { engine, port }: Host,
  headers: Record<string, string> = {},
): Promise<{ client: RawWebSocket; session: Session }> {
  const opened = first<Session>(engine, "connection");
  const client = await RawWebSocket.connect({ port, path: WEBSOCKET, headers });
  onCleanup(() => client.destroy());
  await client.nextText();
  return { client, session: await opened };
}

/** Opens a session whose client reads nothing behind the answer to its upgrade. */
export async function openStalledWebSocket({ engine, port }: Host): Promise<{
  socket: TcpSocket;
  session: Session;
}> {
  const opened = first<Session>(engine, "connection");
  const socket = connect(port, "127.0.0.1");
  onCleanup(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(
    `GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(socket, "readable");
  return { socket, session: await opened };
}

/** Sends a GET and reads nothing of the answer. */
export function requestWithoutReading(port: number, path: string): TcpSocket {
  const socket = connect(port, "127.0.0.1");
  onCleanup(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}
