import type { Server, Socket as ServerSocket } from "socket.io";
import {
  io as connectLatest,
  type ManagerOptions,
  type Socket,
  type SocketOptions,
} from "socket.io-client";
import { io as connectVersion3 } from "socket.io-client-3.1";
import { io as connectVersion4 } from "socket.io-client-4.0";
import { onCleanup } from "./cleanup.js";
import { until } from "./wait.js";

/** The clients of the current protocol, latest first. Older ones: `old-clients/clients.ts`. */
const CLIENTS = {
  "4.8.4": connectLatest,
  "4.0.2": connectVersion4,
  "3.1.3": connectVersion3,
} as const;

const LATEST = "4.8.4";

/** One column of the matrix: which client speaks over which transport. */
export interface Cell {
  readonly name: string;
  readonly client: keyof typeof CLIENTS;
  /** `upgrade` starts with polling and is on WebSocket when `ready` resolves. */
  readonly transport: "polling" | "websocket" | "upgrade";
  /** Whether the client has `timeout()`, `emitWithAck()` and outgoing catch-all listeners. */
  readonly modern: boolean;
}

const TRANSPORTS = ["polling", "websocket", "upgrade"] as const;

/** Every combination of client and transport. */
export const CELLS: readonly Cell[] = (Object.keys(CLIENTS) as Cell["client"][]).flatMap((client) =>
  TRANSPORTS.map((transport) => ({
    name: `socket.io-client ${client}, ${transport}`,
    client,
    transport,
    modern: client === LATEST,
  })),
);

/** The names of the transports of a cell, as the clients' option wants them. */
export function transportsOf(transport: Cell["transport"]): ("polling" | "websocket")[] {
  return transport === "upgrade" ? ["polling", "websocket"] : [transport];
}

/** What `connect` takes besides the options of the client. */
export interface ConnectOptions extends Partial<ManagerOptions & SocketOptions> {
  /** Namespace, with an optional query. Default `/`. */
  readonly nsp?: string;
}

/**
 * Makes a client on a connection of its own, which does not reconnect unless told to. It is closed
 * after the test.
 */
export function connect(port: number, cell: Cell, options: ConnectOptions = {}): Socket {
  const { nsp = "/", ...clientOptions } = options;
  const client = CLIENTS[cell.client](`http://127.0.0.1:${port}${nsp}`, {
    forceNew: true,
    reconnection: false,
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
    transports: transportsOf(cell.transport),
    ...clientOptions,
  });
  const { io: manager } = client;
  onCleanup(() => {
    manager.reconnection(false);
    client.disconnect();
    manager.engine?.close();
  });
  return client;
}

/**
 * Resolves when the client is in its namespace and, if the cell says so, has upgraded. Rejects when
 * it is refused and will not try again.
 */
export async function ready(client: Socket, cell: Cell): Promise<Socket> {
  if (!client.connected) {
    await new Promise<void>((resolve, reject) => {
      client.once("connect", resolve);
      client.once("connect_error", (error) => {
        if (!client.io.reconnection()) reject(error);
      });
    });
  }
  if (cell.transport === "upgrade") {
    const { engine } = client.io;
    await until(() => engine.transport.name === "websocket");
  }
  return client;
}

/** A client and the server's socket of it. */
export interface Pair {
  readonly client: Socket;
  readonly socket: ServerSocket;
}

/** Connects a client and finds the server's socket, which then answers `roundTrip`. */
export async function pair(
  server: { readonly io: Server; readonly port: number },
  cell: Cell,
  options: ConnectOptions = {},
): Promise<Pair> {
  const client = await ready(connect(server.port, cell, options), cell);
  const [name = "/"] = (options.nsp ?? "/").split("?");
  const socket = server.io.of(name).sockets.get(client.id ?? "");
  if (socket === undefined) {
    throw new Error("the server has no socket with the id of the client");
  }
  answerRoundTrips(socket);
  return { client, socket };
}

/** Makes a server's socket answer `roundTrip`. */
export function answerRoundTrips(socket: ServerSocket): void {
  socket.on("round trip", (answer: () => void) => answer());
}

/**
 * Resolves when the server has answered. Both directions keep their order, so the server has then
 * seen everything sent before, and the client everything the server had sent until then.
 */
export function roundTrip(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    client.emit("round trip", () => resolve());
  });
}

/** Collects the arguments of every `event` from now on. */
export function collect(
  emitter: { on(event: string, listener: (...args: unknown[]) => void): unknown },
  event: string,
): unknown[][] {
  const calls: unknown[][] = [];
  emitter.on(event, (...args) => calls.push(args));
  return calls;
}
