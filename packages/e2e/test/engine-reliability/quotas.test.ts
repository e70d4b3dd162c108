import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ConnectionError, ServerOptions, Session } from "@jackfield/engine-core";
import { Server as SocketIoServer } from "@jackfield/socketio";
import {
  formatFrame,
  OPCODE,
  pollingHandshake,
  RawConnection,
  rawRequest,
  RawWebSocket,
  type UpgradeOutcome,
} from "@jackfield/testkit";
import { expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { onCleanup } from "../support/cleanup.js";
import { listenOn } from "../support/subject.js";
import { gate, received, until } from "../support/wait.js";
import { openWebSocket, POLLING, startHost, WEBSOCKET, type Host } from "./host.js";

/** The answer to a polling handshake. */
function poll({ port }: Host, headers: Record<string, string> = {}) {
  return rawRequest({ port, path: POLLING, headers });
}

/** The answer to an upgrade that is refused. */
async function refusedUpgrade({ port }: Host, headers: Record<string, string> = {}) {
  const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET, headers });
  if (outcome.name !== "refused") throw new Error(`the upgrade was ${outcome.name}`);
  return outcome.response;
}

/** A WebSocket server that keeps the first message, and tells of the connection then. */
class SlowWebSocketServer extends WebSocketServer {
  override handleUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (websocket: WebSocket, req: IncomingMessage) => void,
  ): void {
    super.handleUpgrade(req, socket, head, (websocket) => {
      websocket.once("message", () => callback(websocket, req));
    });
  }
}

/** A WebSocket server that never tells of a connection. */
class StuckWebSocketServer extends WebSocketServer {
  override handleUpgrade(_req: IncomingMessage, socket: Duplex): void {
    socket.resume();
  }
}

test("above maxConnections, handshakes get 503 and when to come back", async () => {
  const host = await startHost({ maxConnections: 2 });
  await openWebSocket(host);
  await pollingHandshake(host.port);
  const answer = await poll(host);
  expect(answer.status).toBe(503);
  expect(answer.header("retry-after")).toBe("10");
  expect(answer.header("connection")).toBe("close");
  expect(JSON.parse(answer.body)).toEqual({ code: 4, message: "Service unavailable" });
  const upgrade = await refusedUpgrade(host);
  expect(upgrade.statusLine).toBe("HTTP/1.1 503 Service Unavailable");
  expect(upgrade.header("retry-after")).toBe("10");
  expect(upgrade.body).toBe("Service unavailable");
  expect(host.refusals.map(({ code, message, context }) => ({ code, message, context }))).toEqual(
    Array.from({ length: 2 }, () => ({
      code: 4,
      message: "Forbidden",
      context: { name: "MAX_CONNECTIONS", maxConnections: 2 },
    })),
  );
  expect(host.engine.counters.refusedByLimits).toBe(2);
  expect(host.engine.clientsCount).toBe(2);
});

test("a session frees its place once, however it ends", async () => {
  const host = await startHost({ maxConnections: 1, maxConnectionsPerAddress: 1 });
  const endings: ((parts: Awaited<ReturnType<typeof openWebSocket>>) => void)[] = [
    ({ client }) => client.close(),
    ({ client }) => client.destroy(),
    ({ session }) => session.close(),
    ({ session }) => session.destroy(),
    ({ client }) => client.send("garbage"),
  ];
  for (const end of endings) {
    const parts = await openWebSocket(host);
    const closed = received(parts.session, "close");
    end(parts);
    await closed;
    parts.session.destroy();
  }
  const { session } = await openWebSocket(host);
  expect((await poll(host)).status).toBe(503);
  expect(session.readyState).toBe("open");
  expect(host.engine.clientsCount).toBe(1);
});

test("polls and upgrades of a session that is there need no place", async () => {
  const host = await startHost({ maxConnections: 1, maxConnectionsPerAddress: 1 });
  const polling = await pollingHandshake(host.port);
  const { sid } = polling.open;
  const client = await RawWebSocket.connect({ port: host.port, path: `${WEBSOCKET}&sid=${sid}` });
  onCleanup(() => client.destroy());
  client.send("2probe");
  expect(await client.nextText()).toBe("3probe");
  expect((await polling.poll()).body).toBe("6");
  client.send("5");
  await until(() => host.engine.clients[sid]?.upgraded === true);
  expect(host.refusals).toEqual([]);
});

test("what fails on its way to a session takes no place", async () => {
  const host = await startHost({ maxConnections: 1, maxConnectionsPerAddress: 1 });
  const bad = new RawConnection(host.port);
  onCleanup(() => bad.destroy());
  // An upgrade that the WebSocket server refuses, an unknown transport, a version too old.
  bad.write(
    `GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 1\r\n\r\n",
  );
  await bad.closed;
  for (const query of ["EIO=4&transport=x", "EIO=2&transport=polling"]) {
    const answer = await rawRequest({ port: host.port, path: `/engine.io/?${query}` });
    expect(answer.status).toBe(400);
  }
  expect((await poll(host)).status).toBe(200);
});

/** A handshake that waits for the application. */
interface Waiting {
  readonly req: IncomingMessage;
  answer(allowed: boolean): void;
}

/** Handshakes with this header do not wait. */
const AT_ONCE = { "x-at-once": "1" };

/** Starts an engine with two places whose application answers when the test does. */
async function startSlowHost(options: ServerOptions = {}) {
  const waiting: Waiting[] = [];
  const host = await startHost({
    maxConnections: 2,
    maxConnectionsPerAddress: 2,
    allowRequest: (req, answer) => {
      if (req.headers["x-at-once"] !== undefined) answer(null, true);
      else waiting.push({ req, answer: (allowed) => answer(null, allowed) });
    },
    ...options,
  });
  return { host, waiting };
}

/** Opens sessions until there is no place left, and says how many there were. */
async function countFreePlaces(host: Host): Promise<number> {
  const before = new Set(Object.keys(host.engine.clients));
  let count = 0;
  while ((await poll(host, AT_ONCE)).status === 200) count += 1;
  for (const session of Object.values(host.engine.clients)) {
    if (!before.has(session.id)) session.destroy();
  }
  return count;
}

/** Waits until so many places are free, and makes sure that it are not more. */
async function placesFree(host: Host, count: number): Promise<void> {
  let free = await countFreePlaces(host);
  while (free < count) free = await countFreePlaces(host);
  expect(free).toBe(count);
}

function attempt({ port }: Host): Promise<UpgradeOutcome> {
  return RawWebSocket.attempt({ port, path: WEBSOCKET });
}

/** Sends an upgrade request over a connection of which the test has both halves. */
function requestUpgrade({ port }: Host, key = "dGhlIHNhbXBsZSBub25jZQ=="): RawConnection {
  const connection = new RawConnection(port);
  onCleanup(() => connection.destroy());
  connection.write(
    `GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  return connection;
}

/** Sends handshakes one behind the other over one connection, without waiting for answers. */
function requestPolling({ port }: Host, count = 1): RawConnection {
  const connection = new RawConnection(port);
  onCleanup(() => connection.destroy());
  connection.write(`GET ${POLLING} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
  return connection;
}

test("handshakes that wait for the application have a place each", async () => {
  const { host, waiting } = await startSlowHost();
  const polling = poll(host);
  const upgrade = attempt(host);
  await until(() => waiting.length === 2);
  const full = await poll(host);
  expect(full.status).toBe(503);
  expect((await refusedUpgrade(host)).status).toBe(503);
  expect(waiting).toHaveLength(2);
  for (const handshake of waiting) handshake.answer(true);
  expect((await polling).status).toBe(200);
  expect(await upgrade).toMatchObject({ name: "accepted" });
  expect(host.engine.clientsCount).toBe(2);
  expect(await countFreePlaces(host)).toBe(0);
  for (const session of Object.values(host.engine.clients)) session.destroy();
  expect(await countFreePlaces(host)).toBe(2);
  expect(new Set(host.refusalNames())).toEqual(new Set(["MAX_CONNECTIONS"]));
});

test("handshakes that wait count for their address", async () => {
  const { host, waiting } = await startSlowHost({ maxConnections: 3, trustProxy: "loopback" });
  const mine = { "x-forwarded-for": "192.0.2.1" };
  const polls = [poll(host, mine), poll(host, mine)];
  await until(() => waiting.length === 2);
  expect((await poll(host, mine)).status).toBe(429);
  expect((await poll(host, { ...AT_ONCE, "x-forwarded-for": "192.0.2.2" })).status).toBe(200);
  for (const handshake of waiting) handshake.answer(false);
  await Promise.all(polls);
  expect((await poll(host, { ...AT_ONCE, ...mine })).status).toBe(200);
  expect(host.refusalNames().filter((name) => name !== undefined)).toEqual([
    "MAX_CONNECTIONS_PER_ADDRESS",
  ]);
});

test("a place is free again when the application says no", async () => {
  const { host, waiting } = await startSlowHost();
  const polling = poll(host);
  const upgrade = attempt(host);
  await until(() => waiting.length === 2);
  expect(await countFreePlaces(host)).toBe(0);
  for (const handshake of waiting) handshake.answer(false);
  expect((await polling).status).toBe(403);
  expect(await upgrade).toMatchObject({ name: "refused", response: { status: 400 } });
  expect(await countFreePlaces(host)).toBe(2);
});

test.each<[name: string, options: ServerOptions]>([
  ["throws", { allowRequest: () => expect.fail("mine") }],
  ["rejects", { allowRequest: () => Promise.reject(new Error("mine")) }],
])("a place is free again when allowRequest %s", async (_name, options) => {
  const { host } = await startSlowHost(options);
  host.engine.on("handler_error", () => {});
  const statuses = [];
  for (let round = 0; round < 3; round += 1) {
    statuses.push((await poll(host)).status, (await refusedUpgrade(host)).status);
  }
  expect(statuses).not.toContain(503);
  expect(host.refusalNames()).not.toContain("MAX_CONNECTIONS");
});

test("a handshake that waits for its id has a place, which it gives back without one", async () => {
  const { host } = await startSlowHost({ allowRequest: (_req, answer) => answer(null, true) });
  const wanted: ((id: string) => void)[] = [];
  host.engine.generateId = ({ headers }) => {
    if (headers["x-at-once"] !== undefined) return randomUUID();
    return new Promise((resolve) => wanted.push(resolve));
  };
  const polling = poll(host);
  const upgrade = attempt(host);
  await until(() => wanted.length === 2);
  expect(await countFreePlaces(host)).toBe(0);
  for (const resolve of wanted) resolve("");
  expect((await polling).status).toBe(400);
  expect(await upgrade).toMatchObject({ name: "refused" });
  expect(await countFreePlaces(host)).toBe(2);
});

const departures: Record<string, (connection: RawConnection) => void> = {
  "ends its half of the connection": (connection) => connection.end(),
  "closes the connection": (connection) => connection.destroy(),
  "resets the connection": (connection) => connection.reset(),
};

test.each(Object.keys(departures))(
  "a place is free again when the client %s while allowRequest never answers",
  async (name) => {
    const { host, waiting } = await startSlowHost();
    const connections = [requestPolling(host), requestUpgrade(host)];
    await until(() => waiting.length === 2);
    expect(await countFreePlaces(host)).toBe(0);
    for (const connection of connections) departures[name]?.(connection);
    await placesFree(host, 2);
    for (const handshake of waiting) handshake.answer(true);
    // An answer that comes too late opens nothing, and frees nothing a second time.
    expect(host.engine.clientsCount).toBe(0);
    expect(await countFreePlaces(host)).toBe(2);
  },
);

test.each([1, 100_000])(
  "what is sent before the answer to an upgrade hides no end: %s bytes",
  async (size) => {
    const { host, waiting } = await startSlowHost({ maxConnections: 1 });
    const connection = requestUpgrade(host);
    await until(() => waiting.length === 1);
    connection.write(Buffer.alloc(size));
    connection.end();
    expect(await connection.closed).toEqual(Buffer.alloc(0));
    await placesFree(host, 1);
  },
);

test("a place is free again when the connection of requests that were pipelined closes", async () => {
  const { host, waiting } = await startSlowHost({
    maxConnections: 50,
    maxConnectionsPerAddress: 50,
  });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  onCleanup(() => process.off("warning", onWarning));
  const connection = requestPolling(host, 50);
  await until(() => waiting.length === 50);
  expect(await countFreePlaces(host)).toBe(0);
  // The second waits for the first to be answered, and is let in.
  for (const handshake of waiting.slice(1, 3)) handshake.answer(true);
  expect(host.engine.clientsCount).toBe(2);
  expect(await countFreePlaces(host)).toBe(0);
  connection.destroy();
  await until(() => waiting[0]?.req.socket.destroyed === true);
  for (const handshake of waiting.slice(3)) handshake.answer(true);
  expect(host.engine.clientsCount).toBe(2);
  expect(await countFreePlaces(host)).toBe(48);
  expect(warnings).toEqual([]);
});

test("a place is free again when a middleware answers or refuses by itself", async () => {
  const { host } = await startSlowHost();
  host.engine.use((req, res, next) => {
    const { "x-middleware": order } = req.headers;
    if (order === undefined) next();
    else if (order === "answer") setImmediate(() => res.writeHead(401).end());
    else setImmediate(() => next(new Error("mine")));
  });
  // The connection goes on after the answer, so nothing but the answer ends the handshake.
  const connection = new RawConnection(host.port);
  onCleanup(() => connection.destroy());
  const statuses = [];
  for (const order of ["answer", "refuse"]) {
    const headers = { "x-middleware": order };
    for (let round = 0; round < 3; round += 1) {
      statuses.push((await connection.request({ path: POLLING, headers })).status);
      await placesFree(host, 2);
      await RawWebSocket.attempt({ port: host.port, path: WEBSOCKET, headers });
      await placesFree(host, 2);
    }
  }
  expect(statuses).toEqual([401, 401, 401, 400, 400, 400]);
});

test("a place is free again when the client leaves a middleware that does nothing", async () => {
  const { host } = await startSlowHost();
  let seen = 0;
  host.engine.use((req, _res, next) => {
    if (req.headers["x-at-once"] === undefined) seen += 1;
    else next();
  });
  const connections = [requestPolling(host), requestUpgrade(host)];
  await until(() => seen === 2);
  expect(await countFreePlaces(host)).toBe(0);
  for (const connection of connections) connection.end();
  await placesFree(host, 2);
});

test("a place is free again when the WebSocket server refuses who was let in", async () => {
  const { host, waiting } = await startSlowHost();
  const connection = requestUpgrade(host, "short");
  await until(() => waiting.length === 1);
  expect(await countFreePlaces(host)).toBe(1);
  waiting[0]?.answer(true);
  expect((await connection.closed).toString()).toContain("Sec-WebSocket-Key");
  await placesFree(host, 2);
});

test("a place is free again when the server drains while the application thinks", async () => {
  const { host, waiting } = await startSlowHost({ maxConnections: 1 });
  const polling = poll(host);
  await until(() => waiting.length === 1);
  host.engine.drain();
  waiting[0]?.answer(true);
  expect((await polling).status).toBe(503);
  expect(host.refusalNames()).toEqual(["DRAINING"]);
});

const slow = { wsEngine: SlowWebSocketServer };

test.each<[name: string, options: ServerOptions, headers: Record<string, string>, heard: string[]]>(
  [
    ["our WebSocket server", {}, {}, ["early", "late"]],
    ["that of ws", { perMessageDeflate: true }, {}, ["early", "late"]],
    ["one that takes its time", slow, {}, ["late"]],
    ["one that takes its time, though the application did not", slow, AT_ONCE, ["late"]],
  ],
)("who waited is served as if it had not: %s", async (_name, options, headers, heard) => {
  const { host, waiting } = await startSlowHost({ maxConnections: 1, ...options });
  const texts: unknown[] = [];
  const opened = gate<Session>();
  host.engine.on("connection", (session) => {
    session.on("data", (data) => texts.push(data));
    opened.open(session);
  });
  // A client must not send that early, but what comes with the request is not lost.
  const early = formatFrame({ opcode: OPCODE.text, payload: "4early" });
  const upgrade = RawWebSocket.attempt({ port: host.port, path: WEBSOCKET, headers, early });
  await until(() => waiting.length === 1 || headers === AT_ONCE);
  for (const handshake of waiting) handshake.answer(true);
  const session = await opened.opened;
  expect((await poll(host)).status).toBe(503);
  const outcome = await upgrade;
  if (outcome.name !== "accepted") throw new Error(outcome.name);
  outcome.socket.send("4late");
  await until(() => texts.length === heard.length);
  expect(texts).toEqual(heard);
  session.destroy();
  await placesFree(host, 1);
});

test("a place is free again when the client leaves a WebSocket server that takes its time", async () => {
  const { host, waiting } = await startSlowHost({
    maxConnections: 1,
    wsEngine: StuckWebSocketServer,
  });
  const connection = requestUpgrade(host);
  await until(() => waiting.length === 1);
  waiting[0]?.answer(true);
  expect(await countFreePlaces(host)).toBe(0);
  connection.reset();
  await placesFree(host, 1);
});

test("each address has places of its own, behind proxies that are trusted", async () => {
  const host = await startHost({ maxConnectionsPerAddress: 1, trustProxy: "loopback" });
  const from = (address: string) => ({ "x-forwarded-for": `6.6.6.6, ${address}` });
  const { session } = await openWebSocket(host, from("192.0.2.1"));
  expect(session.remoteAddress).toBe("192.0.2.1");
  const answer = await poll(host, from("192.0.2.1"));
  expect(answer.status).toBe(429);
  expect(answer.header("retry-after")).toBe("10");
  expect(JSON.parse(answer.body)).toEqual({ code: 4, message: "Too many requests" });
  expect((await refusedUpgrade(host, from("192.0.2.1"))).status).toBe(429);
  expect((await poll(host, from("192.0.2.2"))).status).toBe(200);
  expect((await poll(host, from("2001:db8::1"))).status).toBe(200);
  expect((await poll(host, from("2001:db8::2"))).status).toBe(429);
  expect((await poll(host, from("2001:db8:0:1::2"))).status).toBe(200);
  expect(host.refusals[0]?.context).toEqual({
    name: "MAX_CONNECTIONS_PER_ADDRESS",
    address: "192.0.2.1",
    maxConnectionsPerAddress: 1,
  });
  session.destroy();
  expect((await poll(host, from("192.0.2.1"))).status).toBe(200);
});

test("without trustProxy, nobody gets places by a header", async () => {
  const host = await startHost({ maxConnectionsPerAddress: 1 });
  await pollingHandshake(host.port);
  expect((await poll(host, { "x-forwarded-for": "192.0.2.1" })).status).toBe(429);
});

test("above the handshake rate, an address gets 429", async () => {
  const host = await startHost({ handshakeRate: { perSecond: 0.01, burst: 2 }, trustProxy: 1 });
  const mine = { "x-forwarded-for": "192.0.2.1" };
  const { client } = await openWebSocket(host, mine);
  client.close();
  expect((await poll(host, mine)).status).toBe(200);
  const answer = await poll(host, mine);
  expect(answer.status).toBe(429);
  const seconds = Number(answer.header("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(100);
  expect((await refusedUpgrade(host, mine)).status).toBe(429);
  expect((await poll(host, { "x-forwarded-for": "192.0.2.2" })).status).toBe(200);
  expect(host.refusals[0]?.context).toEqual({ name: "HANDSHAKE_RATE", address: "192.0.2.1" });
});

test("a refusal comes before middlewares and allowRequest, and has the headers of cors", async () => {
  const seen: string[] = [];
  const host = await startHost({
    maxConnections: 1,
    cors: { origin: "https://example.com" },
    allowRequest: (_req, answer) => {
      seen.push("allowRequest");
      answer(null, true);
    },
  });
  host.engine.use((_req, _res, next) => {
    seen.push("middleware");
    next();
  });
  await pollingHandshake(host.port);
  const answer = await poll(host, { origin: "https://example.com" });
  expect(answer.status).toBe(503);
  expect(answer.header("access-control-allow-origin")).toBe("https://example.com");
  await refusedUpgrade(host);
  expect(seen).toEqual(["middleware", "allowRequest"]);
});

test("a page of another origin opens nothing, over any transport (136)", async () => {
  const host = await startHost({ allowedOrigins: ["https://example.com"] });
  const foreign = { origin: "https://evil.example" };
  const answer = await poll(host, foreign);
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.body)).toEqual({ code: 4, message: "Forbidden" });
  expect((await refusedUpgrade(host, foreign)).status).toBe(400);
  expect((await poll(host, { "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect(host.refusals[0]?.context).toEqual({
    name: "ORIGIN_NOT_ALLOWED",
    origin: "https://evil.example",
  });
  expect((await poll(host, { origin: "https://example.com" })).status).toBe(200);
  expect((await poll(host)).status).toBe(200);
  await openWebSocket(host, { origin: "https://example.com" });
});

test("a page of another origin cannot take over a session by an upgrade", async () => {
  const host = await startHost({ allowedOrigins: (origin) => origin === "https://example.com" });
  const polling = await pollingHandshake(host.port);
  const outcome = await RawWebSocket.attempt({
    port: host.port,
    path: `${WEBSOCKET}&sid=${polling.open.sid}`,
    headers: { origin: "https://evil.example" },
  });
  expect(outcome).toMatchObject({ name: "refused", response: { status: 400 } });
});

test("functions of the application that throw are reported, and let nobody in", async () => {
  const failure = new Error("mine");
  const fail = () => {
    throw failure;
  };
  const host = await startHost({
    allowedOrigins: fail,
    trustProxy: fail,
    maxConnectionsPerAddress: 1,
  });
  const errors: unknown[] = [];
  host.engine.on("handler_error", (error) => errors.push(error));
  expect((await poll(host, { origin: "https://example.com" })).status).toBe(403);
  expect((await poll(host, { "x-forwarded-for": "192.0.2.1" })).status).toBe(200);
  expect((await poll(host, { "x-forwarded-for": "192.0.2.2" })).status).toBe(429);
  expect(new Set(errors)).toEqual(new Set([failure]));
});

test("the options reach the engine through a Socket.IO server", async () => {
  const httpServer = createServer();
  const io = new SocketIoServer(httpServer, {
    maxConnections: 1,
    maxConnectionsPerAddress: 5,
    trustProxy: 1,
    handshakeRate: { perSecond: 100, burst: 100 },
    allowedOrigins: ["https://example.com"],
    maxBufferedBytes: 1000,
    slowConsumer: "drop-volatile",
  });
  onCleanup(() => io.close());
  const refused = gate<ConnectionError>();
  io.engine.on("connection_error", (error: ConnectionError) => refused.open(error));
  const port = await listenOn(httpServer, 0);
  const path = "/socket.io/?EIO=4&transport=polling";
  const { status } = await rawRequest({ port, path, headers: { "x-forwarded-for": "192.0.2.1" } });
  expect(status).toBe(200);
  expect((await rawRequest({ port, path })).status).toBe(503);
  expect((await refused.opened).context).toMatchObject({ name: "MAX_CONNECTIONS" });
});
