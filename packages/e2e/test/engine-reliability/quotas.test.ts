import { createServer } from "node:http";
import type { ConnectionError, ServerOptions } from "@jackfield/engine-core";
import { Server as SocketIoServer } from "@jackfield/socketio";
import { pollingHandshake, RawConnection, rawRequest, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";
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

test("handshakes that wait for the application do not slip through together", async () => {
  const asked: ((allowed: boolean) => void)[] = [];
  const allowRequest: ServerOptions["allowRequest"] = () =>
    new Promise((resolve) => asked.push(resolve));
  const host = await startHost({ maxConnections: 1, allowRequest });
  const polls = [poll(host), poll(host)];
  const upgrade = RawWebSocket.attempt({ port: host.port, path: WEBSOCKET });
  await until(() => asked.length === 3);
  for (const answer of asked) answer(true);
  const outcome = await upgrade;
  const statuses = (await Promise.all(polls)).map(({ status }) => status);
  statuses.push(outcome.name === "dropped" ? 0 : outcome.response.status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(2);
  expect(host.engine.clientsCount).toBe(1);
  expect(host.refusalNames()).toEqual(["MAX_CONNECTIONS", "MAX_CONNECTIONS"]);
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
