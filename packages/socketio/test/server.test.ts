import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { InMemoryEngine } from "@jackfield/testkit";
import { expect, onTestFinished, test } from "vitest";
import type { Server } from "../src/api.js";
import { Server as ServerClass } from "../src/server.js";
import { Harness, record, settled } from "./harness.js";

/** A server that attaches engines without a network, which are collected. */
function attachable(...args: unknown[]): { io: Server; engines: InMemoryEngine[] } {
  const engines: InMemoryEngine[] = [];
  const deps = {
    ...new Harness().deps(),
    createEngine: () => {
      const engine = new InMemoryEngine();
      engines.push(engine);
      return engine;
    },
  };
  const io = new ServerClass(args[0] as never, args[1] as never, deps) as unknown as Server;
  onTestFinished(() => io.close());
  return { io, engines };
}

async function listening(): Promise<HttpServer> {
  const httpServer = createServer();
  await once(httpServer.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void httpServer.close());
  return httpServer;
}

test("the first argument may be the options (S2)", () => {
  const options = Object.freeze({ path: "/x/", connectTimeout: 7, serveClient: false });
  const { io, engines } = attachable(options);
  expect([io.path(), io.connectTimeout(), io.serveClient()]).toEqual(["/x", 7, false]);
  expect(engines).toEqual([]);
});

test("an HTTP server as first argument is attached to (S2)", () => {
  const httpServer = createServer();
  const { io, engines } = attachable(httpServer, { pingInterval: 5 });
  expect(io.httpServer).toBe(httpServer);
  expect(io.engine).toBe(engines[0]);
  expect((io as unknown as { eio: unknown }).eio).toBe(io.engine);
  expect(engines[0]?.attachments).toEqual([
    { server: httpServer, options: { pingInterval: 5, path: "/socket.io" } },
  ]);
});

test("zero is a port (S2)", async () => {
  const { io } = attachable(0);
  await once(io.httpServer, "listening");
  expect((io.httpServer.address() as AddressInfo).port).toBeGreaterThan(0);
});

test("a server of one's own answers other requests with 404 (S12)", async () => {
  const { io } = attachable();
  expect(io.listen("0")).toBe(io);
  await once(io.httpServer, "listening");
  const { port } = io.httpServer.address() as AddressInfo;
  const [response] = (await once(request({ port, agent: false }).end(), "response")) as [
    { statusCode: number; resume(): void },
  ];
  response.resume();
  expect(response.statusCode).toBe(404);
});

test("an Express application is no HTTP server (S12)", () => {
  const { io } = attachable();
  const app = Object.assign(() => {}, { listen() {} });
  const message =
    "You are trying to attach socket.io to an express request handler function. " +
    "Please pass a http.Server instance.";
  expect(() => io.attach(app as never)).toThrow(message);
  expect(() => attachable(app)).toThrow(message);
});

test("the constructor's options win over those of attach, and neither is changed (S12)", () => {
  const { io, engines } = attachable({ pingInterval: 1 });
  const options = Object.freeze({ pingInterval: 2, pingTimeout: 3, path: "/x" });
  io.attach(createServer(), options);
  expect(engines[0]?.attachments[0]?.options).toEqual({
    pingInterval: 1,
    pingTimeout: 3,
    path: "/x",
  });
});

test("a wrong option is refused by name", () => {
  expect(() => attachable({ connectTimeout: -1 })).toThrow('option "connectTimeout" must be');
  const { io } = attachable();
  expect(() => io.connectTimeout(Number.NaN)).toThrow('option "connectTimeout"');
  expect(() => io.path(1 as never)).toThrow('option "path"');
  expect(() => io.serveClient(1 as never)).toThrow('option "serveClient"');
  expect(() => io.adapter({} as never)).toThrow('option "adapter"');
});

test("getters are setters with an argument (S7 to S10)", () => {
  const { io } = attachable();
  expect(io.path("/a/")).toBe(io);
  expect(io.connectTimeout(0)).toBe(io);
  expect(io.serveClient(false)).toBe(io);
  expect([io.path(), io.connectTimeout(), io.serveClient()]).toEqual(["/a", 0, false]);
  const before = io.sockets.adapter;
  expect(io.adapter(io.adapter())).toBe(io);
  expect(io.sockets.adapter).not.toBe(before);
});

test("a changed connectTimeout counts for the next connection", () => {
  const harness = new Harness();
  harness.io.connectTimeout(5);
  const peer = harness.open();
  harness.clock.advance(5);
  expect(peer.readyState).toBe("closed");
});

test("client files are served before other listeners are asked", async () => {
  const httpServer = await listening();
  const others: unknown[] = [];
  httpServer.on("request", (req, res) => {
    others.push(req.url);
    res.end("other");
  });
  const paths: string[] = [];
  const deps = {
    ...new Harness().deps(),
    createClientFiles: ({ path }: { path: string }) => ({
      has(req: IncomingMessage): boolean {
        paths.push(path);
        return req.url === "/socket.io/socket.io.js";
      },
      handle(_req: IncomingMessage, res: ServerResponse): boolean {
        res.end("file");
        return true;
      },
    }),
  };
  const io = new ServerClass(httpServer, undefined, deps);
  onTestFinished(() => io.close());
  const { port } = httpServer.address() as AddressInfo;
  const get = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  expect(await get("/socket.io/socket.io.js")).toBe("file");
  expect(await get("/x")).toBe("other");
  expect(others).toEqual(["/x"]);
  expect(paths).toEqual(["/socket.io", "/socket.io"]);
});

test("close disconnects with a reason of its own, and sends no packet (behaviour 102)", async () => {
  const harness = new Harness();
  harness.io.of("/other");
  const { peer, socket } = harness.join();
  const seen = [socket, harness.joinWith(peer, "/other")].map((each) => record(each, "disconnect"));
  await harness.io.close();
  expect(seen).toEqual([
    [["disconnect", "server shutting down", undefined]],
    [["disconnect", "server shutting down", undefined]],
  ]);
  expect(peer.take()).toEqual([]);
  expect(peer.readyState).toBe("closed");
  expect(harness.engine.isClosed).toBe(true);
});

test("close goes from the sockets to the adapters to the engines (S17)", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const order: string[] = [];
  socket.on("disconnect", () => order.push("socket"));
  harness.io.sockets.adapter.close = async () => {
    await settled();
    order.push(`adapter, session ${peer.readyState}`);
    throw new Error("broker is gone");
  };
  await harness.io.close();
  expect(order).toEqual(["socket", "adapter, session open"]);
  expect(peer.readyState).toBe("closed");
});

test("a server that was never attached can be closed (behaviour 106)", async () => {
  const { io } = attachable();
  const errors: unknown[] = [];
  await expect(io.close((error) => errors.push(error))).resolves.toBeUndefined();
  expect(errors).toEqual([undefined]);
});

test("every HTTP server is closed (behaviour 106)", async () => {
  const servers = [await listening(), await listening()];
  const { io, engines } = attachable();
  for (const server of servers) io.attach(server);
  await io.close();
  expect(servers.map((server) => server.listening)).toEqual([false, false]);
  expect(engines.map((engine) => engine.isClosed)).toEqual([true, true]);
});

test("closing what does not run is an error for the callback alone (S17)", async () => {
  const { io } = attachable(createServer());
  const errors: (Error | undefined)[] = [];
  await io.close((error) => errors.push(error));
  expect(errors).toEqual([expect.objectContaining({ message: "Server is not running." })]);
});

test("a callback of close that throws is reported", async () => {
  const harness = new Harness();
  await harness.io.close(() => {
    throw new Error("oops");
  });
  expect(harness.errors.map(({ error }) => String(error))).toEqual(["Error: oops"]);
});

test("any engine can be bound (S14)", () => {
  const harness = new Harness();
  const second = new InMemoryEngine({ mode: "events" });
  expect(harness.io.bind(second)).toBe(harness.io);
  expect(harness.io.engine).toBe(second);
  harness.join();
  second.connect().send("0");
  expect(harness.io.sockets.sockets.size).toBe(2);
});

test("a session can be handed over (S15)", () => {
  const harness = new Harness();
  const engine = new InMemoryEngine();
  engine.on("connection", (session) => harness.io.onconnection(session));
  engine.connect().send("0");
  expect(harness.io.sockets.sockets.size).toBe(1);
});

test("the methods of an emitter are those of the namespace / (S27)", () => {
  const { io } = new Harness();
  const calls: unknown[] = [];
  const listener = (): void => void calls.push("on");
  io.on("a", listener)
    .addListener("a", listener)
    .prependListener("a", () => calls.push("first"));
  io.once("b", listener).prependOnceListener("b", listener);
  expect(io.listeners("a")).toHaveLength(3);
  expect(io.rawListeners("a")).toHaveLength(3);
  expect(io.listenerCount("a")).toBe(3);
  expect(io.sockets.listenerCount("b")).toBe(2);
  expect(io.eventNames()).toEqual(["handler_error", "a", "b"]);
  io.off("a", listener).removeListener("a", listener);
  expect(io.sockets.listenerCount("a")).toBe(1);
  io.removeAllListeners("a");
  expect(io.eventNames()).toEqual(["handler_error", "b"]);
  io.removeAllListeners();
  expect(io.sockets.eventNames()).toEqual([]);
  expect(io.setMaxListeners(99)).toBe(io);
  expect([io.getMaxListeners(), io.sockets.getMaxListeners()]).toEqual([99, 99]);
});

test("what selects sockets is that of the namespace / (S19, S25, S26)", async () => {
  const { io } = new Harness();
  expect([...io.to("a").in("b").rooms]).toEqual(["a", "b"]);
  expect([...io.in("a").rooms]).toEqual(["a"]);
  expect([...io.except("a").exceptRooms]).toEqual(["a"]);
  expect(io.compress(false).flags).toEqual({ compress: false });
  expect([io.volatile.flags, io.local.flags, io.timeout(5).flags]).toEqual([
    { volatile: true },
    { local: true },
    { timeout: 5 },
  ]);
  expect(io.send("x").write("y")).toBe(io);
  expect(io.use((_socket, next) => next())).toBe(io);
  expect(await io.fetchSockets()).toEqual([]);
  io.socketsJoin("a");
  io.socketsLeave("a");
  io.disconnectSockets();
});

test("a parser of the application encodes and decodes", () => {
  class Encoder {
    encode(packet: object): string[] {
      return [`json:${JSON.stringify(packet)}`];
    }
  }
  class Decoder {
    #listener: (packet: object) => void = () => {};
    on(_event: string, listener: (packet: object) => void): void {
      this.#listener = listener;
    }
    add(text: string): void {
      this.#listener(JSON.parse(text.slice(5)) as object);
    }
    destroy(): void {}
  }
  const harness = new Harness({ parser: { Encoder, Decoder } });
  const peer = harness.open().send('json:{"type":0,"nsp":"/"}');
  expect(peer.take()).toEqual(['json:{"type":0,"nsp":"/","data":{"sid":"id1"}}']);
});
