import type { ServerOptions, Socket } from "socket.io";
import { answerRoundTrips } from "./clients.js";
import { RawClient } from "./raw-clients.js";
import { type RunningServer, startServer } from "./subject.js";

/** Starts a server whose namespaces `names` answer `RawClient.roundTrip`. */
export async function startWire(
  options: Partial<ServerOptions> = {},
  names: readonly string[] = ["/"],
): Promise<RunningServer> {
  const server = await startServer(options);
  for (const name of names) {
    server.io.of(name).on("connection", answerRoundTrips);
  }
  return server;
}

/** A raw client and the server's socket of it. */
export interface Joined {
  readonly client: RawClient;
  readonly socket: Socket;
}

/** Opens a connection and joins a namespace. */
export async function joinWire({ io, port }: RunningServer, nsp = "/"): Promise<Joined> {
  const client = await RawClient.open(port);
  return { client, socket: await joinOn(client, io, nsp) };
}

/** Joins a further namespace on a connection; resolves with the server's socket. */
export async function joinOn(
  client: RawClient,
  io: RunningServer["io"],
  nsp: string,
): Promise<Socket> {
  const id = await client.join(nsp);
  const socket = io.of(nsp).sockets.get(id);
  if (socket === undefined) {
    throw new Error("the server has no socket with the id of its CONNECT packet");
  }
  return socket;
}
