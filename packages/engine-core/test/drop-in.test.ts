// The acceptance list of the API, row by row: names, shapes and defaults, where that is cheap in
// comparison with npm engine.io. What the rows mean on the wire is tested elsewhere.
import { EventEmitter, once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { connect, type AddressInfo } from "node:net";
import * as official from "engine.io";
import * as officialParser from "engine.io-parser";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import * as ours from "../src/index.js";
import { FakeTransport } from "./fake-transport.js";
import { FakeWebTransport } from "./fake-webtransport.js";
import { makeSession, openSession, tick } from "./fixtures.js";
import { startEngine } from "./running-engine.js";

const require = createRequire(import.meta.url);

/** The names of a module, without those that only the way of importing it adds. */
function namesOf(module: object): string[] {
  return Object.keys(module).filter((name) => name !== "default" && name !== "module.exports");
}

/** An HTTP server on a port, for one test. */
async function listening(httpServer: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    httpServer.closeAllConnections();
    httpServer.close();
  });
  // One cast: a server that listens on a port has an address.
  return (httpServer.address() as AddressInfo).port;
}

/** Starts npm engine.io, and returns its URL. */
async function startOfficial(
  options: official.ServerOptions & official.AttachOptions = {},
): Promise<string> {
  const httpServer = createServer();
  const engine = official.attach(httpServer, options);
  onTestFinished(() => void engine.close());
  return `http://127.0.0.1:${await listening(httpServer)}/engine.io/`;
}

/** What a server answers to a WebSocket upgrade, up to the end of the head. */
async function upgradeAnswer(url: string): Promise<string> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes("\r\n\r\n")) break;
  }
  return answer;
}

// ── packages ─────────────────────────────────────────────────────────────────

test("every name of the CommonJS package but uServer is there (X5)", () => {
  const { uServer: _uServer, ...names } = require("engine.io") as Record<string, unknown>;
  expect(namesOf(ours)).toEqual(expect.arrayContaining(namesOf(names)));
  for (const [name, value] of Object.entries(names)) {
    expect([name, typeof Reflect.get(ours, name)]).toEqual([name, typeof value]);
  }
});

test("every name of the ESM package is there (X6)", () => {
  expect(namesOf(official)).toHaveLength(8);
  expect(namesOf(ours)).toEqual(expect.arrayContaining(namesOf(official)));
});

test("the package is not callable, and protocol is 4 (X7)", () => {
  expect(typeof ours).toBe("object");
  expect(ours.protocol).toBe(official.protocol);
});

test("listen answers 501 to everything else (X8)", async () => {
  const engine = ours.listen(0);
  const httpServer = engine.httpServer as HttpServer;
  await once(httpServer, "listening");
  onTestFinished(() => void httpServer.close());
  const { port } = httpServer.address() as AddressInfo;
  const response = await fetch(`http://localhost:${port}/`, { headers: { connection: "close" } });
  expect(response.status).toBe(501);
  expect(await response.text()).toBe("Not Implemented");
});

test("attach makes a server on an HTTP server (X9)", () => {
  const httpServer = createServer();
  const engine = ours.attach(httpServer, { pingTimeout: 5 });
  expect(engine).toBeInstanceOf(ours.Server);
  expect(engine.httpServer).toBe(httpServer);
  expect(engine.opts.pingTimeout).toBe(5);
});

test("parser has the names of engine.io-parser (X12)", () => {
  expect(namesOf(ours.parser).sort()).toEqual(namesOf(officialParser).sort());
  expect(ours.parser.decodePacket("?")).toEqual({ type: "error", data: "parser error" });
});

test("parserV3 is the parser of protocol 3 (X13)", () => {
  expect(ours.parserV3.protocol).toBe(3);
  expect(namesOf(ours.parserV3).sort()).toEqual([
    "decodeBase64Packet",
    "decodePacket",
    "decodePayload",
    "decodePayloadAsBinary",
    "encodeBase64Packet",
    "encodePacket",
    "encodePayload",
    "encodePayloadAsBinary",
    "packets",
    "protocol",
  ]);
});

// ── Server ───────────────────────────────────────────────────────────────────

test("a server is an emitter with opts, clients, clientsCount and middlewares (E1)", async () => {
  const running = await startEngine();
  const { engine } = running;
  expect(engine).toBeInstanceOf(EventEmitter);
  expect(engine.opts.pingInterval).toBe(25_000);
  expect([engine.clientsCount, Object.keys(engine.clients)]).toEqual([0, []]);
  const { session } = await running.openWebSocket();
  expect([engine.clientsCount, engine.clients]).toEqual([1, { [session.id]: session }]);
  const middleware: ours.Middleware = (_req, _res, next) => next();
  engine.use(middleware);
  expect(engine.middlewares).toEqual([middleware]);
});

test("cors is one of the middlewares (E1)", () => {
  const options = { cors: { origin: "http://a" } };
  const theirs = new official.Server(options) as unknown as { middlewares: unknown[] };
  expect(new ours.Server(options).middlewares).toHaveLength(theirs.middlewares.length);
});

test("upgrades are those of npm engine.io, as far as they are offered (E2)", () => {
  for (const options of [
    {},
    { transports: ["polling", "websocket", "webtransport"] },
    { transports: ["polling"] },
    { allowUpgrades: false },
  ] as ours.ServerOptions[]) {
    for (const transport of ["polling", "websocket", "webtransport"] as const) {
      const theirs = new official.Server(options as official.ServerOptions).upgrades(transport);
      const engine = new ours.Server(options);
      // The original leaves out the others when it tells the client.
      const offered = theirs.filter((name) => engine.opts.transports.some((one) => one === name));
      expect(engine.upgrades(transport)).toEqual(offered);
    }
  }
});

test.each([
  ["GET", ""],
  ["GET", "?EIO=4&transport=other"],
  ["GET", "?EIO=4&transport=constructor"],
  ["GET", "?EIO=4&transport=other&sid=unknown"],
  ["GET", "?EIO=4&transport=polling&sid=unknown"],
  ["POST", "?EIO=4&transport=polling"],
  ["GET", "?EIO=4&transport=websocket"],
  ["GET", "?EIO=3&transport=polling"],
  ["GET", "?transport=polling"],
])("%s %s is refused as npm engine.io refuses it (E3)", async (method, query) => {
  const { url } = await startEngine();
  const answers = await Promise.all(
    [url, await startOfficial()].map(async (base) => {
      const response = await fetch(base + query, { method });
      return [response.status, response.headers.get("content-type"), await response.text()];
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
});

test("use takes middlewares for requests and upgrades (E4)", async () => {
  const { engine, url } = await startEngine();
  engine.use((_req, res, next) => {
    res.setHeader("X-Seen", "yes");
    next();
  });
  const response = await fetch(`${url}?EIO=4&transport=polling`);
  expect(response.headers.get("x-seen")).toBe("yes");
  await response.text();
  expect(await upgradeAnswer(`${url}?EIO=4&transport=websocket`)).toContain("X-Seen: yes\r\n");
});

test("close closes every client and returns the server (E5)", async () => {
  const running = await startEngine();
  const { engine } = running;
  const sessions = [(await running.openWebSocket()).session, (await running.openPolling()).session];
  const reasons: string[] = [];
  for (const session of sessions) session.on("close", (reason) => reasons.push(reason));
  expect(engine.close()).toBe(engine);
  expect(reasons).toEqual(["forced close", "forced close"]);
  expect(engine.clientsCount).toBe(0);
});

test("generateId can be replaced, and its rejection refuses the client (E6)", async () => {
  const running = await startEngine();
  const { engine, url } = running;
  engine.generateId = () => Promise.resolve("mine");
  expect((await running.openPolling()).session.id).toBe("mine");
  engine.generateId = () => Promise.reject(new Error("no id"));
  const refused = once(engine, "connection_error");
  expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
  const [error] = (await refused) as [ours.ConnectionError];
  expect(error).toMatchObject({ code: 3, context: { name: "ID_GENERATION_ERROR" } });
});

test.each([
  ["EIO=4&", 4],
  ["EIO=3&", 3],
  ["EIO=5&", 3],
  ["", 3],
])("a handshake with %s is of protocol %i (E7)", async (query, protocol) => {
  const running = await startEngine({ allowEIO3: true });
  const { session } = await running.openWebSocket(`${query}transport=websocket`);
  expect(session.protocol).toBe(protocol);
});

test("onWebTransportSession takes a session of an HTTP/3 server (E8)", async () => {
  const engine = new ours.Server({ transports: ["polling", "websocket", "webtransport"] });
  const connected = once(engine, "connection");
  const webtransport = new FakeWebTransport();
  engine.onWebTransportSession(webtransport);
  webtransport.openStream();
  webtransport.send("0");
  const [session] = (await connected) as [ours.Session];
  onTestFinished(() => void engine.close());
  expect(session.transport.name).toBe("webtransport");
});

test("the codes and texts of refusals are static (E9)", () => {
  expect(ours.Server.errors).toEqual(official.Server.errors);
  expect(ours.Server.errorMessages).toEqual(official.Server.errorMessages);
});

test("a server serves again after its HTTP server was closed, with nothing to init (E10)", async () => {
  const { engine, httpServer, url } = await startEngine();
  expect(engine.httpServer).toBe(httpServer);
  const { port } = new URL(url);
  await new Promise((resolve) => httpServer.close(resolve));
  await new Promise<void>((resolve) => httpServer.listen(Number(port), "127.0.0.1", resolve));
  const answer = await upgradeAnswer(`${url}?EIO=4&transport=websocket`);
  expect(answer).toMatch(/^HTTP\/1.1 101 /);
});

test("requests and upgrades may be handed over (E11)", async () => {
  const engine = new ours.Server();
  onTestFinished(() => void engine.close());
  const httpServer = createServer((req, res) => engine.handleRequest(req, res));
  httpServer.on("upgrade", (req, socket, head: Buffer) => engine.handleUpgrade(req, socket, head));
  const url = `http://127.0.0.1:${await listening(httpServer)}/anything`;
  const response = await fetch(`${url}?EIO=4&transport=polling`);
  expect(await response.text()).toMatch(/^0\{/);
  expect(await upgradeAnswer(`${url}?EIO=4&transport=websocket`)).toMatch(/^HTTP\/1.1 101 /);
});

test("attach puts the server before the request listeners that there are (E12)", () => {
  const httpServer = createServer(() => {});
  new ours.Server().attach(httpServer);
  const events = ["request", "upgrade", "close"];
  expect(events.map((event) => httpServer.listenerCount(event))).toEqual([1, 1, 1]);
  const pollingOnly = createServer();
  new ours.Server({ transports: ["polling"] }).attach(pollingOnly);
  expect(pollingOnly.listenerCount("upgrade")).toBe(0);
});

test("a query that was parsed already is taken as it is (E13)", async () => {
  const engine = new ours.Server();
  onTestFinished(() => void engine.close());
  const httpServer = createServer((req: ours.EngineRequest, res) => {
    req._query = { EIO: "4", transport: "polling" };
    engine.handleRequest(req, res);
  });
  const response = await fetch(`http://127.0.0.1:${await listening(httpServer)}/`);
  expect(await response.text()).toMatch(/^0\{/);
});

test("a server emits the events of npm engine.io (E14)", async () => {
  const running = await startEngine();
  const { engine, url } = running;
  const events: string[] = [];
  const note = (event: keyof ours.ServerEvents) =>
    engine.on(event, (...args: unknown[]) => events.push(`${event} ${args.length}`));
  for (const event of ["connection", "initial_headers", "headers", "flush", "drain"] as const) {
    note(event);
  }
  const client = await running.openPolling();
  const { session } = client;
  expect(events.sort()).toEqual([
    "connection 1",
    "drain 1",
    "flush 2",
    "headers 2",
    "initial_headers 2",
  ]);
  events.length = 0;
  session.send("a");
  await (await client.poll()).text();
  expect(events.sort()).toEqual(["drain 1", "flush 2", "headers 2"]);
  const refused = once(engine, "connection_error");
  await fetch(url);
  const [error] = (await refused) as [ours.ConnectionError];
  expect(Object.keys(error).sort()).toEqual(["code", "context", "message", "req"]);
});

test("a refused upgrade is answered as npm engine.io answers it (E15)", async () => {
  const allowRequest: official.ServerOptions["allowRequest"] = (_req, done) => done("no é", false);
  const query = "?EIO=4&transport=websocket";
  const { url } = await startEngine({ allowRequest: (_req, done) => done("no é", false) });
  expect(await upgradeAnswer(url + query)).toBe(
    await upgradeAnswer((await startOfficial({ allowRequest })) + query),
  );
});

test("a refusal whose message is no text ends an upgrade, not the process (E15)", async () => {
  const { url } = await startEngine({ allowRequest: (_req, done) => done({ code: 1 }, false) });
  const answer = await upgradeAnswer(`${url}?EIO=4&transport=websocket`);
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*\r\n\r\nForbidden$/);
});

test("an origin with characters that no header may have is refused (E16)", async () => {
  const { engine, url } = await startEngine();
  const refused = once(engine, "connection_error");
  // Node itself takes no such header, so it is put on the request by a host in front.
  engine.use((req, _res, next) => {
    req.headers.origin = "\u0000";
    next();
  });
  expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
  const [error] = (await refused) as [ours.ConnectionError];
  expect(error).toMatchObject({ code: 3, context: { name: "INVALID_ORIGIN", origin: "\u0000" } });
});

// ── options ──────────────────────────────────────────────────────────────────

test.each([
  ["pingTimeout", "P1"],
  ["pingInterval", "P2"],
  ["upgradeTimeout", "P3"],
  ["maxHttpBufferSize", "P4"],
  ["allowRequest", "P5"],
  ["transports", "P6"],
  ["allowUpgrades", "P7"],
  ["perMessageDeflate", "P8"],
  ["httpCompression", "P9"],
  ["initialPacket", "P11"],
  ["cookie", "P12"],
  ["cors", "P13"],
  ["allowEIO3", "P14"],
] as const)("the default of %s is that of npm engine.io (%s)", (name, _row) => {
  // "Off" is written as undefined or as false.
  expect(new ours.Server().opts[name] ?? false).toEqual(new official.Server().opts[name] ?? false);
});

test("allowRequest is asked for handshakes alone (P5)", async () => {
  const allowRequest = vi.fn<ours.AllowRequest>((_req, done) => done(null, true));
  const running = await startEngine({ allowRequest });
  const client = await running.openPolling();
  const { session } = client;
  session.send("a");
  expect(await (await client.poll()).text()).toBe("4a");
  expect(allowRequest).toHaveBeenCalledOnce();
});

test("perMessageDeflate true means the threshold of npm engine.io (P8)", () => {
  const options = { perMessageDeflate: true };
  expect(new ours.Server(options).opts.perMessageDeflate).toEqual(
    new official.Server(options).opts.perMessageDeflate,
  );
});

test("httpCompression true is the default, where npm engine.io compresses everything (P9)", () => {
  const { httpCompression } = new ours.Server({ httpCompression: true }).opts;
  expect(httpCompression).toEqual({ threshold: 1024 });
});

test("the WebSocket server is that of ws, or of wsEngine (P10)", async () => {
  const made = vi.fn<(options: unknown) => void>();
  class Engine extends WebSocketServer {
    constructor(...args: ConstructorParameters<typeof WebSocketServer>) {
      super(...args);
      made(args[0]);
    }
  }
  const running = await startEngine({ wsEngine: Engine, maxHttpBufferSize: 7 });
  const { session, socket } = await running.openWebSocket();
  const message = once(session, "message");
  socket.send("4hi");
  expect(await message).toEqual(["hi"]);
  expect(made).toHaveBeenCalledWith({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 7,
  });
});

test("the initial packet is in the answer to the handshake (P11)", async () => {
  const { url } = await startEngine({ initialPacket: "hi" });
  const query = "?EIO=4&transport=polling";
  expect(await (await fetch(url + query)).text()).toContain("}\u001e4hi");
});

test.each([[true], [{ name: "sid", path: "/a", httpOnly: false }], [{ name: "x", maxAge: 5 }]])(
  "the cookie for %o is that of npm engine.io (P12)",
  async (cookie) => {
    const cookies = await Promise.all(
      [(await startEngine({ cookie })).url, await startOfficial({ cookie })].map(async (base) => {
        const response = await fetch(`${base}?EIO=4&transport=polling`);
        const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
        return response.headers.get("set-cookie")?.replace(sid, "SID");
      }),
    );
    expect(cookies[0]).toMatch(/SID/);
    expect(cookies[0]).toBe(cookies[1]);
  },
);

test("cors takes the options of the cors package (P13)", async () => {
  const { url } = await startEngine({ cors: { origin: "http://a", credentials: true } });
  const { headers } = await fetch(`${url}?EIO=4&transport=polling`);
  expect(headers.get("access-control-allow-origin")).toBe("http://a");
  expect(headers.get("access-control-allow-credentials")).toBe("true");
});

test("allowEIO3 lets clients of protocol 3 in (P14)", async () => {
  const query = "?EIO=3&transport=polling";
  const { url } = await startEngine({ allowEIO3: true });
  expect(await (await fetch(url + query)).text()).toMatch(/^\d+:0\{/);
});

test.each([
  [undefined, "/engine.io/", "/engine.io"],
  [{ path: "/a" }, "/a/", "/a"],
  [{ path: "/a/" }, "/a/b", "/a"],
  [{ path: "/a", addTrailingSlash: false }, "/ab", "/b"],
])("attach with %o serves %s, and leaves %s alone (P15)", async (options, served, left) => {
  const query = "?EIO=4&transport=polling";
  const httpServer = createServer((_req, res) => {
    res.end("application");
  });
  const engine = new ours.Server().attach(httpServer, options);
  onTestFinished(() => void engine.close());
  const base = `http://127.0.0.1:${await listening(httpServer)}`;
  expect(await (await fetch(base + served + query)).text()).toMatch(/^0\{/);
  expect(await (await fetch(base + left + query)).text()).toBe("application");
});

// ── Socket ───────────────────────────────────────────────────────────────────

test("a socket has the members of npm engine.io (G1)", async () => {
  const running = await startEngine();
  const { engine } = running;
  const { session } = await running.openPolling();
  expect(session).toBeInstanceOf(ours.Socket);
  expect(session).toBeInstanceOf(EventEmitter);
  expect(session).toMatchObject({
    protocol: 4,
    remoteAddress: "127.0.0.1",
    readyState: "open",
    upgrading: false,
    upgraded: false,
    writeBuffer: [],
  });
  expect(session.request.url).toBe("/engine.io/?EIO=4&transport=polling");
  expect(session.transport).toBeInstanceOf(ours.Transport);
  expect(session.id).toMatch(/^[\w-]{20}$/);
  expect(session.server).toBe(engine);
  expect(session.server?.clientsCount).toBe(1);
});

test("a session that is not of a server has none (G1)", () => {
  expect(makeSession().session.server).toBeUndefined();
});

test("send, or write, takes data, options and a callback, and chains (G2)", async () => {
  const { session, transport } = openSession();
  const sent: unknown[] = [];
  const callback = (by: unknown): void => void sent.push(by);
  expect(session.send("a", { compress: false }, callback)).toBe(session);
  expect(session.write("b", callback)).toBe(session);
  await tick();
  transport.finishWriting();
  expect(transport.sent).toEqual([
    [
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ],
  ]);
  expect(sent).toEqual([transport, transport]);
});

test("close waits for what is to be sent, and close(true) for nothing (G3)", () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("a");
  session.close();
  expect(session.readyState).toBe("closing");
  transport.writable = true;
  transport.peer.onReady();
  expect(session.readyState).toBe("closed");
  const other = openSession();
  other.transport.writable = false;
  other.session.send("a");
  other.session.close(true);
  expect(other.session.readyState).toBe("closed");
});

test("a socket emits the events of npm engine.io (G4)", async () => {
  const { session, transport } = makeSession();
  const events: unknown[] = [];
  for (const event of [
    "open",
    "packet",
    "packetCreate",
    "data",
    "message",
    "heartbeat",
    "flush",
    "drain",
    "close",
  ] as const) {
    session.on(event, (...args: unknown[]) => events.push([event, ...args]));
  }
  session.open();
  expect(events.map((event) => (event as unknown[])[0])).toEqual([
    "packetCreate",
    "open",
    "flush",
    "drain",
  ]);
  events.length = 0;
  transport.peer.onPacket({ type: "message", data: "hi" });
  transport.peer.onPacket({ type: "pong" });
  transport.peer.onClose();
  expect(events).toEqual([
    ["packet", { type: "message", data: "hi" }],
    ["data", "hi"],
    ["message", "hi"],
    ["packet", { type: "pong" }],
    ["heartbeat"],
    ["close", "transport close", undefined],
  ]);
});

test("an upgrade is two events, each with the transport (G4)", () => {
  const { session } = openSession({}, new FakeTransport("polling"));
  const candidate = new FakeTransport();
  const events: unknown[] = [];
  session.on("upgrading", (transport) => events.push("upgrading", transport));
  session.on("upgrade", (transport) => events.push("upgrade", transport));
  session.probe(candidate);
  candidate.peer.onPacket({ type: "ping", data: "probe" });
  candidate.peer.onPacket({ type: "upgrade" });
  expect(events).toEqual(["upgrading", candidate, "upgrade", candidate]);
});

test("empty text is the packet 4 (G5)", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session } = client;
  session.send("");
  expect(await client.next()).toBe("4");
});

test("a ping follows after pingInterval, and its answer within pingTimeout (G6)", () => {
  const { session, transport, clock } = openSession({ pingInterval: 10_000, pingTimeout: 5000 });
  const reasons: string[] = [];
  session.on("close", (reason) => reasons.push(reason));
  const sent: unknown[] = [];
  session.on("packetCreate", ({ type }) => sent.push(type));
  clock.advance(9000);
  expect(sent).toEqual([]);
  clock.advance(2500);
  expect(sent).toEqual(["ping"]);
  transport.peer.onPacket({ type: "pong" });
  clock.advance(12_500);
  expect(sent).toEqual(["ping", "ping"]);
  clock.advance(7500);
  expect(reasons).toEqual(["ping timeout"]);
});

test("a probe that takes longer than upgradeTimeout is given up (G7)", () => {
  const { session, clock } = openSession({ upgradeTimeout: 500 }, new FakeTransport("polling"));
  const candidate = new FakeTransport();
  session.probe(candidate);
  expect(session.upgrading).toBe(true);
  clock.advance(500);
  expect([session.upgrading, session.upgraded, candidate.log]).toEqual([false, false, ["close"]]);
});

test("the write buffer can still be read when the socket closes (G8)", async () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("a");
  let atClose: unknown;
  session.on("close", () => {
    atClose = session.writeBuffer.map(({ data }) => data);
  });
  transport.peer.onClose();
  expect(atClose).toEqual(["a"]);
  await tick();
  expect(session.writeBuffer).toEqual([]);
});

test("the callbacks of one flush are called together (G9)", async () => {
  const { session, transport } = openSession();
  const log: string[] = [];
  session.send("a", () => log.push("a"));
  session.send("b", () => log.push("b"));
  await tick();
  expect(log).toEqual([]);
  transport.finishWriting();
  expect(log).toEqual(["a", "b"]);
});

// ── transports ───────────────────────────────────────────────────────────────

test("transports are of the class Transport, with its members (H1)", async () => {
  const running = await startEngine();
  const polling = (await running.openPolling()).session;
  expect(polling.transport).toBeInstanceOf(ours.Transport);
  expect(polling.transport).toBeInstanceOf(EventEmitter);
  const members = { protocol: 4, readyState: "open", discarded: false, supportsBinary: true };
  expect(polling.transport).toMatchObject({
    ...members,
    name: "polling",
    sid: polling.id,
    writable: false,
  });
  expect(Reflect.get(polling.transport, "onRequest")).toBeTypeOf("function");
  const websocket = (await running.openWebSocket()).session;
  expect(websocket.transport).toBeInstanceOf(ours.Transport);
  expect(websocket.transport).toMatchObject({
    ...members,
    name: "websocket",
    sid: websocket.id,
    writable: true,
  });
  for (const { transport } of [polling, websocket]) {
    for (const method of ["send", "close", "discard", "on", "once", "off"] as const) {
      expect(transport[method]).toBeTypeOf("function");
    }
  }
});

test("b64 turns binary support off (H1)", async () => {
  const running = await startEngine();
  const { session } = await running.openPolling("EIO=4&transport=polling&b64=1");
  expect(session.transport.supportsBinary).toBe(false);
  const other = await running.openWebSocket("EIO=4&transport=websocket&b64=1");
  expect(other.session.transport.supportsBinary).toBe(false);
});

test("a transport says when it closes, and is closed (H1)", async () => {
  const running = await startEngine();
  for (const { session } of [await running.openPolling(), await running.openWebSocket()]) {
    const { transport } = session;
    const closed = once(transport, "close");
    session.close();
    expect(transport.readyState).toBe("closing");
    // A poll of the client would be waited for.
    if (transport.name === "polling") session.close(true);
    await closed;
    expect([transport.readyState, transport.discarded]).toEqual(["closed", true]);
  }
});

test("a transport that fails emits an error for those who listen (H1)", async () => {
  const running = await startEngine();
  const client = await running.openPolling();
  const { session } = client;
  const failed = once(session.transport, "error");
  const polls = [client.poll(), client.poll()].map(async (response) => (await response).text());
  const [error] = (await failed) as [ours.TransportError];
  expect(error).toMatchObject({ type: "TransportError", message: "overlap from client" });
  expect(session.readyState).toBe("closed");
  await Promise.all(polls);
});

test("a listener that throws at the failure of a transport is reported (H1)", async () => {
  const running = await startEngine();
  const client = await running.openPolling();
  const { session } = client;
  const warned = once(process, "warning");
  session.transport.on("error", () => {
    throw new Error("thrown by an observer");
  });
  await Promise.all(
    [client.poll(), client.poll()].map(async (response) => (await response).text()),
  );
  const [warning] = (await warned) as [Error];
  expect(warning).toMatchObject({ message: "thrown by an observer" });
});

test("the transports are there by name (H2)", () => {
  expect(Object.keys(ours.transports)).toEqual(Object.keys(official.transports));
  const { polling, websocket } = ours.transports;
  expect(polling.upgradesTo).toEqual(official.transports.polling.upgradesTo);
  expect(websocket.upgradesTo).toEqual(official.transports.websocket.upgradesTo);
  expect(ours.Transport.upgradesTo).toEqual(official.Transport.upgradesTo);
  expect(polling.prototype).toBeInstanceOf(ours.Transport);
  expect(websocket.prototype).toBeInstanceOf(ours.Transport);
});

test("a polling transport has its limits and times (H3)", async () => {
  const running = await startEngine({ maxHttpBufferSize: 77 });
  const { transport } = (await running.openPolling()).session;
  expect(transport).toBeInstanceOf(ours.transports.polling);
  expect(transport).toMatchObject({
    closeTimeout: 30_000,
    maxHttpBufferSize: 77,
    httpCompression: { threshold: 1024 },
  });
});

test("a JSONP client is served by the polling transport (H4)", async () => {
  const running = await startEngine();
  const { url } = running;
  const connected = running.nextSession();
  const response = await fetch(`${url}?EIO=4&transport=polling&j=3`);
  expect(await response.text()).toMatch(/^___eio\[3\]\("0\{/);
  expect((await connected).transport.name).toBe("polling");
});

test("a WebSocket sends a frame that was encoded before (H5)", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session } = client;
  expect(session.transport).toBeInstanceOf(ours.transports.websocket);
  const payload = Buffer.from("4encoded");
  const frame = [Buffer.from([0x81, payload.length]), payload];
  session.send("ignored", { wsPreEncodedFrame: frame });
  expect(await client.next()).toBe("4encoded");
});

test("WebTransport is one of the transports (H6)", () => {
  expect(ours.transports.webtransport).toBeTypeOf("function");
  expect(new ours.Server({ transports: ["webtransport"] }).opts.transports).toEqual([
    "webtransport",
  ]);
});

test("a WebSocket session is upgraded to nothing (H7)", async () => {
  const running = await startEngine({
    transports: ["polling", "websocket", "webtransport"],
  });
  const { session } = await running.openWebSocket();
  const candidate = new FakeTransport("webtransport");
  session.probe(candidate);
  expect([session.upgrading, candidate.log]).toEqual([false, ["close"]]);
});

// ── undocumented, but read by tools ──────────────────────────────────────────

test("the query of a request is there as _query", async () => {
  const running = await startEngine();
  const { session } = await running.openPolling();
  const { _query } = session.request as ours.EngineRequest;
  expect({ ..._query }).toEqual({ EIO: "4", transport: "polling" });
});

test("a polling transport emits headers before a response is written", async () => {
  const running = await startEngine();
  const client = await running.openPolling();
  const { session } = client;
  session.transport.on("headers", (headers, req) => {
    headers["X-Method"] = req.method ?? "";
  });
  session.send("a");
  expect((await client.poll()).headers.get("x-method")).toBe("GET");
});

test("packetCreate shows the options of a packet", () => {
  const { session } = openSession();
  const options: unknown[] = [];
  session.on("packetCreate", (packet) => options.push(packet.options));
  const frame = [Buffer.from([0x81, 1]), Buffer.from("4")];
  session.send("a");
  session.send("a", { compress: false });
  session.send("a", { wsPreEncodedFrame: frame });
  expect(options).toMatchObject([
    { compress: true },
    { compress: false },
    { wsPreEncodedFrame: frame },
  ]);
  expect(Array.isArray(session.writeBuffer)).toBe(true);
});

test("a session works without its request", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  delete (session as { request?: unknown }).request;
  session.request = null;
  const closed = once(session, "close");
  socket.send("4a");
  expect(await once(session, "message")).toEqual(["a"]);
  socket.close();
  expect(await closed).toEqual(["transport close", undefined]);
});
