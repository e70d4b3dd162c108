import {
  createServer,
  type Server as HttpServer,
  type ServerOptions as HttpServerOptions,
} from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { Server, type ServerOptions, type Socket } from "@jackfield/socketio";
import {
  pollingHandshake,
  type RawPolling,
  rawRequest,
  RawWebSocket,
  type UpgradeOutcome,
} from "@jackfield/testkit";
import { io as connectClient, type Socket as ClientSocket } from "socket.io-client";
import { onCleanup } from "../support/cleanup.js";
import { listenOn } from "../support/subject.js";
import { received } from "../support/wait.js";

/** What a server holds; the same before an attack and after it. */
interface Holdings {
  readonly sessions: number;
  readonly namespaces: number;
  readonly sockets: number;
  readonly connectingSockets: number;
  readonly rooms: number;
  readonly connections: number;
  readonly timers: number;
  readonly listeners: number;
}

/** What applications do not see of a namespace. */
interface NamespaceInside {
  readonly sockets: ReadonlyMap<string, unknown>;
  readonly _preConnectSockets: ReadonlyMap<string, unknown>;
  readonly adapter: { readonly rooms: ReadonlyMap<string, unknown> };
}

/** What an attack has done to others than the attackers. */
export interface Aftermath {
  /** Whether the client that was there all the time got its echoes, in order. */
  readonly isWitnessUnharmed: boolean;
  /** Whether a client that comes afterwards can connect. */
  readonly isNewcomerServed: boolean;
  /** What the server holds that it did not hold before. */
  readonly leftovers: readonly string[];
  /** Errors that the operator was told of, or the process. */
  readonly complaints: readonly string[];
}

/** Nothing, but errors that the operator is to be told of. */
export function unharmed(...complaints: readonly string[]): Aftermath {
  return { isWitnessUnharmed: true, isNewcomerServed: true, leftovers: [], complaints };
}

/** How often, and how long, a server is looked at until it holds what it did. */
const LOOKS = 600;
const LOOK_INTERVAL = 20;
/** How long the witness waits for an answer, in ms: it is to fail before the test is over. */
const PATIENCE = 10_000;
/** Echoes that the witness asks for after each attack. */
const ECHOES = 10;

const POLLING = "EIO=4&transport=polling";
const WEBSOCKET = "EIO=4&transport=websocket";

/** A server under attack, with a client that is to notice nothing of it. */
export class Target {
  readonly io: Server;
  readonly port: number;
  readonly httpServer: HttpServer;
  /** What the application or the process was told of errors. */
  readonly complaints: string[] = [];
  /** The names or messages of refused requests. */
  readonly refusals: string[] = [];
  readonly #witness: ClientSocket;
  readonly #echoes: unknown[] = [];
  #asked = 0;
  #before: Holdings | undefined;
  #wasDisconnected = false;

  private constructor(io: Server, httpServer: HttpServer, port: number) {
    this.io = io;
    this.httpServer = httpServer;
    this.port = port;
    this.#witness = connectClient(`http://127.0.0.1:${port}`, {
      forceNew: true,
      reconnection: false,
      transports: ["websocket"],
    });
    this.#witness.on("echo", (number) => this.#echoes.push(number));
    this.#witness.on("disconnect", () => {
      this.#wasDisconnected = true;
    });
  }

  /** Starts a server and its witness; both are closed after the test. */
  static async start(
    options: ServerOptions = {},
    httpOptions: HttpServerOptions = {},
  ): Promise<Target> {
    const httpServer = createServer(httpOptions);
    const io = new Server(httpServer, { cleanupEmptyChildNamespaces: true, ...options });
    io.on("connection", echo);
    const target = new Target(io, httpServer, await listenOn(httpServer, 0));
    onCleanup(async () => {
      target.#witness.disconnect();
      httpServer.closeAllConnections();
      await io.close();
    });
    await received(target.#witness, "connect");
    target.#listen();
    target.#before = await target.#holdings();
    return target;
  }

  /** The path of a polling handshake. */
  readonly polling: string = `/socket.io/?${POLLING}`;
  /** The path of a WebSocket handshake. */
  readonly websocket: string = `/socket.io/?${WEBSOCKET}`;

  /** Opens a WebSocket session and reads the open packet. */
  async openWebSocket(query = ""): Promise<RawWebSocket> {
    const client = await RawWebSocket.connect({ port: this.port, path: this.websocket + query });
    onCleanup(() => client.destroy());
    await client.nextFrame();
    return client;
  }

  /** Opens a WebSocket session in the namespace `/`; resolves with the server's socket, too. */
  async join(): Promise<{ client: RawWebSocket; socket: Socket }> {
    const client = await this.openWebSocket();
    client.send("40");
    const { sid } = JSON.parse((await client.nextText()).slice(2)) as { sid: string };
    const socket = this.io.of("/").sockets.get(sid);
    if (socket === undefined) throw new Error("the server does not know the socket");
    return { client, socket: socket as unknown as Socket };
  }

  /** Opens a polling session of any kind; resolves with its id. */
  async openSession(query: string): Promise<string> {
    const answer = await rawRequest({ port: this.port, path: `/socket.io/?${query}` });
    const sid = sidIn(answer.body);
    if (sid === undefined) throw new Error(`no handshake: ${answer.body}`);
    return sid;
  }

  /** Opens a polling session. */
  openPolling(query: string = POLLING): Promise<RawPolling> {
    return pollingHandshake(this.port, { path: "/socket.io/", query });
  }

  /**
   * Looks at what an attack has done, once the attackers are gone: whether the witness gets its
   * echoes in order, a new client is served, and the server holds what it did before.
   */
  async aftermath(): Promise<Aftermath> {
    const first = this.#asked;
    const wanted = Array.from({ length: ECHOES }, (...[, index]) => first + index);
    for (const number of wanted) this.#witness.emit("echo", number);
    this.#asked += ECHOES;
    const isAnswered = await this.#witness
      .timeout(PATIENCE)
      .emitWithAck("echo", "last")
      .then(
        () => true,
        () => false,
      );
    const areInOrder = this.#echoes.slice(first).join(" ") === wanted.join(" ");

    const newcomer = await this.openPolling();
    await newcomer.post("40");
    const { body } = await newcomer.poll();
    await newcomer.post("1");
    return {
      isWitnessUnharmed: isAnswered && areInOrder && !this.#wasDisconnected,
      isNewcomerServed: body.startsWith('40{"sid"'),
      leftovers: await this.#leftovers(),
      complaints: this.complaints,
    };
  }

  /** What there is more of than before, or less. */
  async #leftovers(): Promise<string[]> {
    const before = this.#before;
    const now = await this.#settled();
    return Object.entries(now)
      .filter(([kind, count]) => count !== before?.[kind as keyof Holdings])
      .map(([kind, count]) => `${count} ${kind}, before ${before?.[kind as keyof Holdings]}`);
  }

  async #settled(): Promise<Holdings> {
    for (let looks = LOOKS; looks > 0; looks -= 1) {
      const now = await this.#holdings();
      if (JSON.stringify(now) === JSON.stringify(this.#before)) return now;
      await pause(LOOK_INTERVAL, undefined, { ref: false });
    }
    return this.#holdings();
  }

  async #holdings(): Promise<Holdings> {
    const namespaces = [...this.io._nsps.values()] as unknown as NamespaceInside[];
    const sum = (count: (nsp: NamespaceInside) => number): number =>
      namespaces.reduce((total, nsp) => total + count(nsp), 0);
    return {
      sessions: this.io.engine?.clientsCount ?? 0,
      namespaces: namespaces.length,
      sockets: sum((nsp) => nsp.sockets.size),
      connectingSockets: sum((nsp) => nsp._preConnectSockets.size),
      rooms: sum((nsp) => nsp.adapter.rooms.size),
      connections: await this.#connections(),
      // Fewer are no harm: those of the handshake of the witness may have been among them.
      timers: Math.max(
        this.#before?.timers ?? 0,
        process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
      ),
      listeners: this.#listeners(),
    };
  }

  #connections(): Promise<number> {
    return new Promise((resolve) => {
      this.httpServer.getConnections((error, count) => resolve(error === null ? count : -1));
    });
  }

  #listeners(): number {
    const emitters = [this.httpServer, process] as const;
    return emitters.reduce(
      (total, emitter) =>
        total +
        emitter
          .eventNames()
          .reduce((sum, event) => sum + emitter.listenerCount(event as "exit"), 0),
      0,
    );
  }

  #listen(): void {
    const complain = (error: unknown): void => {
      this.complaints.push(
        error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      );
    };
    for (const event of ["warning", "uncaughtExceptionMonitor"]) {
      process.on(event, complain);
      onCleanup(() => process.off(event, complain));
    }
    this.io.on("handler_error", complain);
    const engine = this.io.engine as unknown as {
      on(event: string, listener: (...args: never[]) => void): void;
    };
    engine.on("handler_error", complain);
    engine.on(
      "connection_error",
      ({ message, context }: { message: string; context: { name?: string } }) => {
        this.refusals.push(context.name ?? message);
      },
    );
  }
}

function echo(socket: Socket): void {
  socket.on("echo", (...args: unknown[]) => {
    const last = args.at(-1);
    if (typeof last === "function") last(...args.slice(0, -1));
    else socket.emit("echo", ...args);
  });
  socket.on("error", () => {});
}

/** The session id in the answer to a handshake, however it is encoded. */
export function sidIn(answer: string): string | undefined {
  return /"sid\\?":\\?"([\w-]{20})/.exec(answer)?.[1];
}

/** Leaves and resolves when the connection is gone. */
export async function leave(client: RawWebSocket): Promise<void> {
  client.destroy();
  await client.closed;
}

/** The same for an attempt, if it was successful. */
export async function dispose(outcome: UpgradeOutcome): Promise<void> {
  if (outcome.name === "accepted") await leave(outcome.socket);
}
