// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { createServer, type Server as HttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Server as ForeignEngine } from "engine.io";
import type { Server, Socket as ServerSocket } from "socket.io";
import { io as connectTo } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { makeCertificate } from "../engine-clients/certificate.js";
import { Engine, Http2Client, listen } from "../engine-clients/hosts.js";
import { onCleanup } from "../support/cleanup.js";
import {
  type Cell,
  CELLS,
  collect,
  connect,
  pair,
  type Pair,
  roundTrip,
} from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { fix, SubjectServer } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";
import { ask } from "./host.js";

const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);
const WEBSOCKET = CELLS_OF_LATEST.find(({ transport }) => transport === "websocket") as Cell;

interface Listening {
  readonly io: Server;
  readonly port: number;
}

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** Connects over every transport and sees an acknowledgement come back. */
async function serves(server: Listening, options: Parameters<typeof pair>[2] = {}): Promise<void> {
  for (const cell of CELLS_OF_LATEST) {
    const { client, socket } = await pair(server, cell, options);
    await roundTrip(client);
    expect(socket.connected).toBe(true);
    client.disconnect();
  }
}

// ── foreign engines ──────────────────────────────────────────────────────────

/** Our server on the engine of npm `engine.io`. */
async function startForeign(): Promise<Listening & { engine: ForeignEngine }> {
  const httpServer = createServer();
  const engine = new ForeignEngine({ maxHttpBufferSize: 1000 });
  engine.attach(httpServer, { path: "/socket.io" });
  const io = new SubjectServer();
  io.bind(engine);
  return { io, engine, port: await listen(httpServer, () => io.close()) };
}

describe.each(CELLS)("npm engine.io, bound to our server, $name", (cell) => {
  test("events, binary data and acknowledgements go both ways", async () => {
    const server = await startForeign();
    expect(server.io.engine).toBe(server.engine);
    const { client, socket } = await pair(server, cell);
    expect(server.engine.clientsCount).toBe(1);
    expect(socket.handshake.address).toBe("127.0.0.1");
    socket.on("sum", (data: Buffer, more: number[], answer: (sum: number, data: Buffer) => void) =>
      answer(
        [...data, ...more].reduce((a, b) => a + b),
        Buffer.from([9]),
      ),
    );
    const [sum, data] = await new Promise<[number, Uint8Array]>((resolve) => {
      client.emit("sum", Buffer.from([1, 2]), [3], (...answer: [number, Uint8Array]) =>
        resolve(answer),
      );
    });
    expect([sum, Buffer.from(data).toString("hex")]).toEqual([6, "09"]);
    client.on("question", (answer: (text: string) => void) => answer("yes"));
    expect(await socket.emitWithAck("question")).toBe("yes");
  });

  test("broadcasts reach rooms and namespaces, with and without binary data", async () => {
    const server = await startForeign();
    server.io.of("/chat");
    const [one, other] = [await pair(server, cell), await pair(server, cell, { nsp: "/chat" })];
    await one.socket.join("a");
    const got = [one, other].map(({ client }) => collect(client, "news"));
    server.io.to("a").emit("news", "a");
    server.io.of("/chat").emit("news", "chat");
    server.io.emit("news", "all", Buffer.from([1]));
    one.socket.broadcast.emit("news", "nobody");
    await Promise.all([roundTrip(one.client), roundTrip(other.client)]);
    expect(got.map((calls) => calls.map(([text]) => text))).toEqual([["a", "all"], ["chat"]]);
    expect(await server.io.timeout(5000).fetchSockets()).toHaveLength(1);
  });

  test("both ends learn why a connection has ended", async () => {
    const server = await startForeign();
    const pairs = [await pair(server, cell), await pair(server, cell), await pair(server, cell)];
    const [kicked, gone, shut] = pairs as [Pair, Pair, Pair];
    const kickedEnds = [first(kicked.client, "disconnect"), first(kicked.socket, "disconnect")];
    kicked.socket.disconnect(true);
    expect(await Promise.all(kickedEnds)).toEqual([
      "io server disconnect",
      "server namespace disconnect",
    ]);
    const goneEnd = first(gone.socket, "disconnect");
    gone.client.io.engine.close();
    expect(await goneEnd).toBe("transport close");
    const shutEnd = first(shut.socket, "disconnect");
    await server.io.close();
    expect(await shutEnd).toBe("server shutting down");
    expect(server.engine.clientsCount).toBe(0);
  });
});

describe("npm engine.io, bound to our server", () => {
  test("garbage ends the connection of its sender", async () => {
    const server = await startForeign();
    const client = await RawClient.open(server.port);
    const socket = await (async (): Promise<ServerSocket> => {
      const id = await client.join();
      return server.io.of("/").sockets.get(id) as ServerSocket;
    })();
    const gone = first(socket, "disconnect");
    client.send("4garbage");
    expect(["forced close", "forced server close"]).toContain(await gone);
    await client.closed;
  });

  test("what is too big ends it as well, with the reason of the engine", async () => {
    const server = await startForeign();
    const { client, socket } = await pair(server, WEBSOCKET);
    const gone = received(socket, "disconnect");
    client.emit("big", "x".repeat(2000));
    expect((await gone)[0]).toBe("transport error");
  });

  test("of many volatile events in one tick, at least one arrives and no other is disturbed", async () => {
    const server = await startForeign();
    const { client, socket } = await pair(server, WEBSOCKET);
    const got = collect(client, "fleeting");
    for (let index = 0; index < 1000; index += 1) socket.volatile.emit("fleeting", index);
    socket.emit("kept");
    await roundTrip(client);
    expect(got.length).toBeGreaterThanOrEqual(1);
    expect(got.length).toBeLessThan(1000);
    expect(got[0]).toEqual([0]);
  });

  test("one server takes the connections of two engines, of both kinds", async () => {
    const server = await startForeign();
    const httpServer = createServer();
    const engine = new Engine();
    engine.attach(httpServer, { path: "/socket.io" });
    server.io.bind(engine);
    const port = await listen(httpServer, () => engine.close());
    expect(server.io.engine).toBe(engine);
    const pairs = [await pair(server, WEBSOCKET), await pair({ io: server.io, port }, WEBSOCKET)];
    const news = pairs.map(({ client }) => first(client, "news"));
    server.io.emit("news", 1);
    expect(await Promise.all(news)).toEqual([1, 1]);
    const counted = [server.engine.clientsCount, engine.clientsCount];
    expect(counted).toEqual([1, 1]);
  });
});

// ── kinds of servers ─────────────────────────────────────────────────────────

describe("over TLS", () => {
  const certificate = makeCertificate("server");
  const TLS = { key: certificate.key, cert: certificate.cert };
  const KINDS: [name: string, create: () => HttpServer][] = [
    ["https", () => createHttpsServer(TLS)],
    // One cast: it has what is used of an HTTP server.
    [
      "http2 with allowHTTP1",
      () => createSecureServer({ ...TLS, allowHTTP1: true }) as unknown as HttpServer,
    ],
  ];

  describe.each(KINDS)("%s", (_kind, create) => {
    test.each(CELLS_OF_LATEST)("serves $name", async (cell) => {
      const httpServer = create();
      const io = new SubjectServer(httpServer);
      const port = await listen(httpServer, () => io.close());
      const connected = first<ServerSocket>(io, "connection");
      const client = connectTo(`https://127.0.0.1:${port}`, {
        forceNew: true,
        reconnection: false,
        transports: cell.transport === "upgrade" ? ["polling", "websocket"] : [cell.transport],
        ca: certificate.cert,
      } as Parameters<typeof connectTo>[1]);
      onCleanup(() => client.disconnect());
      const socket = await connected;
      expect(socket.handshake.secure).toBe(true);
      socket.on("echo", (data: unknown, answer: (data: unknown) => void) => answer(data));
      const data = Buffer.alloc(5000, 3);
      expect(Buffer.from((await client.emitWithAck("echo", data)) as Uint8Array)).toEqual(data);
      if (cell.transport === "upgrade") {
        await until(() => socket.conn.transport.name === "websocket");
      }
      io.emit("news", "é".repeat(2000));
      expect(await first(client, "news")).toBe("é".repeat(2000));
    });
  });

  test("HTTP/2 clients can poll, and load the files of the client", async () => {
    const httpServer = createSecureServer({ ...TLS, allowHTTP1: true });
    const io = new SubjectServer(httpServer);
    const port = await listen(httpServer, () => io.close());
    const client = new Http2Client(port, certificate.cert);
    const url = "/socket.io/?EIO=4&transport=polling";
    const { body } = await client.request(url);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const post = await client.request(`${url}&sid=${sid}`, { ":method": "POST" }, "40");
    expect(post.body).toBe("ok");
    const joined = await client.request(`${url}&sid=${sid}`);
    expect(joined.body).toMatch(/^40\{"sid":"[\w-]{20}"\}$/);
    io.emit("news", 1);
    expect((await client.request(`${url}&sid=${sid}`)).body).toBe('42["news",1]');
    const file = await client.request("/socket.io/socket.io.js");
    expect([file.status, file.headers["content-type"]]).toEqual([
      200,
      "application/javascript; charset=utf-8",
    ]);
  });
});

// ── several servers ──────────────────────────────────────────────────────────

describe("several HTTP servers on one io", () => {
  async function startTwo(): Promise<{ io: Server; servers: HttpServer[]; ports: number[] }> {
    const servers = [createServer(), createServer()];
    const io = new SubjectServer(servers[0]);
    io.attach(servers[1] as HttpServer);
    const ports: number[] = [];
    for (const server of servers) ports.push(await listen(server, () => io.close()));
    return { io, servers, ports };
  }

  test.each(CELLS_OF_LATEST)("their clients are one crowd, $name", async (cell) => {
    const { io, servers, ports } = await startTwo();
    expect(io.httpServer).toBe(servers[1]);
    const [one, other] = (await Promise.all(ports.map((port) => pair({ io, port }, cell)))) as [
      Pair,
      Pair,
    ];
    const got = collect(other.client, "news");
    io.emit("news", "all");
    one.socket.broadcast.emit("news", "from one");
    await roundTrip(other.client);
    expect(got).toEqual([["all"], ["from one"]]);
    expect(io.of("/").sockets.size).toBe(2);
    expect(
      (await Promise.all(ports.map((port) => ask(port, "/socket.io/socket.io.js")))).map(
        ({ status }) => status,
      ),
    ).toEqual([200, 200]);
  });

  fix("close() closes all of them", async () => {
    const { io, servers, ports } = await startTwo();
    const clients = await Promise.all(ports.map((port) => pair({ io, port }, WEBSOCKET)));
    const gone = clients.map(({ client }) => first(client, "disconnect"));
    await io.close();
    expect(await Promise.all(gone)).toEqual(["transport close", "transport close"]);
    expect(servers.map((server) => server.listening)).toEqual([false, false]);
  });
});

// ── the ways to attach ───────────────────────────────────────────────────────

/** The port of the HTTP server that a server has made for itself. */
async function own(io: Server): Promise<Listening> {
  onCleanup(() => io.close());
  const { httpServer } = io as unknown as { httpServer: HttpServer };
  if (!httpServer.listening) await received(httpServer, "listening");
  return { io, port: portOf(httpServer) };
}

describe("attaching", () => {
  const start = async (io: Server, httpServer: HttpServer): Promise<Listening> => ({
    io,
    port: await listen(httpServer, () => io.close()),
  });

  test.each<[string, () => Server]>([
    ["new Server(0)", () => new SubjectServer(0)],
    ["new Server(0, options)", () => new SubjectServer(0, { pingInterval: 10_000 })],
    ["listen(0)", () => new SubjectServer().listen(0)],
    ["attach(0)", () => new SubjectServer().attach(0)],
    // The types want a number, but ports of environments are texts.
    ['attach("0")', () => new SubjectServer().attach("0" as unknown as number)],
  ])("%s listens by itself, and answers everything else with 404", async (_name, create) => {
    const server = await own(create());
    await serves(server);
    expect((await ask(server.port, "/")).status).toBe(404);
  });

  test.each<[string, (httpServer: HttpServer) => Server]>([
    ["new Server(httpServer)", (httpServer) => new SubjectServer(httpServer)],
    ["new Server().attach(httpServer)", (httpServer) => new SubjectServer().attach(httpServer)],
    ["new Server({}).listen(httpServer)", (httpServer) => new SubjectServer({}).listen(httpServer)],
  ])("%s serves beside the application", async (_name, create) => {
    const httpServer = createServer((_req, res) => res.end("application"));
    const io = create(httpServer);
    expect((io as unknown as { httpServer: HttpServer }).httpServer).toBe(httpServer);
    const server = await start(io, httpServer);
    await serves(server);
    expect((await ask(server.port, "/socket.io")).body).toBe("application");
  });

  test("a listener that is added afterwards gets all requests, as with any HTTP server", async () => {
    const httpServer = createServer();
    const io = new SubjectServer(httpServer);
    const seen: unknown[] = [];
    httpServer.on("request", (req) => seen.push(req.url?.split("?")[0]));
    await serves(await start(io, httpServer));
    expect(new Set(seen)).toEqual(new Set(["/socket.io/"]));
  });

  test.each<[string, (httpServer: HttpServer) => Server, string]>([
    ["of the constructor", (http) => new SubjectServer(http, { path: "/wire" }), "/wire"],
    ["of attach()", (http) => new SubjectServer().attach(http, { path: "/wire" }), "/wire"],
    ["set by path()", (http) => new SubjectServer().path("/wire/").attach(http), "/wire"],
    [
      "of the constructor rather than that of attach()",
      (http) => new SubjectServer({ path: "/wire" }).attach(http, { path: "/other" }),
      "/wire",
    ],
  ])("the path is that %s", async (_name, create, path) => {
    const httpServer = createServer((_req, res) => res.end("application"));
    const server = await start(create(httpServer), httpServer);
    await serves(server, { path });
    expect((await ask(server.port, "/socket.io/")).body).toBe("application");
  });

  fix("the files of the client are under the path, wherever that was given", async () => {
    const httpServer = createServer();
    const io = new SubjectServer().attach(httpServer, { path: "/wire" });
    const { port } = await start(io, httpServer);
    expect((await ask(port, "/wire/socket.io.js")).status).toBe(200);
  });

  test("without serveClient the files of the client are not there", async () => {
    const httpServer = createServer();
    const server = await start(new SubjectServer(httpServer, { serveClient: false }), httpServer);
    expect(await ask(server.port, "/socket.io/socket.io.js")).toMatchObject({ status: 400 });
    await serves(server);
  });

  test("two servers share an HTTP server under different paths", async () => {
    const httpServer = createServer((_req, res) => res.end("application"));
    const one = new SubjectServer(httpServer, { path: "/one" });
    const other = new SubjectServer(httpServer, { path: "/other" });
    const { port } = await start(one, httpServer);
    await serves({ io: one, port }, { path: "/one" });
    await serves({ io: other, port }, { path: "/other" });
    expect((await ask(port, "/")).body).toBe("application");
  });

  test("requests and upgrades can be handed over by hand", async () => {
    const engine = new Engine();
    const io = new SubjectServer();
    io.bind(engine);
    const httpServer = createServer((req, res) => {
      if (req.url?.startsWith("/by-hand/") === true) engine.handleRequest(req, res);
      else res.end("application");
    });
    httpServer.on("upgrade", (req, socket, head) => engine.handleUpgrade(req, socket, head));
    const port = await listen(httpServer, () => io.close());
    await serves({ io, port }, { path: "/by-hand" });
    expect((await ask(port, "/")).body).toBe("application");
  });

  test("an HTTP server may listen before, and be attached to in the middle of its life", async () => {
    const httpServer = createServer((_req, res) => res.end("application"));
    const io = new SubjectServer();
    const port = await listen(httpServer, () => io.close());
    expect((await ask(port, "/socket.io/")).body).toBe("application");
    io.attach(httpServer);
    await serves({ io, port });
  });

  test("close() tells whether the HTTP server was running, and leaves no client", async () => {
    const httpServer = createServer();
    const io = new SubjectServer(httpServer);
    const port = await listen(httpServer, () => io.close());
    const { client } = await pair({ io, port }, WEBSOCKET);
    const gone = first(client, "disconnect");
    const results: unknown[] = [];
    await io.close((error) => results.push(error));
    expect(await gone).toBe("transport close");
    await io.close((error) => results.push((error as Error).message));
    expect(results).toEqual([undefined, "Server is not running."]);
    const late = connect(port, WEBSOCKET);
    expect(await first(late, "connect_error")).toBeInstanceOf(Error);
  });
});
