import type { RequestListener, Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import fastify from "fastify";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { type Cell, CELLS, pair, roundTrip } from "../support/clients.js";
import { SubjectServer } from "../support/subject.js";
import { first } from "../support/wait.js";
import { ask, hostOn, type Hosted } from "./host.js";

// These packages ship no types.
const require = createRequire(import.meta.url);

const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);
const WEBSOCKET = CELLS_OF_LATEST.find(({ transport }) => transport === "websocket") as Cell;

/** As much of Express as the tests use. */
interface ExpressApplication extends RequestListener {
  get(path: string, handler: (req: unknown, res: { send(body: string): void }) => void): void;
  use(handler: (req: { url: string }, res: unknown, next: () => void) => void): void;
  listen(port: number, host: string, done: () => void): HttpServer;
}

const express5 = require("express") as () => ExpressApplication;
const express4 = require("express-4") as () => ExpressApplication;

interface KoaContext {
  readonly path: string;
  readonly url: string;
  body: string;
}

const Koa = require("koa") as new () => {
  use(middleware: (context: KoaContext, next: () => Promise<void>) => Promise<void>): void;
  callback(): RequestListener;
};

/** An application that answers `/hello`, and the URLs of all requests that it got. */
interface Application {
  readonly seen: string[];
  readonly host: () => Promise<Hosted>;
}

function withExpress(express: () => ExpressApplication): Application {
  const app = express();
  const seen: string[] = [];
  app.use((req, _res, next) => {
    seen.push(req.url);
    next();
  });
  app.get("/hello", (_req, res) => res.send("hello"));
  return { seen, host: () => hostOn(app) };
}

function withKoa(): Application {
  const app = new Koa();
  const seen: string[] = [];
  app.use(async (context, next) => {
    seen.push(context.url);
    await next();
    if (context.path === "/hello") context.body = "hello";
  });
  return { seen, host: () => hostOn(app.callback()) };
}

function withFastify(): Application {
  const app = fastify();
  const seen: string[] = [];
  app.addHook("onRequest", async (request) => {
    seen.push(request.url);
  });
  app.get("/hello", async () => "hello");
  return {
    seen,
    async host() {
      const io = new SubjectServer(app.server);
      app.addHook("preClose", async () => io.local.disconnectSockets(true));
      await app.listen({ port: 0, host: "127.0.0.1" });
      onCleanup(() => app.close());
      const { port } = app.server.address() as { port: number };
      return { io, port, httpServer: app.server };
    },
  };
}

const APPLICATIONS: [name: string, create: () => Application][] = [
  ["Express 5", () => withExpress(express5)],
  ["Express 4", () => withExpress(express4)],
  ["Koa", withKoa],
  ["Fastify", withFastify],
];

describe.each(APPLICATIONS)("%s", (_name, create) => {
  test.each(CELLS_OF_LATEST)("serves its own routes beside $name", async (cell) => {
    const { seen, host } = create();
    const server = await host();
    const { client, socket } = await pair(server, cell);
    socket.on("add", (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
    expect(await client.emitWithAck("add", 1, 2)).toBe(3);
    expect(await ask(server.port, "/hello")).toMatchObject({ status: 200, body: "hello" });
    expect(await ask(server.port, "/nowhere")).toMatchObject({ status: 404 });
    expect(await ask(server.port, "/socket.io/?EIO=4&transport=none")).toMatchObject({
      status: 400,
      body: '{"code":0,"message":"Transport unknown"}',
    });
    expect((await ask(server.port, "/socket.io/socket.io.js")).status).toBe(200);
    await roundTrip(client);
    // What is for the engine never reaches the application.
    expect(seen).toEqual(["/hello", "/nowhere"]);
  });
});

describe("an application that is not a server", () => {
  const MESSAGE =
    "You are trying to attach socket.io to an express request handler function. " +
    "Please pass a http.Server instance.";

  test.each([
    ["Express 5", express5],
    ["Express 4", express4],
  ])("%s: whoever passes it learns what to pass", (_name, express) => {
    // One cast: the types do not allow it.
    const app = express() as unknown as HttpServer;
    expect(() => new SubjectServer(app)).toThrow(MESSAGE);
    expect(() => new SubjectServer().attach(app)).toThrow(MESSAGE);
    expect(() => new SubjectServer().listen(app)).toThrow(MESSAGE);
  });

  test("a listener of requests, as Koa makes it, is none either", () => {
    const listener = new Koa().callback() as unknown as HttpServer;
    expect(() => new SubjectServer().attach(listener)).toThrow(MESSAGE);
  });
});

test("Express: the server that app.listen() returns is one to attach to", async () => {
  const app = express5();
  app.get("/hello", (_req, res) => res.send("hello"));
  const httpServer = await new Promise<HttpServer>((resolve) => {
    const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
  });
  const io = new SubjectServer(httpServer);
  onCleanup(() => io.close());
  const { port } = httpServer.address() as { port: number };
  const { client } = await pair({ io, port }, WEBSOCKET);
  await roundTrip(client);
  expect(await ask(port, "/hello")).toMatchObject({ body: "hello" });
});

test.each(CELLS_OF_LATEST)("Fastify: close() ends clients over $name", async (cell) => {
  const app = fastify();
  const io = new SubjectServer(app.server);
  const order: string[] = [];
  app.addHook("preClose", async () => {
    io.local.disconnectSockets(true);
  });
  app.addHook("onClose", async () => {
    await io.close();
    order.push("io closed");
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  onCleanup(() => app.close());
  const { port } = app.server.address() as { port: number };
  const { client } = await pair({ io, port }, cell);
  const gone = first(client, "disconnect");
  await app.close();
  // Over polling, the connection may be cut before the client has asked for the packet.
  expect(["io server disconnect", "transport error"]).toContain(await gone);
  expect(order).toEqual(["io closed"]);
  expect(io.engine.clientsCount).toBe(0);
});
