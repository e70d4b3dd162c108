import { createServer, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Server } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";
import type { Broker } from "../adapters/brokers.js";
import { eventually } from "../adapters/cluster.js";
import { SubjectServer } from "../support/subject.js";
import type { Contender, Parts } from "./contenders.js";
import { type Phase, tally, type Tally } from "./ledger.js";

/** Milliseconds between two broadcasts of a server. */
const PACE_MS = 10;
const ROOM = "room";

/** A server with one client. */
interface Node {
  readonly io: Server;
  readonly client: Socket;
  /** The numbers that came to its client from each of the servers. */
  readonly received: readonly [number[], number[]];
  /** What other servers told this one. */
  readonly notes: unknown[];
  readonly parts: Parts;
  sent: number;
}

/** What was asked of the cluster, and how it ended. */
export interface Answer {
  readonly error?: Error & { readonly code?: string; readonly responses?: unknown[] };
  readonly value?: unknown;
}

/** What was asked of the cluster by one of its servers. */
export type Answers = Readonly<Record<"fetch" | "ack" | "serverSide", Answer>>;

/** One `handler_error`. */
export interface Report {
  readonly error: unknown;
  readonly source: string;
}

let pairs = 0;

/** Two servers that share a broker, each with one client, and each emitting numbers to a room. */
export class Pair {
  readonly name: string;
  /** What the application was told by the client of the broker, or by the adapter. */
  readonly brokerErrors: Error[] = [];
  /** What the event `handler_error` of each server said. */
  readonly reports: readonly [Report[], Report[]] = [[], []];
  readonly #nodes: Node[] = [];
  #pace: NodeJS.Timeout | undefined;

  private constructor(name: string) {
    this.name = name;
  }

  /** Starts the servers, and resolves when each hears the other. */
  static async start(contender: Contender, broker: Broker): Promise<Pair> {
    const pair = new Pair(contender.name);
    const prefix = `faults${++pairs}`;
    for (const origin of [0, 1] as const)
      await pair.#startNode(contender, { broker, prefix, origin });
    await pair.works();
    return pair;
  }

  /** How many numbers each server has sent. */
  get sent(): readonly number[] {
    return this.#nodes.map((node) => node.sent);
  }

  /** Begins to emit numbers, until it is stopped. */
  emitNumbers(): void {
    this.#pace = setInterval(() => {
      for (const [origin, node] of this.#nodes.entries()) {
        node.io.to(ROOM).emit("number", origin, node.sent++);
      }
    }, PACE_MS);
  }

  /** Stops emitting. Resolves when everything that is on its way has arrived. */
  async stop(): Promise<void> {
    clearInterval(this.#pace);
    const last = this.sent;
    for (const [origin, { io }] of this.#nodes.entries()) io.to(ROOM).emit("number", origin, -1);
    for (const { received } of this.#nodes) {
      await eventually(
        () => received.map((numbers) => numbers.at(-1)),
        last.map(() => -1),
      );
      for (const numbers of received) numbers.pop();
    }
  }

  /** Resolves with what was sent before the call, when every client has it. */
  async caughtUp(): Promise<readonly number[]> {
    const { sent } = this;
    for (const { received } of this.#nodes) await reached(received, sent);
    return sent;
  }

  /** Resolves when every client has every number of its own server that was sent before the call. */
  async caughtUpLocally(): Promise<void> {
    const { sent } = this;
    for (const [index, { received }] of this.#nodes.entries()) {
      await reached([received[index] ?? []], [sent[index] ?? 0]);
    }
  }

  /** Resolves when so many more numbers were sent by each server. */
  async emitted(more: number): Promise<void> {
    const goal = this.sent.map((sent) => sent + more);
    await eventually(() => this.sent.every((sent, index) => sent >= (goal[index] ?? 0)), true);
  }

  /** What the client of one server got of the numbers of another, or the same, in a phase. */
  tallyOf(origin: number, home: number, phase: Phase): Tally {
    return tally(this.#node(home).received[origin] ?? [], phase);
  }

  /** The numbers of a server that its adapter was told are not kept by the broker. */
  rejectedOf(origin: number): readonly number[] {
    return this.#node(origin).parts.rejected ?? [];
  }

  /** Resolves when each server has told its operator that the broker fails. */
  async told(): Promise<void> {
    await eventually(() => this.reports.every((reports) => reports.length > 0), true);
  }

  /** Asks for what needs the other server. Never rejects. */
  async ask(home: number, timeout: number): Promise<Answers> {
    const { io } = this.#node(home);
    const [fetch, ack, serverSide] = await Promise.all([
      settle(io.timeout(timeout).fetchSockets()),
      settle(io.timeout(timeout).emitWithAck("question") as Promise<unknown>),
      settle(io.serverSideEmitWithAck("who")),
    ]);
    return { fetch, ack, serverSide };
  }

  /** Resolves when everything that needs the other server works, from both of them. */
  async works(): Promise<void> {
    const ids = this.#nodes.map(({ client }) => client.id ?? "").sort();
    for (const [home, { io }] of this.#nodes.entries()) {
      const other = this.#node(1 - home);
      await eventually(() => idsFoundBy(io), ids);
      await eventually(
        async () => (await settle(io.serverSideEmitWithAck("who"))).value,
        [1 - home],
      );
      await eventually(async () => {
        const { value } = await settle(
          io.timeout(1000).emitWithAck("question") as Promise<unknown>,
        );
        return Array.isArray(value) ? value.length : 0;
      }, 2);
      const note = `note ${Math.random()}`;
      await eventually(() => {
        io.serverSideEmit("note", note);
        return other.notes.includes(note);
      }, true);
      await this.#roomsWork(home);
    }
  }

  /** Closes the servers and their connections to the broker. */
  async close(): Promise<void> {
    clearInterval(this.#pace);
    for (const { client } of this.#nodes) client.disconnect();
    for (const { io } of this.#nodes) await io.close();
    for (const { parts } of this.#nodes) await parts.release();
  }

  async #roomsWork(home: number): Promise<void> {
    const { io } = this.#node(home);
    const { client } = this.#node(1 - home);
    const room = `new ${Math.random()}`;
    let count = 0;
    client.on(room, () => count++);
    await eventually(async () => {
      io.in(client.id ?? "").socketsJoin(room);
      return (await idsFoundBy(io, room)).length;
    }, 1);
    await eventually(() => {
      io.to(room).emit(room);
      return count > 0;
    }, true);
    client.off(room);
    io.socketsLeave(room);
    await eventually(async () => (await idsFoundBy(io, room)).length, 0);
  }

  async #startNode(
    contender: Contender,
    { broker, prefix, origin }: { broker: Broker; prefix: string; origin: 0 | 1 },
  ): Promise<void> {
    const parts = await contender.make(broker, prefix, (error) => this.brokerErrors.push(error));
    const httpServer = createServer();
    const io = new SubjectServer(httpServer, { adapter: parts.adapter as never });
    const notes: unknown[] = [];
    // An event of this server alone, which the types of the official one lack.
    io.on(
      "handler_error" as "connection",
      ((error: unknown, context: { source: string }) => {
        this.reports[origin].push({ error, source: context.source });
      }) as never,
    );
    io.on("note", (note: unknown) => notes.push(note));
    io.on("who", (answer: (origin: number) => void) => answer(origin));
    io.on("connection", (socket) => void socket.join(ROOM));
    const client = await connectTo(httpServer);
    const received: [number[], number[]] = [[], []];
    client.on("number", (from: 0 | 1, number: number) => received[from].push(number));
    client.on("question", (answer: (value: unknown) => void) => answer(origin));
    this.#nodes.push({ io, client, received, notes, parts, sent: 0 });
  }

  #node(index: number): Node {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no server ${index}`);
    return node;
  }
}

async function connectTo(httpServer: HttpServer): Promise<Socket> {
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const { port } = httpServer.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`, {
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
  });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  return client;
}

async function reached(received: readonly number[][], sent: readonly number[]): Promise<void> {
  const hasAll = () =>
    received.every((numbers, origin) => (numbers.at(-1) ?? -1) >= (sent[origin] ?? 0) - 1);
  await eventually(hasAll, true);
}

async function idsFoundBy(io: Server, room?: string): Promise<unknown[]> {
  const operator = room === undefined ? io : io.in(room);
  const { value } = await settle(operator.timeout(1000).fetchSockets());
  return Array.isArray(value) ? value.map(({ id }) => String(id)).sort() : [];
}

async function settle(promise: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: error as Error };
  }
}
