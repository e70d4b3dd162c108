import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Socket as Session } from "engine.io";
import { onCleanup } from "../support/cleanup.js";
import { collect } from "../support/clients.js";
import type { RunningEngine } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";

/** What every client has had since version 1. */
export interface Client {
  readonly id: string | null;
  readonly readyState: string;
  readonly transport: { readonly name: string };
  binaryType?: string | null;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  once(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  send(data: unknown): unknown;
  close(): unknown;
}

/** The options of a client that the tests use. */
export interface ClientOptions {
  readonly transports?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly forceBase64?: boolean;
  readonly perMessageDeflate?: boolean | { readonly threshold: number };
  readonly extraHeaders?: Readonly<Record<string, string>>;
  /** The certificate to trust; with it, the client connects over TLS. */
  readonly ca?: string;
  /** What the client itself presents. */
  readonly cert?: string;
  readonly key?: string;
}

type ConnectFunction = (url: string, options: ClientOptions) => Client;
type ClientClass = new (url: string, options: ClientOptions) => Client;

/** One column of the matrix: which client speaks over which transport. */
export interface Cell {
  readonly name: string;
  readonly client: string;
  readonly protocol: 3 | 4;
  /** `upgrade` starts with polling and is on WebSocket when `pair` resolves. */
  readonly transport: "polling" | "websocket" | "upgrade";
}

const require = createRequire(import.meta.url);

/** The description of the package by the version of the client. */
const PACKAGES: Readonly<Record<string, string>> = {
  "6.6.8": require.resolve("engine.io-client/package.json"),
  "5.2.0": require.resolve("engine.io-client-5/package.json"),
  "4.1.4": require.resolve("engine.io-client-4/package.json"),
  "3.5.6": require.resolve("engine.io-client-3/package.json"),
  "3.1.2": require.resolve("engine.io-client-3.1/package.json"),
  "1.8.6": require.resolve("engine.io-client-1/package.json"),
};

/** The versions of the clients. */
export const VERSIONS: readonly string[] = Object.keys(PACKAGES);

/** The folder of a client's package. */
export function folderOf(client: string): string {
  return dirname(PACKAGES[client] ?? "");
}

/** Every client over every transport. */
export const CELLS: readonly Cell[] = VERSIONS.flatMap((client) =>
  (["polling", "websocket", "upgrade"] as const).map((transport) => ({
    name: `engine.io-client ${client}, ${transport}`,
    client,
    protocol: client >= "4" ? (4 as const) : (3 as const),
    transport,
  })),
);

/** Makes a client, which is closed after the test. */
export function connect(port: number, cell: Cell, options: ClientOptions = {}): Client {
  const all = {
    transports: cell.transport === "upgrade" ? ["polling", "websocket"] : [cell.transport],
    ...options,
  };
  const loaded = require(folderOf(cell.client)) as ConnectFunction | { Socket: ClientClass };
  const url = `${options.ca === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const client = typeof loaded === "function" ? loaded(url, all) : new loaded.Socket(url, all);
  // Without a listener, the oldest clients throw.
  client.on("error", () => {});
  onCleanup(() => client.close());
  return client;
}

/** A client and the server's end of its session. */
export interface Pair {
  readonly client: Client;
  readonly session: Session;
}

/** Connects a client and waits until it is on the transport of the cell. */
export async function pair(
  { engine, port }: Pick<RunningEngine, "engine" | "port">,
  cell: Cell,
  options: ClientOptions = {},
): Promise<Pair> {
  const connection = first<Session>(engine, "connection");
  const client = connect(port, cell, options);
  const opened = received(client, "open");
  const session = await connection;
  await opened;
  if (cell.transport === "upgrade") await upgraded({ client, session });
  return { client, session };
}

/** Resolves when both ends are on WebSocket. */
export function upgraded({ client, session }: Pair): Promise<void> {
  return until(() => client.transport.name === "websocket" && session.upgraded);
}

/** Resolves when both ends have got a message that was sent last. */
export async function settled({ client, session }: Pair): Promise<void> {
  const arrivals = [client, session as unknown as Client].map(
    (end) =>
      new Promise<void>((resolve) => {
        const look = (data?: unknown): void => {
          if (data !== "settled") return;
          end.off("data", look);
          resolve();
        };
        end.on("data", look);
      }),
  );
  client.send("settled");
  session.send("settled");
  await Promise.all(arrivals);
}

/** What came in, with binary as `hex:…`, without the messages of `settled`. */
export function messages(end: Client | Session): () => string[] {
  const got = collect(end, "data");
  return () =>
    got
      // An empty message has no data for some of the clients.
      .map(([data]) => data ?? "")
      .filter((data) => data !== "settled")
      .map((data) => (typeof data === "string" ? data : hex(data as ArrayBuffer)));
}

/** How `messages` shows binary data. */
export function hex(data: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
  return `hex:${bytes.toString("hex")}`;
}

/** The sid of a session: the types of the npm package hide it. */
export function idOf(session: Session): string {
  return (session as unknown as { readonly id: string }).id;
}
