import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { HandshakeWatch } from "../src/handshake-watch.js";
import type { ServerOptions } from "../src/options.js";
import { Server } from "../src/server.js";
import { FakeWebTransport, settled } from "./fake-webtransport.js";

/** Counts how often it was told that nobody is there any more. */
function counter() {
  const told = { times: 0, gone: () => void (told.times += 1) };
  return told;
}

/** A response that has no connection yet, because others are before it. */
function queuedResponse(socket: Socket) {
  const req = new IncomingMessage(socket);
  return { req, res: new ServerResponse(req) };
}

test("a response that is over ends the watch, and none is heard of after that", () => {
  const watch = new HandshakeWatch();
  const [over, left] = [counter(), counter()];
  const { req, res } = queuedResponse(new Socket());
  watch.response(req, res, over.gone);
  watch.response(req, res, left.gone)();
  res.emit("close");
  expect([over.times, left.times]).toEqual([1, 0]);
  expect(res.listenerCount("close")).toBe(0);
});

test("responses that wait behind others share one listener of their connection", async () => {
  const watch = new HandshakeWatch();
  const [waiting, left] = [counter(), counter()];
  const socket = new Socket();
  const before = socket.listenerCount("close");
  for (let count = 0; count < 100; count += 1) {
    const { req, res } = queuedResponse(socket);
    watch.response(req, res, () => waiting.gone());
  }
  const { req, res } = queuedResponse(socket);
  watch.response(req, res, left.gone)();
  expect(socket.listenerCount("close")).toBe(before + 1);
  socket.destroy();
  await settled();
  expect([waiting.times, left.times]).toEqual([100, 0]);
});

test("who is gone already is told of at once", async () => {
  const watch = new HandshakeWatch();
  const socket = new Socket().destroy();
  await settled();
  const [queued, answered, upgrade] = [counter(), counter(), counter()];
  const { req, res } = queuedResponse(socket);
  watch.response(req, res, queued.gone);
  res.destroy();
  watch.response(req, res, answered.gone);
  watch.upgrade(socket, upgrade.gone);
  expect(queued.times).toBeGreaterThan(0);
  expect(answered.times).toBeGreaterThan(0);
  expect(upgrade.times).toBeGreaterThan(0);
});

test("a stream is as before when the watch of an upgrade ends", async () => {
  const watch = new HandshakeWatch();
  const told = counter();
  const stream = new PassThrough();
  watch.upgrade(stream, told.gone)();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  stream.end("bytes");
  await settled();
  expect(chunks).toEqual(["bytes"]);
  expect(told.times).toBe(0);
});

/** A server with one place, and what to answer those with who wait for the application. */
function slowServer() {
  const waiting: ((allowed: boolean) => void)[] = [];
  const allowRequest: ServerOptions["allowRequest"] = (_req, answer) =>
    void waiting.push((allowed) => answer(null, allowed));
  const server = new Server({ transports: ["webtransport"], maxConnections: 1, allowRequest });
  const refusals: unknown[] = [];
  server.on("connection_error", ({ context }) => refusals.push(context["name"]));
  return { server, waiting, refusals };
}

async function connect(server: Server): Promise<FakeWebTransport> {
  const client = new FakeWebTransport();
  server.onWebTransportSession(client, { headers: {} });
  client.openStream();
  client.send("0");
  await settled();
  return client;
}

test("a WebTransport session that waits has a place, which becomes that of its session", async () => {
  const { server, waiting, refusals } = slowServer();
  const client = await connect(server);
  await connect(server);
  expect(refusals).toEqual(["MAX_CONNECTIONS"]);
  waiting[0]?.(true);
  await connect(server);
  expect(refusals).toEqual(["MAX_CONNECTIONS", "MAX_CONNECTIONS"]);
  expect(server.clientsCount).toBe(1);
  client.leave();
  await settled();
  await connect(server);
  expect(waiting).toHaveLength(2);
});

test.each<[name: string, leave: (client: FakeWebTransport) => void]>([
  ["leaves", (client) => client.leave()],
  ["fails", (client) => client.fail(new Error("reset"))],
])("a WebTransport session that %s while it waits gives its place back", async (_name, leave) => {
  const { server, waiting, refusals } = slowServer();
  leave(await connect(server));
  await settled();
  await connect(server);
  expect(waiting).toHaveLength(2);
  expect(refusals).toEqual([]);
});

test("a WebTransport session that is refused, or ended by a middleware, gives its place back", async () => {
  const { server, waiting, refusals } = slowServer();
  await connect(server);
  waiting[0]?.(false);
  let isEnding = true;
  server.use((_req, res, next) => {
    if (isEnding) res.end();
    else next();
  });
  await connect(server);
  isEnding = false;
  await connect(server);
  expect(waiting).toHaveLength(2);
  expect(refusals).toEqual([undefined]);
});

/** A WebTransport session whose implementation does not tell of its end. */
class SilentWebTransport extends FakeWebTransport {
  override close(): void {}
}

test("who is refused has no place, even if its connection stays for ever", async () => {
  const refusals: unknown[] = [];
  const engine = new Server({
    transports: ["polling", "websocket", "webtransport"],
    maxConnections: 1,
    allowRequest: () => false,
  });
  engine.on("connection_error", ({ context }) => refusals.push(context["name"]));
  const upgrade = () => {
    const { req } = queuedResponse(new Socket());
    Object.assign(req, { method: "GET", url: "/?EIO=4&transport=websocket" });
    return Object.assign(req, { headers: { upgrade: "websocket" } });
  };
  // Nothing that is written to it leaves, so it does not come to its end.
  const stuck = () => new Duplex({ read() {}, write() {} });
  for (let round = 0; round < 3; round += 1) {
    engine.handleUpgrade(upgrade(), stuck(), Buffer.alloc(0));
    const { req, res } = queuedResponse(new Socket());
    Object.assign(req, { method: "GET", url: "/?EIO=4&transport=polling" });
    engine.handleRequest(req, res);
    const client = new SilentWebTransport();
    engine.onWebTransportSession(client, { headers: {} });
    client.openStream();
    client.send("0");
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    await settled();
  }
  expect(refusals).toEqual(Array.from({ length: 9 }, () => undefined));
});
