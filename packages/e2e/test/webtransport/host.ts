import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { encodeFrameHeader, FrameDecoder, type RawData } from "@jackfield/parser";
import {
  Server,
  type ConnectionError,
  type ServerOptions,
  type Session,
} from "@jackfield/engine-core";
import { Socket, type SocketOptions } from "engine.io-client";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.js";
import type { QuicRequest, QuicServer } from "./quic.js";

// Loaded when a scenario runs, for its names are also read where the binding does not load.
const quic = () => import("./quic.js");

const cleanups: (() => unknown)[] = [];

function onCleanup(release: () => unknown): void {
  cleanups.push(release);
}

/** Releases what the scenario has opened, latest first. */
export async function runCleanups(): Promise<void> {
  for (let release = cleanups.pop(); release !== undefined; release = cleanups.pop()) {
    // oxlint-disable-next-line no-await-in-loop -- one is in use by the next
    await release();
  }
}

// ── the server ───────────────────────────────────────────────────────────────

/** A server on one port number: HTTP over TCP, HTTP/3 over UDP. */
export interface Host {
  readonly engine: Server;
  readonly port: number;
  /** Resolves with the next session that opens. */
  opened(): Promise<Session>;
  /** Resolves with the next refusal. */
  refused(): Promise<ConnectionError>;
}

/** What {@link startHost} takes besides the options of the server. */
export interface HostInit {
  /** Gives the engine a request with each session. Default `false`. */
  readonly tellsRequests?: boolean;
}

/** Who serves at the moment: one engine for each scenario. */
let current: { readonly engine: Server; readonly tellsRequests: boolean } | undefined;
let listening: Promise<number> | undefined;

/** Starts a server of ours. Heartbeats are far away unless told otherwise. */
export async function startHost(options: ServerOptions = {}, init: HostInit = {}): Promise<Host> {
  const engine = new Server({
    transports: ["polling", "websocket", "webtransport"],
    pingInterval: 60_000,
    ...options,
  });
  current = { engine, tellsRequests: init.tellsRequests ?? false };
  onCleanup(() => engine.close());
  listening ??= listen();
  return {
    engine,
    port: await listening,
    opened: async () => ((await once(engine, "connection")) as [Session])[0],
    refused: async () => ((await once(engine, "connection_error")) as [ConnectionError])[0],
  };
}

/**
 * Listens on one port number, and stays: the HTTP/3 server blocks when it is to close while it
 * waits for a client.
 */
async function listen(): Promise<number> {
  const { startQuicServer } = await quic();
  const httpServer = createServer((req, res) => {
    if (req.url?.startsWith("/engine.io/")) current?.engine.handleRequest(req, res);
    else void servePage(req, res);
  });
  httpServer.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    current?.engine.handleUpgrade(req, socket, head),
  );
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const address = httpServer.address() as AddressInfo;
  void acceptSessions(startQuicServer(address.port));
  return address.port;
}

async function acceptSessions(server: QuicServer): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one client comes after the other
    const request = await server.accept();
    if (request === null) return;
    void acceptSession(request);
  }
}

async function acceptSession(request: QuicRequest): Promise<void> {
  // Before it is accepted: afterwards the binding does not answer any more.
  const { pathname, search } = new URL(await request.url);
  const session = await request.ok();
  if (!current?.tellsRequests) current?.engine.onWebTransportSession(session);
  else {
    current.engine.onWebTransportSession(session, {
      headers: { "x-told": "yes" },
      url: pathname + search,
      socket: { remoteAddress: "192.0.2.1" },
    });
  }
}

// ── sessions ─────────────────────────────────────────────────────────────────

/** Resolves with the reason when the session closes. */
export async function closureOf(session: Session): Promise<string> {
  const [reason] = (await once(session, "close")) as [string];
  return reason;
}

/** Resolves with the next `count` messages that the session receives. */
export function messagesOf(session: Session, count: number): Promise<RawData[]> {
  return new Promise((resolve) => {
    const messages: RawData[] = [];
    session.on("message", (data) => {
      messages.push(data);
      if (messages.length === count) resolve(messages);
    });
  });
}

// ── the Engine.IO client ─────────────────────────────────────────────────────

/** What an Engine.IO client has received, and how it ended. */
export interface EngineClient {
  readonly socket: Socket;
  readonly closed: Promise<string>;
  /** Resolves with the next `count` messages. */
  readonly received: (count: number) => Promise<unknown[]>;
}

/** Opens an Engine.IO client and resolves when it is open. */
export async function openClient(
  { port }: Host,
  transports: readonly string[],
  options: Partial<SocketOptions> = {},
): Promise<EngineClient> {
  const { clientOptions } = await quic();
  const scheme = transports[0] === "webtransport" ? "https" : "http";
  const socket = new Socket(`${scheme}://127.0.0.1:${port}`, {
    transports: [...transports],
    transportOptions: { webtransport: clientOptions },
    ...options,
  });
  socket.binaryType = "arraybuffer";
  onCleanup(() => socket.close());
  const closed = new Promise<string>((resolve) => {
    socket.on("close", resolve);
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return {
    socket,
    closed,
    received: (count) =>
      new Promise((resolve) => {
        const messages: unknown[] = [];
        socket.on("message", (data: unknown) => {
          messages.push(data);
          if (messages.length === count) resolve(messages);
        });
      }),
  };
}

// ── a client by hand ─────────────────────────────────────────────────────────

/** A WebTransport client that sends what it is told. */
export interface RawClient {
  /** Resolves when the session is over, whatever ended it. */
  readonly closed: Promise<unknown>;
  /** Sends packets, in one chunk. */
  send(...packets: RawData[]): Promise<void>;
  sendBytes(bytes: Uint8Array): Promise<void>;
  /** Resolves with the next packet; with `undefined` when the stream is over. */
  next(): Promise<RawData | undefined>;
  close(): void;
}

/** Opens a WebTransport session and its stream, which the server sees with the first bytes. */
export async function openRaw({ port }: Host): Promise<RawClient> {
  const { openQuicSession } = await quic();
  const session = openQuicSession(port);
  onCleanup(() => session.close());
  await session.ready;
  const stream = await session.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  writer.closed.catch(() => {});
  const reader = stream.readable.getReader();
  const decoder = new FrameDecoder(Infinity);
  const packets: RawData[] = [];
  return {
    closed: session.closed.catch(() => {}),
    async send(...texts) {
      await writer.write(Buffer.concat(texts.map(frame)));
    },
    sendBytes: (bytes) => writer.write(bytes),
    async next() {
      while (packets.length === 0) {
        // oxlint-disable-next-line no-await-in-loop -- one chunk comes after the other
        const { value } = await reader.read().catch(() => ({ value: undefined }));
        if (value === undefined) return undefined;
        decoder.push(value, (packet) => void packets.push(packet));
      }
      return packets.shift();
    },
    close: () => session.close(),
  };
}

function frame(data: RawData): Buffer {
  const payload = Buffer.from(data);
  return Buffer.concat([encodeFrameHeader(payload.length, typeof data !== "string"), payload]);
}

// ── the browser ──────────────────────────────────────────────────────────────

let browser: Promise<Browser> | undefined;

/**
 * Opens a page with an Engine.IO client, which sends back every message that it receives, but for
 * "close", at which it closes. What it received last and why it closed stands in `page.state`.
 */
export async function openPage({ port }: Host, transports: readonly string[]): Promise<Page> {
  browser ??= launchChromium({ hasQuic: true });
  const page = await (await browser).newPage();
  onCleanup(() => page.close());
  await page.goto(`http://127.0.0.1:${port}/?${transports.join("&")}`);
  return page;
}

/** Resolves with why the client in the page closed, and with the last text that it received. */
export async function closureOfPage(page: Page): Promise<{ reason: string; last: string }> {
  const state = await page.waitForFunction("window.state.reason && window.state");
  return (await state.jsonValue()) as { reason: string; last: string };
}

const CLIENT_FILE = createRequire(import.meta.url).resolve(
  "engine.io-client/dist/engine.io.min.js",
);

async function servePage(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? "/", "http://localhost");
  if (url.pathname === "/client.js") {
    res.setHeader("Content-Type", "text/javascript").end(await readFile(CLIENT_FILE));
    return;
  }
  const { certificateHash } = await quic();
  const transports = JSON.stringify([...url.searchParams.keys()]);
  res.setHeader("Content-Type", "text/html").end(`<!doctype html>
<script src="/client.js"></script>
<script>
  window.state = {};
  const transports = ${transports};
  const scheme = transports[0] === "webtransport" ? "https" : "http";
  const value = new Uint8Array(${JSON.stringify([...certificateHash])});
  const serverCertificateHashes = [{ algorithm: "sha-256", value }];
  const socket = eio(scheme + "://" + location.host, {
    transports,
    transportOptions: { webtransport: { serverCertificateHashes } },
  });
  socket.binaryType = "arraybuffer";
  socket.on("message", (data) => {
    if (typeof data === "string") state.last = data;
    if (data === "close") socket.close();
    else socket.send(data);
  });
  socket.on("close", (reason) => (state.reason = reason));
</script>`);
}
