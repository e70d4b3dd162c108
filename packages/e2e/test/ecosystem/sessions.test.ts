// oxlint-disable vitest/no-standalone-expect -- the names for expected failures are test blocks
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createRequire } from "node:module";
import type { Server, Socket as ServerSocket } from "socket.io";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { onCleanup } from "../support/cleanup.js";
import {
  type Cell,
  CELLS,
  connect,
  type ConnectOptions,
  pair,
  type Pair,
  ready,
  roundTrip,
} from "../support/clients.js";
import { first, received } from "../support/wait.js";
import { ask, hostOn, type Hosted } from "./host.js";

// These packages ship no types.
const require = createRequire(import.meta.url);

type Middleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** What express-session and passport put on a request. */
interface SessionRequest extends IncomingMessage {
  readonly sessionID: string;
  readonly session: {
    user?: string;
    visits?: number;
    readonly id: string;
    reload(done: (error?: unknown) => void): void;
    save(done: (error?: unknown) => void): void;
  };
  readonly user?: { readonly name: string };
  readonly _query: Readonly<Record<string, string>>;
  logout(done: (error?: unknown) => void): void;
}

const expressSession = require("express-session") as (options: object) => Middleware;

const sessionMiddleware = (): Middleware =>
  expressSession({ secret: "keyboard cat", resave: false, saveUninitialized: true });

const requestOf = (socket: ServerSocket): SessionRequest =>
  socket.request as unknown as SessionRequest;

const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);

describe("express-session", () => {
  /** `/login` puts a name into the session, `/visits` reads how often its sockets did something. */
  async function start(): Promise<Hosted> {
    const middleware = sessionMiddleware();
    const server = await hostOn((req, res) => {
      middleware(req, res, () => {
        const { session } = req as SessionRequest;
        if (req.url === "/login") session.user = "ada";
        res.end(`${session.user} ${session.visits ?? 0}`);
      });
    });
    server.io.engine.use(middleware);
    return server;
  }

  test.each(CELLS)(
    "the session of the application is on the socket's request, $name",
    async (cell) => {
      const server = await start();
      const { cookie = "" } = await ask(server.port, "/login");
      const { client, socket } = await pair(server, cell, { extraHeaders: { cookie } });
      expect(requestOf(socket).session.user).toBe("ada");
      expect(cookie).toContain(encodeURIComponent(requestOf(socket).sessionID));
      socket.on("visit", (answer: () => void) => {
        const { session } = requestOf(socket);
        session.reload((error) => {
          if (error) throw error as Error;
          const { session: reloaded } = requestOf(socket);
          reloaded.visits = (reloaded.visits ?? 0) + 1;
          reloaded.save(() => answer());
        });
      });
      for (const visits of [1, 2]) {
        await new Promise<void>((resolve) => client.emit("visit", () => resolve()));
        const headers = { cookie };
        expect((await ask(server.port, "/visits", { headers })).body).toBe(`ada ${visits}`);
      }
    },
  );

  test("a client that polls without a cookie gets one, and stays in the same session", async () => {
    const [polling] = CELLS_OF_LATEST;
    const server = await start();
    const ids = new Set<string>();
    server.io.engine.use((req: IncomingMessage, _res: ServerResponse, next: () => void) => {
      ids.add((req as SessionRequest).sessionID);
      next();
    });
    // Such a client keeps cookies, like a browser.
    const { client, socket } = await pair(server, polling as Cell, {
      withCredentials: true,
    });
    await roundTrip(client);
    await roundTrip(client);
    expect([...ids]).toEqual([requestOf(socket).sessionID]);
  });

  test("the first answer sets the cookie, the next ones do not", async () => {
    const { port } = await start();
    const url = "/socket.io/?EIO=4&transport=polling";
    const { body, cookie } = await ask(port, url);
    expect(cookie).toMatch(/^connect\.sid=s%3A/);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const post = await ask(port, `${url}&sid=${sid}`, {
      method: "POST",
      body: "40",
      headers: { cookie: cookie ?? "" },
    });
    expect(post).toMatchObject({ status: 200, body: "ok", cookie: undefined });
  });

  test("a WebSocket without a cookie gets one with the 101", async () => {
    const { port, io } = await start();
    const session = first(io.engine, "connection");
    const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    onCleanup(() => client.terminate());
    const [response] = await received<[IncomingMessage]>(client, "upgrade");
    const { request } = (await session) as { request: SessionRequest };
    expect(response.headers["set-cookie"]?.[0]).toContain(encodeURIComponent(request.sessionID));
  });

  test("the session outlives the middlewares of namespaces, and rooms may be named after it", async () => {
    const [cell] = CELLS_OF_LATEST as [Cell];
    const server = await start();
    server.io.of("/chat").use((socket, next) => {
      next(requestOf(socket).session.user === "ada" ? undefined : new Error("unauthorized"));
    });
    server.io.of("/chat").on("connection", (socket) => socket.join(requestOf(socket).session.id));
    const { cookie = "" } = await ask(server.port, "/login");
    const options = { nsp: "/chat", extraHeaders: { cookie } };
    const refused = connect(server.port, cell, { nsp: "/chat" });
    expect((await first<Error>(refused, "connect_error")).message).toBe("unauthorized");
    const one = await pair(server, cell, options);
    const other = await pair(server, cell, options);
    const got = Promise.all([first(one.client, "news"), first(other.client, "news")]);
    server.io.of("/chat").to(requestOf(one.socket).session.id).emit("news", 1);
    expect(await got).toEqual([1, 1]);
  });
});

// ── passport ─────────────────────────────────────────────────────────────────

interface Application extends RequestListener {
  use(...middlewares: unknown[]): void;
  post(path: string, ...handlers: unknown[]): void;
}

const express = require("express") as {
  (): Application;
  urlencoded(options: object): Middleware;
};

interface Passport {
  use(strategy: object): void;
  serializeUser(serialize: (user: { name: string }, done: Done) => void): void;
  deserializeUser(deserialize: (name: string, done: Done) => void): void;
  session(): Middleware;
  authenticate(strategy: string): Middleware;
}

type Done = (error: unknown, user?: unknown) => void;

const { Passport } = require("passport") as { Passport: new () => Passport };
const { Strategy } = require("passport-local") as {
  Strategy: new (verify: (name: string, password: string, done: Done) => void) => object;
};

const isOfficial = process.env["SUBJECT"] === "official";

// express-session calls `_implicitHeader` of a response that is ended before its head is written. The
// response of the official engine for upgrades has none, and the TypeError ends the process.
const endsWrapped = isOfficial ? test.skip : test;

/** Connects, and rejects at once if the server does not want the client. */
async function admitted(server: Hosted, cell: Cell, options: ConnectOptions): Promise<Pair> {
  const client = connect(server.port, cell, options);
  await new Promise((resolve, reject) => {
    client.once("connect", () => resolve(undefined));
    client.once("connect_error", ({ message }) => reject(new Error(message)));
  });
  await ready(client, cell);
  const [socket] = [...server.io.of("/").sockets.values()] as [ServerSocket];
  return { client, socket };
}

/** Runs a middleware for the request that begins a session of the engine, and for no other. */
function onlyForHandshake(middleware: Middleware): Middleware {
  return (req, res, next) => {
    if ((req as SessionRequest)._query["sid"] === undefined) middleware(req, res, next);
    else next();
  };
}

describe("middlewares of the engine", () => {
  const QUERY = "EIO=4&lang=en&lang=cs";

  test("find the query of a request in _query", async () => {
    const { io, port } = await hostOn((_req, res) => res.end());
    const seen: unknown[] = [];
    io.engine.use((req: SessionRequest, _res: unknown, next: () => void) => {
      seen.push({ ...req._query });
      next();
    });
    await ask(port, `/socket.io/?${QUERY}&transport=polling`);
    const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?${QUERY}&transport=websocket`);
    onCleanup(() => client.terminate());
    await received(client, "open");
    expect(seen).toMatchObject([{ transport: "polling" }, { transport: "websocket" }]);
  });

  endsWrapped(
    "may end the response of an upgrade, though express-session has wrapped it",
    async () => {
      const { io, port } = await hostOn((_req, res) => res.end());
      io.engine.use(sessionMiddleware());
      io.engine.use((_req: unknown, res: ServerResponse) => {
        res.writeHead(401);
        res.end();
      });
      const refused: unknown[] = [];
      io.engine.on("connection_error", ({ message }: Error) => refused.push(message));
      const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
      onCleanup(() => client.terminate());
      expect((await first<Error>(client, "error")).message).toBe("socket hang up");
      expect(refused).toEqual([]);
    },
  );
});

describe("passport", () => {
  /** An application with a login form, and sockets for those only who have logged in. */
  async function start(): Promise<Hosted> {
    const passport = new Passport();
    passport.use(
      new Strategy((name, password, done) =>
        done(null, name === "ada" && password === "changeit" ? { name } : false),
      ),
    );
    passport.serializeUser((user, done) => done(null, user.name));
    passport.deserializeUser((name, done) => done(null, { name }));

    const session = sessionMiddleware();
    const hosted: { io?: Server } = {};
    const app = express();
    app.use(session);
    app.use(express.urlencoded({ extended: false }));
    app.use(passport.session());
    app.post("/login", passport.authenticate("local"), (req: SessionRequest, res: ServerResponse) =>
      res.end(`hello ${req.user?.name}`),
    );
    app.post("/logout", (req: SessionRequest, res: ServerResponse) => {
      hosted.io?.in(`session:${req.session.id}`).disconnectSockets(true);
      req.logout(() => res.end("bye"));
    });

    const server = await hostOn(createServer(app));
    const { io } = server;
    hosted.io = io;
    io.engine.use(onlyForHandshake(session));
    io.engine.use(onlyForHandshake(passport.session()));
    io.engine.use(
      onlyForHandshake((req, res, next) => {
        if ((req as SessionRequest).user !== undefined) {
          next();
          return;
        }
        res.writeHead(401);
        res.end();
      }),
    );
    io.on("connection", async (socket) => {
      const { session: own, user } = requestOf(socket);
      await socket.join([`session:${own.id}`, `user:${user?.name}`]);
    });
    return server;
  }

  const form = (password: string): RequestInit => ({
    method: "POST",
    body: new URLSearchParams({ username: "ada", password }),
  });

  test.each(CELLS)("who has logged in is the user of the socket, $name", async (cell) => {
    const server = await start();
    expect((await ask(server.port, "/login", form("wrong"))).status).toBe(401);
    const { body, cookie = "" } = await ask(server.port, "/login", form("changeit"));
    expect(body).toBe("hello ada");
    const { client, socket } = await admitted(server, cell, { extraHeaders: { cookie } });
    expect(requestOf(socket).user).toEqual({ name: "ada" });
    const news = first(client, "news");
    server.io.to("user:ada").emit("news", 1);
    expect(await news).toBe(1);
    const gone = first(client, "disconnect");
    await ask(server.port, "/logout", { method: "POST", headers: { cookie } });
    expect(await gone).toBe("io server disconnect");
    if (isOfficial && cell.transport === "websocket") return;
    const again = connect(server.port, cell, { extraHeaders: { cookie } });
    expect(await first(again, "connect_error")).toBeInstanceOf(Error);
  });

  test.each(CELLS_OF_LATEST)("who has not is sent away, $name", async (cell) => {
    if (isOfficial && cell.transport === "websocket") return;
    const server = await start();
    const client = connect(server.port, cell);
    const error = await first<Error & { description?: unknown }>(client, "connect_error");
    expect(error.message).toBe(
      cell.transport === "websocket" ? "websocket error" : "xhr poll error",
    );
    // A refused upgrade shows no status to the client.
    expect(cell.transport === "websocket" ? 401 : error.description).toBe(401);
    expect(server.io.engine.clientsCount).toBe(0);
    const { cookie = "" } = await ask(server.port, "/login", form("changeit"));
    const { socket } = await admitted(server, cell, { extraHeaders: { cookie } });
    expect(requestOf(socket).user).toEqual({ name: "ada" });
  });
});
