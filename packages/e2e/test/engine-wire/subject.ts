import { type EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

import {
  parseOpen,
  type OpenData,
  type PendingRequest,
  pollingHandshake,
  type PollingOptions,
  type RawPolling,
  type RawResponse,
  RawWebSocket,
  splitPayload,
  type UpgradeRequest,
} from "@jackfield/testkit";
import { expect, onTestFinished, type TestContext } from "vitest";
import { WebSocketServer } from "ws";

/** Which server these tests run against: "ours", or "official" for the npm package `engine.io`. */
const SUBJECT: string = process.env["SUBJECT"] ?? "ours";

/** Where the server is attached unless a test says otherwise. */
export const PATH = "/engine.io/";

/** The request target of a polling handshake. */
export const POLLING = `${PATH}?EIO=4&transport=polling`;

/** The request target of a WebSocket handshake. */
export const WEBSOCKET = `${PATH}?EIO=4&transport=websocket`;

/** What both servers offer on a transport. */
export interface TransportUnderTest extends EventEmitter {
  readonly name: string;
  readonly writable: boolean;
  closeTimeout?: number;
}

/** What both servers offer on a session. */
export interface SessionUnderTest extends EventEmitter {
  readonly id: string;
  readonly readyState: string;
  readonly protocol: number;
  readonly transport: TransportUnderTest;
  readonly writeBuffer: readonly { readonly type: string }[];
  request?: IncomingMessage & { res?: unknown };
  send(data: unknown, options?: object, callback?: () => void): unknown;
  close(discard?: boolean): unknown;
}

/** What `connection_error` carries. */
interface ConnectionErrorUnderTest {
  readonly req: IncomingMessage;
  readonly code: number;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
}

type Next = (error?: unknown) => void;

/** A stand-in for `ServerResponse` wide enough for requests and upgrades. */
interface ResponseUnderTest {
  setHeader(name: string, value: string | string[]): unknown;
  getHeader(name: string): unknown;
  removeHeader(name: string): unknown;
  writeHead: (...args: unknown[]) => unknown;
  end(): unknown;
}

/** What both servers offer to their operator. */
interface EngineUnderTest extends EventEmitter {
  readonly clients: Readonly<Record<string, SessionUnderTest>>;
  readonly clientsCount: number;
  generateId: (request: IncomingMessage) => string | PromiseLike<string>;
  use(
    middleware: (request: IncomingMessage, response: ResponseUnderTest, next: Next) => void,
  ): void;
  attach(server: Server, options?: object): void;
  close(): unknown;
}

interface EngineModule {
  readonly Server: new (options: object) => EngineUnderTest;
}

async function newEngine(options: object): Promise<EngineUnderTest> {
  if (SUBJECT === "official") {
    const { Server: Engine } = (await import("engine.io")) as unknown as EngineModule;
    // Named here because the export conditions of a test run can hide the default from a CommonJS package.
    return new Engine({ wsEngine: WebSocketServer, ...options });
  }
  // Through a variable, so that this file compiles whatever the package exports.
  const name: string = "@jackfield/engine-core";
  const { Server: Engine } = (await import(name)) as EngineModule;
  return new Engine(options);
}

/** How {@link makeEngine} sets the server up. */
export interface MakeOptions {
  /** Options of `attach`. */
  readonly attach?: object;
  /** A request listener that is there before the engine is attached. */
  readonly app?: RequestListener;
  /** "far" keeps heartbeats out of the way of what a test is about. @default "far" */
  readonly heartbeat?: "default" | "far";
}

/** A running server and what the tests need around it. */
export interface Subject {
  readonly engine: EngineUnderTest;
  readonly server: Server;
  readonly port: number;
  /** Every `connection_error` so far. */
  readonly refusals: readonly ConnectionErrorUnderTest[];
  /** Sends a request and resolves when the engine has taken it, which for a poll means that it is waiting. */
  readonly taken: (start: () => PendingRequest) => Promise<PendingRequest>;
  /** Resolves with the TCP socket of the next upgrade request once the engine has looked at it. */
  readonly nextUpgrade: () => Promise<Socket>;
}

/**
 * Starts an engine on a port of its own; it is stopped when the test is over.
 *
 * Heartbeats are far away unless the options say otherwise.
 */
export async function makeEngine(options: object = {}, make: MakeOptions = {}): Promise<Subject> {
  const heartbeat =
    make.heartbeat === "default" ? {} : { pingInterval: 60_000, pingTimeout: 60_000 };
  const engine = await newEngine({ ...heartbeat, ...options });
  const server = createServer(make.app);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const refusals: ConnectionErrorUnderTest[] = [];
  engine.on("connection_error", (error: ConnectionErrorUnderTest) => refusals.push(error));
  engine.attach(server, make.attach);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    engine.close();
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return {
    engine,
    server,
    port,
    refusals,
    async taken(start) {
      // These listeners stand behind the engine's, so the engine has had the request when they are called.
      const seen = once(server, "request");
      const pending = start();
      await seen;
      await nextTurn();
      return pending;
    },
    async nextUpgrade() {
      const [, socket] = (await once(server, "upgrade")) as [IncomingMessage, Socket];
      return socket;
    },
  };
}

/** A polling client and the server's end of its session. */
export interface PollingPair {
  readonly client: RawPolling;
  readonly session: SessionUnderTest;
}

/** Opens a polling session. */
export async function openPolling(
  { engine, port }: Subject,
  options: PollingOptions = {},
): Promise<PollingPair> {
  const connected = once(engine, "connection");
  const client = await pollingHandshake(port, options);
  const [session] = (await connected) as [SessionUnderTest];
  return { client, session };
}

/** A WebSocket client and the server's end of its session. */
export interface WebSocketPair {
  readonly client: RawWebSocket;
  readonly session: SessionUnderTest;
  readonly open: OpenData;
}

/** Opens a session directly over WebSocket and takes its open packet. */
export async function openWebSocket(
  { engine, port }: Subject,
  request: Partial<UpgradeRequest> = {},
): Promise<WebSocketPair> {
  const connected = once(engine, "connection");
  const client = await RawWebSocket.connect({ port, path: WEBSOCKET, ...request });
  const [session] = (await connected) as [SessionUnderTest];
  const open = parseOpen(await client.nextText());
  return { client, session, open };
}

/** Opens a WebSocket for an existing session, with nothing sent over it. */
export function openCandidate({ port }: Subject, sid: string): Promise<RawWebSocket> {
  return RawWebSocket.connect({ port, path: `${WEBSOCKET}&sid=${sid}` });
}

/** Opens a WebSocket for an existing session and takes it through the probe. */
export async function probe(subject: Subject, sid: string): Promise<RawWebSocket> {
  const candidate = await openCandidate(subject, sid);
  candidate.send("2probe");
  expect(await candidate.nextText()).toBe("3probe");
  return candidate;
}

/** Opens a polling session and takes it to WebSocket. */
export async function openUpgraded(subject: Subject): Promise<WebSocketPair> {
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
  return { client: candidate, session, open: client.open };
}

/** Why a session closed. */
export interface SessionClosure {
  readonly reason: string;
  /** The message of the error that came along; undefined without an error. */
  readonly detail: string | undefined;
}

/** Resolves when the session closes. Call it before whatever closes the session. */
export async function closureOf(session: SessionUnderTest): Promise<SessionClosure> {
  const [reason, description] = (await once(session, "close")) as [string, unknown];
  return { reason, detail: description instanceof Error ? description.message : undefined };
}

/** Collects what the session receives. */
export function messagesOf(session: SessionUnderTest): unknown[] {
  const messages: unknown[] = [];
  session.on("message", (message: unknown) => messages.push(message));
  return messages;
}

/** Resolves with the next message that the session receives. */
export async function nextMessage(session: SessionUnderTest): Promise<unknown> {
  const [message] = (await once(session, "message")) as [unknown];
  return message;
}

/** Resolves when the session receives this very message, whatever comes before it. */
function arrival(session: SessionUnderTest, expected: string): Promise<void> {
  return new Promise((resolve) => {
    session.on("message", (message: unknown) => {
      if (message === expected) {
        resolve();
      }
    });
  });
}

/** Shows that a polling session works in both directions and that nothing else was waiting for the client. */
export async function expectAlive({ client, session }: PollingPair): Promise<void> {
  const arrived = arrival(session, "to the server");
  const answer = await client.post("4to the server");
  expect(answer.status).toBe(200);
  await arrived;
  session.send("to the client");
  expect((await client.poll()).body).toBe("4to the client");
}

/** Shows that a WebSocket session works in both directions and that nothing else was waiting for the client. */
export async function expectAliveOverWebSocket({
  client,
  session,
}: Pick<WebSocketPair, "client" | "session">): Promise<void> {
  const arrived = arrival(session, "to the server");
  client.send("4to the server");
  await arrived;
  session.send("to the client");
  expect(await client.nextText()).toBe("4to the client");
}

/** Shows that the server closes a WebSocket with a close frame that has no status code, as its next frame. */
export async function expectBareClose(socket: RawWebSocket): Promise<void> {
  const frame = await socket.nextFrame();
  expect(frame.opcode).toBe(0x8);
  expect(frame.payload).toHaveLength(0);
  await socket.closed;
}

/** Shows that a response is a refusal with this code, in the one form that refusals have over HTTP. */
export function expectRefusal(response: RawResponse, code: number, message: string): void {
  expect({ status: response.status, body: response.body }).toEqual({
    status: code === 4 ? 403 : 400,
    body: JSON.stringify({ code, message }),
  });
}

/** The packets of the answer to one poll. */
export async function pollPackets(client: RawPolling): Promise<string[]> {
  return splitPayload((await client.poll()).body);
}

/**
 * Makes the body of a test for something in which the official server is known to be wrong: skipped against it, with
 * what it does as the reason. `RUN_FIXES=1` runs these tests against the official server too, to see that they fail.
 */
export function fix(
  officially: string,
  body: () => Promise<void>,
): (context: TestContext) => Promise<void> {
  const isSkipped = SUBJECT === "official" && process.env["RUN_FIXES"] === undefined;
  return async (context) => {
    context.skip(isSkipped, `official: ${officially}`);
    await body();
  };
}
