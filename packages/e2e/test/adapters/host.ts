import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type * as SocketIo from "socket.io";

type SocketIoServer = SocketIo.Server;
type Socket = SocketIo.Socket;
type Namespace = SocketIo.Namespace;
type Operator = ReturnType<Namespace["to"]>;
type RemoteSocket = Awaited<ReturnType<Namespace["fetchSockets"]>>[number];

/** What clients of the tests say about themselves when they connect. */
export interface Introduction {
  readonly name: string;
  readonly rooms: readonly string[];
}

/** Who is meant. No room means everybody. */
export interface Target {
  /** Default `/`. */
  readonly nsp?: string | undefined;
  /** The id of the socket that sends, and is left out. */
  readonly from?: string;
  readonly to?: string | string[];
  readonly except?: string | string[];
  readonly local?: true;
  readonly volatile?: true;
  readonly compress?: boolean;
  readonly timeout?: number;
}

/** A socket as `fetchSockets` describes it. */
export interface Fetched {
  readonly id: string;
  readonly data: unknown;
  readonly rooms: string[];
  readonly auth: unknown;
}

/** How a call that collects responses ended. */
export interface Collected {
  readonly error?: string;
  readonly responses: unknown;
}

/** What tests ask of a server, whichever process it runs in: arguments and results are data. */
export type Actions = ReturnType<typeof makeActions>;

/** A server that listens, with the application of the tests. */
export interface Host {
  readonly port: number;
  readonly actions: Actions;
  readonly close: () => Promise<void>;
}

/** The names of the namespaces that come into being when a client asks for them. */
const DYNAMIC_NAMESPACE = /^\/dynamic-\w+$/;

/** Starts the application of the tests on a port of the loopback interface. */
export async function startHost(
  Server: new (httpServer: HttpServer, options: object) => SocketIoServer,
  name: string,
  adapter: unknown,
): Promise<Host> {
  const httpServer = createServer();
  const io = new Server(httpServer, { adapter });
  const notes: unknown[][] = [];
  const setUp = (nsp: Namespace) => {
    nsp.on("note", (...args: unknown[]) => notes.push(args));
    nsp.on("who", (answer: (name: string) => void) => answer(name));
    nsp.on("who but", (silent: string, answer: (name: string) => void) => {
      if (name !== silent) answer(name);
    });
  };
  setUp(io.sockets);
  io.on("new_namespace", setUp);
  for (const nsp of [io.sockets, io.of("/side"), io.of(DYNAMIC_NAMESPACE)]) {
    nsp.on("connection", (socket: Socket) => {
      const introduction = socket.handshake.auth as Introduction;
      socket.data = { name: introduction.name, nested: { list: [1, "two", null] } };
      void socket.join([...introduction.rooms]);
    });
  }
  await new Promise<void>((resolve) => {
    // Servers of one node:cluster would share a port otherwise.
    httpServer.listen({ port: 0, host: "127.0.0.1", exclusive: true }, resolve);
  });
  return {
    port: (httpServer.address() as AddressInfo).port,
    actions: makeActions(io, notes),
    async close() {
      await io.close();
    },
  };
}

function makeActions(io: SocketIoServer, notes: unknown[][]) {
  const nspOf = (target: Target): Namespace => io.of(target.nsp ?? "/");
  return {
    emit(target: Target, event: string, ...args: unknown[]): void {
      select(nspOf(target), target).emit(event, ...args);
    },
    emitWithAck(target: Target, event: string, ...args: unknown[]): Promise<Collected> {
      const operator = select(nspOf(target), target);
      return collect(operator.emitWithAck(event, ...args) as Promise<unknown>);
    },
    emitWithCallback(target: Target, event: string, ...args: unknown[]): Promise<Collected> {
      return new Promise((resolve) => {
        const done = (error: Error | null, responses: unknown): void => {
          resolve(error === null ? { responses } : { error: error.message, responses });
        };
        select(nspOf(target), target).emit(event, ...args, done);
      });
    },
    async fetchSockets(target: Target): Promise<Fetched[]> {
      const sockets = await select(nspOf(target), target).fetchSockets();
      return sockets.map(({ id, data, rooms, handshake }: RemoteSocket) => {
        return { id, data: data as unknown, rooms: [...rooms], auth: handshake.auth };
      });
    },
    socketsJoin(target: Target, rooms: string | string[]): void {
      select(nspOf(target), target).socketsJoin(rooms);
    },
    socketsLeave(target: Target, rooms: string | string[]): void {
      select(nspOf(target), target).socketsLeave(rooms);
    },
    disconnectSockets(target: Target, close?: boolean): void {
      select(nspOf(target), target).disconnectSockets(close);
    },
    serverSideEmit(nsp: string, event: string, ...args: unknown[]): void {
      io.of(nsp).serverSideEmit(event, ...args);
    },
    serverSideEmitWithAck(nsp: string, event: string, ...args: unknown[]): Promise<Collected> {
      return collect(io.of(nsp).serverSideEmitWithAck(event, ...args));
    },
    /** The arguments of every `note` that other servers have sent. */
    notes: (): unknown[][] => notes,
    serverCount: (nsp: string): Promise<number> => io.of(nsp).adapter.serverCount(),
    /** The sockets of this server alone. */
    localIds: (nsp: string): string[] => [...io.of(nsp).sockets.keys()],
    localRooms: (nsp: string): string[] => [...io.of(nsp).adapter.rooms.keys()],
    ...remoteActions(nspOf),
    ...socketActions(nspOf),
  };
}

/** What is done through the description of a socket, most likely one of another server. */
function remoteActions(nspOf: (target: Target) => Namespace) {
  const find = async (target: Target): Promise<RemoteSocket> => {
    const [found] = await select(nspOf(target), target).fetchSockets();
    if (found === undefined) throw new Error("there is no such socket");
    return found;
  };
  return {
    async remoteEmit(target: Target, event: string, ...args: unknown[]): Promise<void> {
      (await find(target)).emit(event, ...args);
    },
    async remoteEmitWithAck(target: Target, event: string, ...args: unknown[]): Promise<Collected> {
      const socket = await find(target);
      const operator = socket.timeout(target.timeout ?? 10_000);
      return collect(operator.emitWithAck(event, ...args) as Promise<unknown>);
    },
    async remoteJoin(target: Target, rooms: string | string[]): Promise<void> {
      (await find(target)).join(rooms);
    },
    async remoteLeave(target: Target, room: string): Promise<void> {
      (await find(target)).leave(room);
    },
    async remoteDisconnect(target: Target, close?: boolean): Promise<void> {
      (await find(target)).disconnect(close);
    },
  };
}

/** What is done to a socket of this server. */
function socketActions(nspOf: (target: Target) => Namespace) {
  const find = (target: Target & { readonly from: string }): Socket => {
    const found = nspOf(target).sockets.get(target.from);
    if (found === undefined) throw new Error("there is no such socket");
    return found;
  };
  return {
    async leave(target: Target & { readonly from: string }, room: string): Promise<void> {
      await find(target).leave(room);
    },
  };
}

function select(nsp: Namespace, target: Target): Operator {
  let operator: Operator = nsp.to([]);
  if (target.from !== undefined) {
    const socket = nsp.sockets.get(target.from);
    if (socket === undefined) throw new Error("there is no such socket");
    operator = socket.broadcast;
  }
  if (target.to !== undefined) operator = operator.to(target.to);
  if (target.except !== undefined) operator = operator.except(target.except);
  if (target.local === true) operator = operator.local;
  if (target.volatile === true) operator = operator.volatile;
  if (target.compress !== undefined) operator = operator.compress(target.compress);
  if (target.timeout !== undefined) operator = operator.timeout(target.timeout) as Operator;
  return operator;
}

async function collect(promise: Promise<unknown>): Promise<Collected> {
  try {
    return { responses: await promise };
  } catch (error) {
    const { message, responses } = error as Error & { readonly responses?: unknown };
    return { error: message, responses };
  }
}
