// Behaviours that belong to no other file: those of several layers at once.
import { type EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import {
  Server as Engine,
  type ServerOptions,
  type Session,
  type TransportName,
  type WebTransportRequest,
} from "@jackfield/engine-core";
import {
  FakeClock,
  parseOpen,
  pollingHandshake,
  RawWebSocket,
  rawRequest,
} from "@jackfield/testkit";
import { expect, test } from "vitest";
import { FakeWebTransport } from "../../engine-core/test/fake-webtransport.js";
import { onCleanup } from "./support/cleanup.js";
import { answerRoundTrips, CELLS, connect, ready, roundTrip } from "./support/clients.js";
import { startEngine, startServer } from "./support/subject.js";
import { received, until } from "./support/wait.js";

test.each(CELLS.filter(({ transport }) => transport === "upgrade"))(
  "socket.conn tells of the upgrade, and names the new transport from then on (56): $name",
  async (cell) => {
    const { io, port } = await startServer();
    const names: string[] = [];
    io.on("connection", (socket) => {
      answerRoundTrips(socket);
      names.push(socket.conn.transport.name);
      socket.conn.once("upgrade", (transport: { name: string }) => {
        names.push(transport.name, socket.conn.transport.name);
      });
    });
    const client = await ready(connect(port, cell), cell);
    await roundTrip(client);
    expect(names).toEqual(["polling", "websocket", "websocket"]);
  },
);

test("the client files have the CORS headers of the option (43)", async () => {
  const { port } = await startServer({ cors: { origin: "https://a.example", credentials: true } });
  for (const path of ["socket.io.js", "?EIO=4&transport=polling"]) {
    const response = await fetch(`http://127.0.0.1:${port}/socket.io/${path}`);
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
  }
});

test("a polling session over HTTP/2 gets compressed answers, one after the other (139)", async () => {
  const engine = new Engine({ pingInterval: 60_000 });
  const server = createHttp2Server();
  engine.attach(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  onCleanup(() => {
    engine.close();
    client.destroy();
    server.close();
  });
  const get = async (path: string): Promise<{ coding: unknown; body: Buffer }> => {
    const stream = client.request({ ":path": path, "accept-encoding": "gzip" });
    const headers = once(stream, "response");
    const body = await buffer(stream);
    const [{ "content-encoding": coding }] = (await headers) as [Record<string, unknown>];
    return { coding, body };
  };

  const connected = once(engine, "connection");
  const path = "/engine.io/?EIO=4&transport=polling";
  const { sid } = parseOpen((await get(path)).body.toString());
  const [session] = (await connected) as [Session];
  for (const letter of ["a", "b", "c"]) {
    // Once waiting in the buffer, once waited for by the poll.
    const send = () => session.send(letter.repeat(5000));
    if (letter === "a") send();
    else (session.transport as unknown as EventEmitter).once("ready", send);
    const { coding, body } = await get(`${path}&sid=${sid}`);
    expect(coding).toBe("gzip");
    expect(gunzipSync(body).toString()).toBe(`4${letter.repeat(5000)}`);
  }
  expect(session.readyState).toBe("open");
});

test("protocol 3 has the length of the open packet before it, and its limit within (19)", async () => {
  const { port } = await startEngine({ allowEIO3: true, maxHttpBufferSize: 1234 });
  const response = await rawRequest({ port, path: "/engine.io/?EIO=3&transport=polling" });
  const [, length = "", packet = ""] = /^(\d+):(.*)$/.exec(response.body) ?? [];
  expect(packet).toHaveLength(Number(length));
  expect(parseOpen(packet)).toMatchObject({ upgrades: ["websocket"], maxPayload: 1234 });
  expect(response.header("Content-Type")).toBe("text/plain; charset=UTF-8");
});

test.each([3, 4])(
  "a client of protocol %i that falls silent after its upgrade is found (54, 138)",
  async (protocol) => {
    const clock = new FakeClock();
    const options = { allowEIO3: true, pingInterval: 25_000, pingTimeout: 20_000 };
    const engine = new Engine(options, { clock });
    const server = createServer();
    engine.attach(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onCleanup(() => {
      engine.close();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const connected = once(engine, "connection");
    const query = `/engine.io/?EIO=${protocol}&transport=`;
    await rawRequest({ port, path: `${query}polling` });
    const [session] = (await connected) as [Session];
    const socket = await RawWebSocket.connect({
      port,
      path: `${query}websocket&sid=${session.id}`,
    });
    const upgraded = received(session, "upgrade");
    socket.send("2probe");
    socket.send("5");
    await upgraded;
    const closed = received(session, "close");
    clock.advance(47_000);
    expect((await closed)[0]).toBe("ping timeout");
    await socket.closed;
  },
);

test("text in a payload of protocol 3 is decoded once, whatever it looks like (141)", async () => {
  const { engine, port } = await startEngine({ allowEIO3: true });
  const connected = received<[Session]>(engine, "connection");
  const url = `http://127.0.0.1:${port}/engine.io/?EIO=3&transport=polling`;
  const opened = await (await fetch(url)).text();
  const [session] = await connected;
  const messages: unknown[] = [];
  session.on("message", (data) => messages.push(data));
  const { sid } = parseOpen(opened.slice(opened.indexOf(":") + 1));
  // "é" as Socket.IO 1.x sends it, "é" as 2.x does, and text that means to look garbled.
  const garbled = Buffer.from("é").toString("latin1");
  for (const payload of [`3:4${garbled}`, "2:4é", `4:4${garbled}!`]) {
    const response = await fetch(`${url}&sid=${sid}`, { method: "POST", body: payload });
    expect(await response.text()).toBe("ok");
  }
  expect(messages).toEqual([garbled, "é", `${garbled}!`]);
});

// ── WebTransport, without the network below it ───────────────────────────────

const TRANSPORTS: TransportName[] = ["polling", "websocket", "webtransport"];

/** An engine that listens nowhere. */
function makeEngine(options: ServerOptions = {}): Engine {
  const engine = new Engine({ transports: TRANSPORTS, pingInterval: 60_000, ...options });
  onCleanup(() => engine.close());
  return engine;
}

/** A client that has opened its stream and sent its first packet. */
function openWebTransport(engine: Engine, request?: WebTransportRequest, first = "0") {
  const client = new FakeWebTransport();
  engine.onWebTransportSession(client, request);
  client.openStream();
  client.send(first);
  return client;
}

/** Resolves when the server has written so many frames. */
async function frames(client: FakeWebTransport, count: number): Promise<string[]> {
  await until(() => client.frames.length >= count);
  return client.frames.map(String);
}

test("over WebTransport, a frame follows its length; the first one opens a session (70)", async () => {
  const engine = makeEngine();
  const connected = received<[Session]>(engine, "connection");
  const client = openWebTransport(engine);
  const [session] = await connected;
  session.send("a".repeat(200));
  session.send(Buffer.from([7]));
  const [open = ""] = await frames(client, 3);
  expect(parseOpen(open)).toMatchObject({ sid: session.id, upgrades: [] });
  const sent = Buffer.concat(client.chunks).subarray(-(3 + 201 + 1 + 1));
  expect(sent.subarray(0, 4).toString("hex")).toBe("7e00c934");
  expect(sent.subarray(-2).toString("hex")).toBe("8107");
});

test("over WebTransport, a first packet with an id upgrades that session (70)", async () => {
  const engine = makeEngine();
  const server = createServer();
  engine.attach(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(() => server.close());
  const connected = received<[Session]>(engine, "connection");
  const { port } = server.address() as AddressInfo;
  const polling = await pollingHandshake(port);
  expect(polling.open.upgrades).toEqual(["websocket", "webtransport"]);
  const [session] = await connected;
  const client = openWebTransport(engine, undefined, `0{"sid":"${polling.sid}"}`);
  client.send("2probe");
  expect(await frames(client, 1)).toEqual(["3probe"]);
  const upgraded = received(session, "upgrade");
  client.send("5");
  await upgraded;
  session.send("over WebTransport");
  expect(await frames(client, 2)).toEqual(["3probe", "4over WebTransport"]);
});

test("the request of an HTTP/3 server is seen by whoever looks at requests (71)", async () => {
  const seen: unknown[] = [];
  const note = (who: string, { headers, url }: IncomingMessage) =>
    seen.push([who, headers["x-user"], url]);
  const allowRequest = (req: IncomingMessage) => note("allowRequest", req) > 0;
  const engine = makeEngine({ allowRequest });
  engine.use((req, _res, next) => {
    note("middleware", req);
    next();
  });
  engine.generateId = (req) => {
    note("generateId", req);
    return "mine";
  };
  const connected = received<[Session]>(engine, "connection");
  const socket = { remoteAddress: "192.0.2.1" };
  openWebTransport(engine, { headers: { "x-user": "ada" }, url: "/engine.io/?a=1", socket });
  const [session] = await connected;
  note("session", session.request);
  expect(seen).toEqual(
    ["middleware", "allowRequest", "generateId", "session"].map((who) => [
      who,
      "ada",
      "/engine.io/?a=1",
    ]),
  );
  expect([session.id, session.remoteAddress]).toEqual(["mine", "192.0.2.1"]);
});

test("a WebTransport session that fails is a transport error, and nothing more (72)", async () => {
  const engine = makeEngine();
  const connected = received<[Session]>(engine, "connection");
  const client = openWebTransport(engine);
  const [session] = await connected;
  const closed = received(session, "close");
  client.fail(new Error("connection lost"));
  expect(await closed).toEqual([
    "transport error",
    expect.objectContaining({ code: "ERR_TRANSPORT_CONNECTION" }),
  ]);
});

test("over WebTransport, empty messages arrive, and so does what precedes the end (140)", async () => {
  const engine = makeEngine();
  const connected = received<[Session]>(engine, "connection");
  const client = openWebTransport(engine);
  const [session] = await connected;
  session.send(Buffer.alloc(0));
  session.send("last");
  const closed = received(session, "close");
  session.close();
  // Clients take no frame without bytes, so no bytes are base64; the ping asks for the last word.
  expect((await frames(client, 4)).slice(1)).toEqual(["b", "4last", "2"]);
  expect(client.closeCalls).toBe(0);
  client.send("3");
  expect((await closed)[0]).toBe("forced close");
  expect(client.closeCalls).toBe(1);
});

test("the option cors keeps no WebTransport client out (44)", async () => {
  const engine = makeEngine({ cors: { origin: "https://a.example" } });
  const connected = received<[Session]>(engine, "connection");
  openWebTransport(engine);
  expect((await connected)[0].transport.name).toBe("webtransport");
});
