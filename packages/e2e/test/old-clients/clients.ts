import { createRequire } from "node:module";
import type { Server, Socket } from "socket.io";
import { onCleanup } from "../support/cleanup.js";
import { answerRoundTrips } from "../support/clients.js";
import { type RunningServer, startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

/** What these tests use of a client of Socket.IO 1 or 2. There are no types for them. */
export interface OldClient {
  /** What the client takes for the id of its socket. */
  readonly id: string;
  readonly connected: boolean;
  readonly io: OldManager;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  once(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  send(...args: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

interface OldManager {
  readonly engine: {
    readonly id: string;
    readonly transport: { readonly name: string };
    close(): unknown;
  };
  reconnection(isWanted: boolean): unknown;
  /** A further namespace on the same connection. */
  socket(nsp: string, options?: object): OldClient;
}

type Connect = (url: string, options: object) => OldClient;

/** One column of the matrix: which client speaks over which transport. */
export interface Cell {
  readonly name: string;
  readonly client: "2.5.0" | "2.0.4" | "1.7.4" | "1.4.8";
  /** `upgrade` starts with polling and is on WebSocket when `ready` resolves. */
  readonly transport: "polling" | "websocket" | "upgrade";
  /** The major version. */
  readonly version: 1 | 2;
}

const require = createRequire(import.meta.url);

const CLIENTS: Readonly<Record<Cell["client"], Connect>> = {
  "2.5.0": require("socket.io-client-2") as Connect,
  "2.0.4": require("socket.io-client-2.0") as Connect,
  "1.7.4": require("socket.io-client-1") as Connect,
  "1.4.8": require("socket.io-client-1.4") as Connect,
};

/** Every client over every transport. */
export const CELLS: readonly Cell[] = (Object.keys(CLIENTS) as Cell["client"][]).flatMap((client) =>
  (["polling", "websocket", "upgrade"] as const).map((transport) => ({
    name: `socket.io-client ${client}, ${transport}`,
    client,
    transport,
    version: client < "2" ? (1 as const) : (2 as const),
  })),
);

/** What `connect` takes besides the options of the client. */
export interface ConnectOptions {
  /** Namespace, with an optional query. Default `/`. */
  readonly nsp?: string;
  readonly reconnection?: boolean;
}

/** Starts a server that admits old clients. */
export function startOld(options: Parameters<typeof startServer>[0] = {}): Promise<RunningServer> {
  return startServer({ allowEIO3: true, ...options });
}

/** Makes a client on a connection of its own, which does not reconnect unless told to. */
export function connect(port: number, cell: Cell, options: ConnectOptions = {}): OldClient {
  const { nsp = "/", ...clientOptions } = options;
  const { transport } = cell;
  const client = CLIENTS[cell.client](`http://127.0.0.1:${port}${nsp}`, {
    forceNew: true,
    reconnection: false,
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
    transports: transport === "upgrade" ? ["polling", "websocket"] : [transport],
    ...clientOptions,
  });
  const { io: manager } = client;
  onCleanup(() => {
    manager.reconnection(false);
    client.disconnect();
    manager.engine.close();
  });
  return client;
}

/** Resolves when the client is in its namespace and, if the cell says so, has upgraded. */
export async function ready(client: OldClient, cell: Cell): Promise<OldClient> {
  if (!client.connected) await received(client, "connect");
  if (cell.transport === "upgrade") {
    await until(() => client.io.engine.transport.name === "websocket");
  }
  return client;
}

/** A client and the server's socket of it. */
export interface Pair {
  readonly client: OldClient;
  readonly socket: Socket;
}

/** Where a server listens, or a proxy of it. */
export interface Reachable {
  readonly io: Server;
  readonly port: number;
}

/** Connects a client and finds the server's socket, which then answers `roundTrip`. */
export async function pair(
  server: Reachable,
  cell: Cell,
  options: ConnectOptions = {},
): Promise<Pair> {
  const client = await ready(connect(server.port, cell, options), cell);
  const [name = "/"] = (options.nsp ?? "/").split("?");
  const socket = socketOf(server.io, client, name);
  answerRoundTrips(socket);
  return { client, socket };
}

/** The server's socket of a client, which has the id of the connection (Z5). */
export function socketOf(io: Server, client: OldClient, name = "/"): Socket {
  const { id } = client.io.engine;
  const socket = io.of(name).sockets.get(name === "/" ? id : `${name}#${id}`);
  if (socket === undefined) throw new Error("the server has no socket on the client's connection");
  return socket;
}

/**
 * Resolves when the server has answered. Both directions keep their order, so the server has then
 * seen everything sent before, and the client everything the server had sent until then.
 */
export function roundTrip(client: OldClient): Promise<void> {
  return new Promise((resolve) => {
    client.emit("round trip", () => resolve());
  });
}
