import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createRequire } from "node:module";
import { rawRequest, type RawResponse, RawWebSocket } from "@jackfield/testkit";
import type { Socket as Session } from "engine.io";
import helmet from "helmet";
import { describe, expect, test } from "vitest";
import { collect } from "../support/clients.js";
import type { RunningEngine } from "../support/subject.js";
import { first, until } from "../support/wait.js";
import { makeCertificate } from "./certificate.js";
import { CELLS, idOf, pair, settled } from "./clients.js";
import { host, Http2Client } from "./hosts.js";

const POLLING = "/engine.io/?EIO=4&transport=polling";
const WEBSOCKET = "/engine.io/?EIO=4&transport=websocket";

/** What express-session puts on a request. */
interface SessionRequest extends IncomingMessage {
  sessionID: string;
  session: { user?: string; visits?: number; save(done: () => void): void };
}

type Middleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

// The package ships no types.
const require = createRequire(import.meta.url);
const expressSession = require("express-session") as (options: object) => Middleware;

function newSessionMiddleware(options: object = {}): Middleware {
  return expressSession({
    secret: "keyboard cat",
    resave: false,
    saveUninitialized: true,
    ...options,
  });
}

function requestOf(session: Session): SessionRequest {
  return session.request as unknown as SessionRequest;
}

/** The cookie that a response sets, as the client sends it back. */
function cookieOf(response: RawResponse): string {
  return response.header("set-cookie")?.split(";")[0] ?? "";
}

/** Starts an engine behind an application with the same session middleware, which logs a user in. */
async function startWithSession(options?: object): Promise<Pick<RunningEngine, "engine" | "port">> {
  const middleware = newSessionMiddleware(options);
  const application = createServer((req, res) => {
    middleware(req, res, () => {
      (req as SessionRequest).session.user = "ada";
      res.end("logged in");
    });
  });
  const running = await host(application);
  running.engine.use(middleware);
  return running;
}

describe("express-session", () => {
  test("a polling handshake sets its cookie, and the next requests find the session", async () => {
    const { engine, port } = await startWithSession();
    const connection = first<Session>(engine, "connection");
    const handshake = await rawRequest({ port, path: POLLING });
    const session = await connection;
    const cookie = cookieOf(handshake);
    expect(cookie).toMatch(/^connect\.sid=s%3A/);
    const ids: string[] = [];
    engine.use((req: IncomingMessage, _res: ServerResponse, next: () => void) => {
      ids.push((req as SessionRequest).sessionID);
      next();
    });
    const path = `${POLLING}&sid=${idOf(session)}`;
    session.send("x");
    const poll = await rawRequest({ port, path, headers: { Cookie: cookie } });
    expect([poll.body, poll.header("set-cookie")]).toEqual(["4x", undefined]);
    const { sessionID } = requestOf(session);
    expect(ids).toEqual([sessionID]);
  });

  test("who logged in with the application is known in the engine, over polling", async () => {
    const { engine, port } = await startWithSession();
    const cookie = cookieOf(await rawRequest({ port, path: "/login" }));
    const connection = first<Session>(engine, "connection");
    const handshake = await rawRequest({ port, path: POLLING, headers: { Cookie: cookie } });
    const session = await connection;
    expect(requestOf(session).session.user).toBe("ada");
    expect(handshake.header("set-cookie")).toBeUndefined();
  });

  test("who logged in with the application is known in the engine, over WebSocket", async () => {
    const { engine, port } = await startWithSession();
    const cookie = cookieOf(await rawRequest({ port, path: "/login" }));
    const connection = first<Session>(engine, "connection");
    const client = await RawWebSocket.connect({
      port,
      path: WEBSOCKET,
      headers: { Cookie: cookie },
    });
    const session = await connection;
    expect(requestOf(session).session.user).toBe("ada");
    expect(client.response.header("set-cookie")).toBeUndefined();
    // The session can be changed later, too, and is there for the application then.
    requestOf(session).session.visits = 1;
    await new Promise<void>((resolve) => requestOf(session).session.save(resolve));
    const again = first<Session>(engine, "connection");
    await rawRequest({ port, path: POLLING, headers: { Cookie: cookie } });
    expect(requestOf(await again).session).toMatchObject({ user: "ada", visits: 1 });
  });

  test("a WebSocket handshake without a cookie gets one with the 101", async () => {
    const { engine, port } = await startWithSession();
    const connection = first<Session>(engine, "connection");
    const client = await RawWebSocket.connect({ port, path: WEBSOCKET });
    const session = await connection;
    expect(cookieOf(client.response)).toContain(encodeURIComponent(requestOf(session).sessionID));
  });

  test("an upgrade finds the session of its handshake", async () => {
    const { engine, port } = await startWithSession();
    const connection = first<Session>(engine, "connection");
    const handshake = await rawRequest({ port, path: POLLING });
    const session = await connection;
    const ids: string[] = [];
    engine.use((req: IncomingMessage, _res: ServerResponse, next: () => void) => {
      ids.push((req as SessionRequest).sessionID);
      next();
    });
    const candidate = await RawWebSocket.connect({
      port,
      path: `${WEBSOCKET}&sid=${idOf(session)}`,
      headers: { Cookie: cookieOf(handshake) },
    });
    candidate.send("2probe");
    expect(await candidate.nextText()).toBe("3probe");
    candidate.send("5");
    await until(() => session.upgraded);
    expect(ids).toEqual([requestOf(session).sessionID]);
    expect(candidate.response.header("set-cookie")).toBeUndefined();
  });

  test("a rolling session renews its cookie with every answer", async () => {
    const { engine, port } = await startWithSession({ rolling: true });
    const connection = first<Session>(engine, "connection");
    const handshake = await rawRequest({ port, path: POLLING });
    const session = await connection;
    const path = `${POLLING}&sid=${idOf(session)}`;
    const headers = { Cookie: cookieOf(handshake) };
    session.send("x");
    const poll = await rawRequest({ port, path, headers });
    const post = await rawRequest({ port, path, headers, method: "POST", body: "4x" });
    expect([cookieOf(poll), cookieOf(post), post.body]).toEqual([
      headers.Cookie,
      headers.Cookie,
      "ok",
    ]);
  });

  test("over HTTP/2 it sets its cookie as well", async () => {
    const server = makeCertificate("server");
    const { engine, port } = await host(createSecureServer({ ...server, allowHTTP1: true }));
    engine.use(newSessionMiddleware());
    const http2 = new Http2Client(port, server.cert);
    const connection = first<Session>(engine, "connection");
    const { headers } = await http2.request(POLLING);
    const { sessionID } = requestOf(await connection);
    expect(headers["set-cookie"]?.[0]).toContain(encodeURIComponent(sessionID));
  });
});

describe("helmet", () => {
  const EXPECTED = {
    "content-security-policy": expect.stringContaining("default-src 'self'") as string,
    "strict-transport-security": expect.stringContaining("max-age=") as string,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
  };

  async function start(): Promise<Pick<RunningEngine, "engine" | "port">> {
    const running = await host(createServer());
    running.engine.use(helmet());
    return running;
  }

  function headersOf(response: RawResponse): Record<string, string> {
    return Object.fromEntries(
      response.headers.map(([name, value]) => [name.toLowerCase(), value] as const),
    );
  }

  test("its headers are on the answers to polls, posts, and what is refused", async () => {
    const { engine, port } = await start();
    const connection = first<Session>(engine, "connection");
    const handshake = await rawRequest({ port, path: POLLING });
    const session = await connection;
    const path = `${POLLING}&sid=${idOf(session)}`;
    session.send("x");
    const answers = [
      handshake,
      await rawRequest({ port, path }),
      await rawRequest({ port, path, method: "POST", body: "4x" }),
      await rawRequest({ port, path: `${POLLING}&sid=unknown` }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400]);
    for (const answer of answers) expect(headersOf(answer)).toMatchObject(EXPECTED);
  });

  test("its headers are on the 101 of an upgrade", async () => {
    const { port } = await start();
    const { response } = await RawWebSocket.connect({ port, path: WEBSOCKET });
    expect(headersOf(response)).toMatchObject(EXPECTED);
  });
});

describe.each(CELLS)("$name", (cell) => {
  test("helmet and express-session together are no obstacle", async () => {
    const { engine, port } = await host(createServer());
    engine.use(helmet());
    engine.use(newSessionMiddleware());
    const refused = collect(engine, "connection_error");
    const both = await pair({ engine, port }, cell);
    await settled(both);
    expect(requestOf(both.session).sessionID).toMatch(/^[\w-]{32}$/);
    expect(refused).toEqual([]);
  });
});
