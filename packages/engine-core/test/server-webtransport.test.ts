import { once } from "node:events";
import { expect, test } from "vitest";
import type { ConnectionError } from "../src/errors.js";
import type { ServerOptions } from "../src/options.js";
import { Server } from "../src/server.js";
import type { Session } from "../src/session.js";
import type { WebTransportRequest } from "../src/webtransport-handshake.js";
import { FakeWebTransport, settled } from "./fake-webtransport.js";

const REQUEST: WebTransportRequest = { headers: { cookie: "a=1" } };

function makeServer(options: ServerOptions = {}) {
  const server = new Server({ transports: ["polling", "webtransport"], ...options });
  const refusals: ConnectionError[] = [];
  server.on("connection_error", (error) => refusals.push(error));
  return { server, refusals };
}

/** A client that has sent its first packet. */
async function connect(server: Server, request?: WebTransportRequest, first = "0") {
  const client = new FakeWebTransport();
  server.onWebTransportSession(client, request);
  client.openStream();
  client.send(first);
  await settled();
  return client;
}

test("a WebTransport session opens a session", async () => {
  const { server } = makeServer();
  const connected = once(server, "connection");
  const client = await connect(server);
  const [session] = (await connected) as [Session];
  expect(client.frames[0]).toMatch(/^0\{"sid":".{20}","upgrades":\[\],/);
  expect(session.transport.name).toBe("webtransport");
  expect(session.remoteAddress).toBe("");
  expect(session.request.headers).toEqual({});
  client.leave();
  await settled();
  expect(session.readyState).toBe("closed");
  expect(server.clientsCount).toBe(0);
});

test("a server that does not offer WebTransport closes the session", async () => {
  const { server, refusals } = makeServer({ transports: ["polling", "websocket"] });
  const client = await connect(server);
  expect(client.closeCalls).toBe(1);
  expect(refusals).toMatchObject([{ code: 0, req: undefined }]);
});

test("allowRequest and middlewares see the request that the host gave", async () => {
  const seen: (string | undefined)[] = [];
  const { server } = makeServer({
    allowRequest: (req, answer) => {
      seen.push(req.headers.cookie);
      answer(undefined, true);
    },
  });
  server.use((req, _res, next) => {
    seen.push(req.headers.cookie);
    next();
  });
  await connect(server, REQUEST);
  expect(seen).toEqual(["a=1", "a=1"]);
  expect(server.clientsCount).toBe(1);
});

test("an allowRequest that cannot be asked admits nobody", async () => {
  const { server, refusals } = makeServer({
    allowRequest: (_req, answer) => answer(undefined, true),
  });
  const client = await connect(server);
  expect(client.closeCalls).toBe(1);
  expect(refusals).toMatchObject([{ code: 4, context: { name: "REQUEST_MISSING" } }]);
});

test("middlewares that cannot be asked admit nobody", async () => {
  const { server, refusals } = makeServer();
  server.use((_req, _res, next) => next());
  const client = await connect(server);
  expect(client.closeCalls).toBe(1);
  expect(refusals).toMatchObject([{ code: 4, context: { name: "REQUEST_MISSING" } }]);
});

test("a client that leaves while its id is made leaves no session behind", async () => {
  const { server } = makeServer();
  let made: ((id: string) => void) | undefined;
  server.generateId = () =>
    new Promise((resolve) => {
      made = resolve;
    });
  const client = await connect(server);
  client.leave();
  await settled();
  made?.("late");
  await settled();
  expect(server.clientsCount).toBe(0);
});
