import { once } from "node:events";
import { gunzipSync, brotliDecompressSync, inflateSync } from "node:zlib";
import { createServer, get } from "node:http";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { ConnectionError, Middleware } from "../src/index.js";
import { startEngine, type RunningEngine } from "./running-engine.js";

const POLLING = "EIO=4&transport=polling";

function refusalsOf({ engine }: RunningEngine): ConnectionError[] {
  const refusals: ConnectionError[] = [];
  engine.on("connection_error", (refusal) => refusals.push(refusal));
  return refusals;
}

test("allowRequest may return a boolean or a promise of one", async () => {
  let answer: boolean | Promise<boolean> = true;
  const running = await startEngine({ allowRequest: () => answer });
  const statuses: number[] = [];
  for (answer of [true, false, Promise.resolve(true), Promise.resolve(false)]) {
    statuses.push((await fetch(`${running.url}?${POLLING}`)).status);
  }
  expect(statuses).toEqual([200, 403, 200, 403]);
});

test("allowRequest may be async and call back", async () => {
  const running = await startEngine({
    allowRequest: async (_req, callback) => {
      await Promise.resolve();
      callback(null, true);
    },
  });
  expect((await fetch(`${running.url}?${POLLING}`)).status).toBe(200);
});

test("an allowRequest that throws or rejects refuses the client and reaches the operator", async () => {
  const failure = new Error("database is away");
  const errors: unknown[] = [];
  for (const allowRequest of [
    () => {
      throw failure;
    },
    () => Promise.reject(failure),
  ]) {
    const running = await startEngine({ allowRequest });
    running.engine.on("handler_error", (error) => errors.push(error));
    const response = await fetch(`${running.url}?${POLLING}`);
    expect(response.ok).toBe(false);
    expect(await response.text()).not.toContain("database");
  }
  expect(errors).toEqual([failure, failure]);
});

test("generateId may return a promise", async () => {
  const running = await startEngine();
  running.engine.generateId = () => Promise.resolve("mine");
  expect((await running.openPolling()).session.id).toBe("mine");
});

test.each([
  ["a rejection", () => Promise.reject(new Error("no ids"))],
  ["an id in use", () => "taken"],
  ["something that is no id", () => 7 as unknown as string],
])("%s of generateId refuses the client (25)", async (_name, generateId) => {
  const running = await startEngine();
  running.engine.generateId = () => "taken";
  await running.openPolling();
  running.engine.generateId = generateId;
  const refusals = refusalsOf(running);
  const response = await fetch(`${running.url}?${POLLING}`);
  expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
  expect(refusals[0]?.context["name"]).toBe("ID_GENERATION_ERROR");
  expect(running.engine.clientsCount).toBe(1);
});

test("a throwing connection listener is reported, and the session lives", async () => {
  const running = await startEngine();
  const failure = new Error("mine");
  const reported = once(running.engine, "handler_error");
  running.engine.once("connection", () => {
    throw failure;
  });
  await fetch(`${running.url}?${POLLING}`);
  const [error, session] = await reported;
  expect(error).toBe(failure);
  expect(session.readyState).toBe("open");
});

test.each([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
])("long answers are compressed with %s, short ones are not (40)", async (coding, decompress) => {
  const running = await startEngine();
  const client = await running.openPolling();
  const poll = () =>
    new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve) => {
      get(client.url, { headers: { "Accept-Encoding": coding } }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => resolve({ headers: res.headers, body: Buffer.concat(chunks) }));
      });
    });
  client.session.send("a".repeat(1022));
  expect((await poll()).headers["content-encoding"]).toBeUndefined();
  client.session.send("é".repeat(600));
  const { headers, body } = await poll();
  expect(headers).toMatchObject({
    "content-encoding": coding,
    "content-length": String(body.length),
    "content-type": "text/plain; charset=UTF-8",
    vary: "Accept-Encoding",
  });
  expect(decompress(body).toString()).toBe(`4${"é".repeat(600)}`);
  client.session.send("a".repeat(2000), { compress: false });
  expect((await poll()).headers["content-encoding"]).toBeUndefined();
});

test("httpCompression false compresses nothing", async () => {
  const running = await startEngine({ httpCompression: false });
  const client = await running.openPolling();
  client.session.send("a".repeat(5000));
  expect((await client.poll()).headers.get("content-encoding")).toBeNull();
});

test("a JSONP session answers with scripts and reads forms (45 to 47)", async () => {
  const running = await startEngine();
  const opened = running.nextSession();
  const handshake = await fetch(`${running.url}?${POLLING}&j=1x2`);
  expect(handshake.headers.get("content-type")).toBe("text/plain; charset=UTF-8");
  expect(await handshake.text()).toMatch(/^___eio\[12\]\("0\{\\"sid.*"\);$/);
  const session = await opened;
  // The later requests need not say that they are JSONP.
  const url = `${running.url}?${POLLING}&sid=${session.id}`;
  session.send("\u2028<\u2029\n");
  expect(await (await fetch(url)).text()).toBe('___eio[12]("4\\u2028<\\u2029\\n");');
  const messages: unknown[] = [];
  session.on("message", (data) => messages.push(data));
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  for (const packet of ["4a", "4line\\nline", "4slash\\\\nslash", "bAQID"]) {
    const body = `d=${encodeURIComponent(packet)}`;
    expect(await (await fetch(url, { method: "POST", headers, body })).text()).toBe("ok");
  }
  const missing = await fetch(url, { method: "POST", headers, body: "e=4x" });
  expect(await missing.text()).toBe("ok");
  expect(messages).toEqual(["a", "line\nline", "slash\\nslash", Buffer.from([1, 2, 3])]);
});

test("a JSONP client gets bytes as base64", async () => {
  const running = await startEngine();
  const client = await running.openPolling(`${POLLING}&j=0`);
  client.session.send(Buffer.from([1, 2, 3]));
  expect(await (await client.poll()).text()).toBe('___eio[0]("bAQID");');
});

test("messages are compressed where permessage-deflate is negotiated (66)", async () => {
  const running = await startEngine({ perMessageDeflate: { threshold: 0 } });
  const plain = await running.openWebSocket(undefined, { perMessageDeflate: false });
  const client = await running.openWebSocket();
  expect(client.socket.extensions).toContain("permessage-deflate");
  client.session.send("a".repeat(10_000));
  client.session.send(Buffer.from([1, 2, 3]), { compress: false });
  expect(await client.next()).toBe(`4${"a".repeat(10_000)}`);
  expect(await client.next()).toEqual(Buffer.from([1, 2, 3]));
  plain.session.send("b");
  expect(await plain.next()).toBe("4b");
});

test("what waits for a compressing WebSocket is sent in order, and its callbacks run", async () => {
  const running = await startEngine({ perMessageDeflate: { threshold: 0 } });
  const client = await running.openWebSocket();
  const called: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    client.session.send(`${count}`.repeat(1000), () => called.push(count));
    if (count % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let count = 0; count < 20; count += 1) {
    expect(await client.next()).toBe(`4${`${count}`.repeat(1000)}`);
  }
  client.session.send("end", () => called.push(20));
  await client.next();
  await expect.poll(() => called).toEqual(Array.from({ length: 21 }, (_, count) => count));
});

test("any class with the interface of ws serves as wsEngine", async () => {
  const made: unknown[] = [];
  class Foreign extends WebSocketServer {
    constructor(options: ConstructorParameters<typeof WebSocketServer>[0]) {
      super(options);
      made.push(options);
    }
  }
  const running = await startEngine({ wsEngine: Foreign, maxHttpBufferSize: 1234 });
  expect(made).toEqual([
    { noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: 1234 },
  ]);
  const client = await running.openWebSocket();
  client.session.on("message", (data) => client.session.send(data));
  client.socket.send("4text");
  client.socket.send(Buffer.from([1, 2]));
  expect([await client.next(), await client.next()]).toEqual(["4text", Buffer.from([1, 2])]);
});

test("a client of protocol 3 is refused before the WebSocket opens (13)", async () => {
  const running = await startEngine();
  const refusals = refusalsOf(running);
  const socket = new WebSocket(`${running.url.replace("http", "ws")}?EIO=3&transport=websocket`);
  const [error] = await once(socket, "error");
  expect(error.message).toBe("Unexpected server response: 400");
  expect(refusals[0]).toMatchObject({ code: 5, context: { protocol: 3 } });
});

test("middlewares see requests and upgrades; their errors refuse both (8)", async () => {
  const running = await startEngine();
  const seen: (string | undefined)[] = [];
  const middleware: Middleware = (req, res, next) => {
    seen.push(req.url);
    res.setHeader("X-Seen", "yes");
    next(req.headers["x-bad"] ? new Error("secret") : undefined);
  };
  running.engine.use(middleware);
  const response = await fetch(`${running.url}?${POLLING}`);
  expect(response.headers.get("x-seen")).toBe("yes");
  await running.openWebSocket();
  const refused = await fetch(`${running.url}?${POLLING}`, { headers: { "X-Bad": "1" } });
  expect(await refused.json()).toEqual({ code: 3, message: "Bad request" });
  expect(seen).toHaveLength(3);
});

test("cors answers preflights and stands on refusals (43)", async () => {
  const running = await startEngine({ cors: { origin: "http://a.example", credentials: true } });
  const headers = { Origin: "http://a.example", "Access-Control-Request-Method": "POST" };
  const preflight = await fetch(running.url, { method: "OPTIONS", headers });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("http://a.example");
  const refused = await fetch(`${running.url}?transport=foo`, { headers });
  expect(refused.status).toBe(400);
  expect(refused.headers.get("access-control-allow-credentials")).toBe("true");
});

test("cors may be a function that picks the options (43)", async () => {
  const running = await startEngine({
    cors: (req, callback) => callback(null, { origin: req.headers["x-origin"] as string }),
  });
  const response = await fetch(`${running.url}?${POLLING}`, {
    headers: { "X-Origin": "http://b.example" },
  });
  expect(response.headers.get("access-control-allow-origin")).toBe("http://b.example");
});

test("one engine serves several HTTP servers, and again after a restart", async () => {
  const running = await startEngine();
  const second = createServer();
  running.engine.attach(second, { path: "/other" });
  const listening = () => new Promise<void>((resolve) => second.listen(0, "127.0.0.1", resolve));
  const handshake = async () => {
    const address = second.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return (await fetch(`http://127.0.0.1:${port}/other/?${POLLING}`)).status;
  };
  await listening();
  expect(await handshake()).toBe(200);
  expect((await fetch(`${running.url}?${POLLING}`)).status).toBe(200);
  expect(running.engine.clientsCount).toBe(2);
  second.closeAllConnections();
  await new Promise((resolve) => second.close(resolve));
  expect(running.engine.clientsCount).toBe(0);
  await listening();
  expect(await handshake()).toBe(200);
  second.closeAllConnections();
  second.close();
});

test("requests of other paths go to the listeners that were there before", async () => {
  const httpServer = createServer((_req, res) => res.end("application"));
  const running = await startEngine({}, httpServer);
  const base = new URL("/", running.url);
  expect(await (await fetch(base)).text()).toBe("application");
  expect(await (await fetch(new URL("/engine.io", base))).text()).toBe("application");
});

test("the flush and drain events of the server name the session", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const log: unknown[] = [];
  running.engine.on("flush", (session, packets) => log.push([session.id, packets.length]));
  running.engine.on("drain", (session) => log.push(session.id));
  client.session.send("a");
  client.session.send("b");
  await client.next();
  expect(log).toEqual([[client.session.id, 2], client.session.id]);
});

test("without a listener for handler_error, errors become warnings of the process", async () => {
  const warned = once(process, "warning");
  const running = await startEngine();
  running.engine.once("connection", () => {
    throw new Error("nobody listens");
  });
  await fetch(`${running.url}?${POLLING}`);
  expect((await warned)[0]).toMatchObject({ message: "nobody listens" });
});

test("a session that nobody asked for its request makes it anew, once", async () => {
  const running = await startEngine();
  const { session } = await running.openWebSocket(undefined, { headers: { "X-Mine": "yes" } });
  const { request } = session;
  expect(request.url).toBe("/engine.io/?EIO=4&transport=websocket");
  expect(request.headers["x-mine"]).toBe("yes");
  expect(request.socket.remoteAddress).toBe("127.0.0.1");
  expect(session.request).toBe(request);
});

test("what middlewares put on the request is there later", async () => {
  const running = await startEngine();
  running.engine.use((req, _res, next) => {
    Object.assign(req, { user: "ann" });
    next();
  });
  const { session } = await running.openWebSocket();
  expect(session.request).toMatchObject({ user: "ann" });
});

test("a request that a connection listener has seen stays the same object", async () => {
  const running = await startEngine();
  let seen: unknown;
  running.engine.on("connection", (opened) => (seen = opened.request));
  const { session } = await running.openWebSocket();
  expect(session.request).toBe(seen);
});

test("applications may take the request away", async () => {
  const running = await startEngine();
  running.engine.on("connection", (opened) => (opened.request = null));
  const { session } = await running.openWebSocket();
  expect(session.request).toBeNull();
});

test("a throwing headers listener is reported, and the answer goes out", async () => {
  const running = await startEngine();
  const failure = new Error("mine");
  const errors: unknown[] = [];
  running.engine.on("handler_error", (error) => errors.push(error));
  running.engine.on("headers", () => {
    throw failure;
  });
  const client = await running.openPolling();
  expect(await (await client.post("4a")).text()).toBe("ok");
  expect(errors).toEqual([failure, failure]);
});

test.each([
  ["the cors option", { cors: { origin: "*" } }, undefined],
  ["a middleware", {}, ((_req, _res, next) => next()) satisfies Middleware],
  ["a slow middleware", {}, ((_req, _res, next) => setImmediate(next)) satisfies Middleware],
])(
  "an allowRequest that throws behind %s refuses the client",
  async (_name, options, middleware) => {
    const failure = new Error("mine");
    const running = await startEngine({
      ...options,
      allowRequest: () => {
        throw failure;
      },
    });
    if (middleware !== undefined) running.engine.use(middleware);
    const errors: unknown[] = [];
    running.engine.on("handler_error", (error) => errors.push(error));
    expect((await fetch(`${running.url}?${POLLING}`)).status).toBe(400);
    const socket = new WebSocket(`${running.url.replace("http", "ws")}?EIO=4&transport=websocket`);
    const [error] = await once(socket, "error");
    expect(error.message).toBe("Unexpected server response: 400");
    expect(errors).toEqual([failure, failure]);
  },
);

test.each(["polling", "websocket"])(
  "an observer of the %s transport that throws becomes a warning, and the session goes on",
  async (name) => {
    const running = await startEngine();
    const client = name === "polling" ? await running.openPolling() : undefined;
    const webSocket = name === "polling" ? undefined : await running.openWebSocket();
    const session = client?.session ?? webSocket?.session;
    const warned = once(process, "warning");
    session?.transport.once("packet", () => {
      throw new Error("observer");
    });
    const message = new Promise((resolve) => session?.once("message", resolve));
    webSocket?.socket.send("4hello");
    await client?.post("4hello");
    expect(await message).toBe("hello");
    expect((await warned)[0]).toMatchObject({ message: "observer" });
  },
);
