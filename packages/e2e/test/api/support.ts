// What the tests of the API share.
import type { Server, Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { type Cell, CELLS, type ConnectOptions, pair, type Pair } from "../support/clients.js";

/** The latest client, over WebSocket. */
export const WEBSOCKET = CELLS.find(
  ({ modern, transport }) => modern && transport === "websocket",
) as Cell;

/** The latest client, over polling. */
export const POLLING = CELLS.find(
  ({ modern, transport }) => modern && transport === "polling",
) as Cell;

/** A client of the server over WebSocket, and the server's socket of it. */
export function join(
  server: { readonly io: Server; readonly port: number },
  options: ConnectOptions = {},
): Promise<Pair> {
  return pair(server, WEBSOCKET, options);
}

/** What the types of npm `socket.io` hide, though packages read it. */
export function hidden(target: object, name: string): unknown {
  return Reflect.get(target, name);
}

/** Resolves with the values of the next events of this name, one from each client. */
export function eachReceives(clients: readonly Socket[], event: string): Promise<unknown[]> {
  return Promise.all(
    clients.map((client) => new Promise((resolve) => client.once(event, resolve))),
  );
}

/** The ids of sockets, in the order of the alphabet. */
export function idsOf(sockets: Iterable<Pick<ServerSocket, "id">>): string[] {
  return [...sockets].map(({ id }) => id).sort();
}
