/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";

import {
  OPCODE,
  parseOpen,
  pollingHandshake,
  RawConnection,
  rawRequest,
  type RawResponse,
  RawWebSocket,
  splitPayload,
} from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  expectAlive,
  expectAliveOverWebSocket,
  expectRefusal,
  fix,
  makeEngine,
  openCandidate,
  openPolling,
  openUpgraded,
  openWebSocket,
  PATH,
  POLLING,
  pollPackets,
  type SessionUnderTest,
  WEBSOCKET,
} from "./subject.js";

type Headers = Record<string, string>;

// Headers that Node's HTTP server adds by itself.
const FROM_NODE = new Set(["Date", "Connection", "Keep-Alive"]);

function ownHeaders({ headers }: RawResponse): unknown {
  return headers.filter(([name]) => !FROM_NODE.has(name));
}

test("the handshake is answered with the open packet and nothing else (18)", async () => {
  const { port } = await makeEngine({
    pingInterval: 1234,
    pingTimeout: 5678,
    maxHttpBufferSize: 9012,
  });
  const { handshake, sid } = await pollingHandshake(port);
  const body =
    `0{"sid":"${sid}","upgrades":["websocket"],` +
    '"pingInterval":1234,"pingTimeout":5678,"maxPayload":9012}';
  expect(handshake.body).toBe(body);
  expect(handshake.statusLine).toBe("HTTP/1.1 200 OK");
  expect(ownHeaders(handshake)).toEqual([
    ["Content-Type", "text/plain; charset=UTF-8"],
    ["Content-Length", String(body.length)],
    ["cache-control", "no-store"],
  ]);
});

test("the handshake over WebSocket is one text frame with the same open packet (18)", async () => {
  const { port } = await makeEngine({ pingInterval: 1234, pingTimeout: 5678 });
  const socket = await RawWebSocket.connect({ port, path: WEBSOCKET });
  const frame = await socket.nextFrame();
  expect(frame).toMatchObject({ opcode: OPCODE.text, fin: true, rsv: 0, masked: false });
  const { sid } = parseOpen(frame.text);
  expect(frame.text).toBe(
    `0{"sid":"${sid}","upgrades":[],"pingInterval":1234,"pingTimeout":5678,"maxPayload":1000000}`,
  );
});

test("the answer to a WebSocket handshake has no headers but those of the upgrade (18)", async () => {
  const { client } = await openWebSocket(await makeEngine());
  expect(client.response.statusLine).toBe("HTTP/1.1 101 Switching Protocols");
  expect(client.response.headers.map(([name]) => name)).toEqual([
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Accept",
  ]);
});

test("without options a client is told the documented defaults (18)", async () => {
  const { port } = await makeEngine({}, { heartbeat: "default" });
  const { open } = await pollingHandshake(port);
  expect(open).toMatchObject({ pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 });
});

test("the initial packet comes with the open packet (20)", async () => {
  const { port } = await makeEngine({ initialPacket: "hi" });
  const { handshake } = await pollingHandshake(port);
  const [open = "", ...rest] = splitPayload(handshake.body);
  expect(parseOpen(open).upgrades).toEqual(["websocket"]);
  expect(rest).toEqual(["4hi"]);
});

test("a binary initial packet comes in base64 over polling (20)", async () => {
  const { port } = await makeEngine({ initialPacket: Buffer.from([1, 2, 3]) });
  const { handshake } = await pollingHandshake(port);
  expect(splitPayload(handshake.body).slice(1)).toEqual(["bAQID"]);
  expect(handshake.header("content-type")).toBe("text/plain; charset=UTF-8");
});

test("the initial packet is the second frame over WebSocket (20)", async () => {
  const { client } = await openWebSocket(await makeEngine({ initialPacket: "hi" }));
  expect(await client.nextText()).toBe("4hi");
});

test("what is sent from the connection event comes with the next poll (20)", async () => {
  const { engine, port } = await makeEngine({ initialPacket: "hi" });
  engine.on("connection", (session: SessionUnderTest) => session.send("from the event"));
  const client = await pollingHandshake(port);
  expect(splitPayload(client.handshake.body)).toHaveLength(2);
  expect(await pollPackets(client)).toEqual(["4from the event"]);
});

test("headers are announced before the session exists, which is before the connection event (21)", async () => {
  const { engine, port } = await makeEngine();
  const order: unknown[] = [];
  for (const event of ["initial_headers", "headers"]) {
    engine.on(event, () => order.push([event, engine.clientsCount]));
  }
  engine.on("connection", (session: SessionUnderTest) => {
    order.push(["connection", engine.clientsCount, engine.clients[session.id] === session]);
  });
  const expected = [
    ["initial_headers", 0],
    ["headers", 0],
    ["connection", 1, true],
  ];
  await pollingHandshake(port);
  expect(order).toEqual(expected);
});

test("the session is registered under the sid that the client is told (21)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  expect(session.id).toBe(client.sid);
  expect(Object.keys(subject.engine.clients)).toEqual([client.sid]);
  expect(session.readyState).toBe("open");
  expect(session.protocol).toBe(4);
  const closed = once(session, "close");
  session.close(true);
  await closed;
  expect(Object.keys(subject.engine.clients)).toEqual([]);
  expect(subject.engine.clientsCount).toBe(0);
});

test("over WebSocket the open packet is sent before the connection event (21)", async () => {
  const { engine, port } = await makeEngine();
  engine.on("connection", (session: SessionUnderTest) => session.send("from the event"));
  const socket = await RawWebSocket.connect({ port, path: WEBSOCKET });
  expect(await socket.nextText()).toMatch(/^0\{/);
  expect(await socket.nextText()).toBe("4from the event");
});

test.each([
  [{}, ["websocket"]],
  [{ transports: ["polling"] }, []],
  [{ transports: ["websocket", "polling"] }, ["websocket"]],
  [{ transports: ["webtransport", "websocket", "polling"] }, ["websocket", "webtransport"]],
  [{ transports: ["polling", "webtransport"] }, ["webtransport"]],
  [{ allowUpgrades: false }, []],
])("with %j the upgrades of polling are %j (22)", async (options, upgrades) => {
  const { port } = await makeEngine(options);
  const { open } = await pollingHandshake(port);
  expect(open.upgrades).toEqual(upgrades);
});

test("a WebSocket session has no upgrades (22)", async () => {
  const subject = await makeEngine({ transports: ["polling", "websocket", "webtransport"] });
  const { open } = await openWebSocket(subject);
  expect(open.upgrades).toEqual([]);
});

test.each([
  [true, "io=SID; Path=/; HttpOnly; SameSite=Lax"],
  [{}, "io=SID; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "sticky" }, "sticky=SID; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "sticky", path: "/custom" }, "sticky=SID; Path=/custom; HttpOnly; SameSite=Lax"],
  [{ path: false, httpOnly: false, sameSite: false }, "io=SID"],
  [{ sameSite: "strict", httpOnly: false }, "io=SID; Path=/; SameSite=Strict"],
  [
    { maxAge: 60, domain: "example.org", secure: true, sameSite: "none" },
    "io=SID; Max-Age=60; Domain=example.org; Path=/; HttpOnly; Secure; SameSite=None",
  ],
])("with cookie %j the handshake sets %j (23)", async (cookie, expected) => {
  const { port } = await makeEngine({ cookie });
  const { handshake, sid } = await pollingHandshake(port);
  const cookies = handshake.headers.filter(([name]) => name === "Set-Cookie");
  expect(cookies).toEqual([["Set-Cookie", expected.replace("SID", sid)]]);
});

test("without the cookie option no cookie is set (23)", async () => {
  const { port } = await makeEngine();
  const { handshake } = await pollingHandshake(port);
  expect(handshake.header("set-cookie")).toBeUndefined();
});

test("the cookie is set once, with the handshake (23)", async () => {
  const { client, session } = await openPolling(await makeEngine({ cookie: true }));
  session.send("x");
  const responses = [await client.poll(), await client.post("4x")];
  expect(responses.map((response) => response.header("set-cookie"))).toEqual([
    undefined,
    undefined,
  ]);
});

test("the cookie is never set over WebSocket (23)", async () => {
  const subject = await makeEngine({ cookie: true });
  const { client } = await openWebSocket(subject);
  expect(client.response.header("set-cookie")).toBeUndefined();
  const { client: upgraded } = await openUpgraded(subject);
  expect(upgraded.response.header("set-cookie")).toBeUndefined();
});

test("initial_headers is announced once for a session, headers for every response (23)", async () => {
  const subject = await makeEngine();
  const order: string[] = [];
  for (const event of ["initial_headers", "headers"]) {
    subject.engine.on(event, (_headers: Headers, { method = "", url = "" }: IncomingMessage) => {
      const query = new URL(url, "http://localhost").searchParams;
      const kind = query.has("sid") ? "with sid" : "without sid";
      order.push(`${event}: ${method} ${query.get("transport")} ${kind}`);
    });
  }
  const { client, session } = await openPolling(subject);
  session.send("x");
  await client.poll();
  await client.post("4x");
  await openCandidate(subject, client.sid);
  await openWebSocket(subject);
  expect(order).toEqual([
    "initial_headers: GET polling without sid",
    "headers: GET polling without sid",
    "headers: GET polling with sid",
    "headers: POST polling with sid",
    "headers: GET websocket with sid",
    "initial_headers: GET websocket without sid",
    "headers: GET websocket without sid",
  ]);
});

function added(response: RawResponse): unknown {
  return [response.header("X-Initial"), response.header("X-Every")];
}

test("headers that are added to what is announced are sent (23)", async () => {
  const subject = await makeEngine({ cookie: true });
  let sawCookie = false;
  subject.engine.on("initial_headers", (headers: Headers) => {
    sawCookie ||= "Set-Cookie" in headers;
    headers["X-Initial"] = "first";
  });
  subject.engine.on("headers", (headers: Headers) => {
    headers["X-Every"] = "each";
  });
  const { client, session } = await openPolling(subject);
  session.send("x");
  expect(sawCookie).toBe(true);
  expect(added(client.handshake)).toEqual(["first", "each"]);
  expect(added(await client.poll())).toEqual([undefined, "each"]);
  expect(added(await client.post("4x"))).toEqual([undefined, "each"]);
  const webSocket = await openWebSocket(subject);
  expect(added(webSocket.client.response)).toEqual(["first", "each"]);
  const candidate = await openCandidate(subject, client.sid);
  expect(added(candidate.response)).toEqual([undefined, "each"]);
});

test("a refusal announces no headers (23)", async () => {
  const { engine, port } = await makeEngine();
  const announced: string[] = [];
  for (const event of ["initial_headers", "headers"]) {
    engine.on(event, () => announced.push(event));
  }
  await rawRequest({ port, path: PATH });
  await RawWebSocket.attempt({ port, path: PATH });
  expect(announced).toEqual([]);
});

test("a sid is twenty characters that need no escaping, and no two are equal (24)", async () => {
  const { port } = await makeEngine();
  const clients = await Promise.all(Array.from({ length: 50 }, () => pollingHandshake(port)));
  const sids = clients.map(({ sid }) => sid);
  expect(sids.filter((sid) => !/^[A-Za-z0-9_-]{20}$/.test(sid))).toEqual([]);
  expect(new Set(sids).size).toBe(sids.length);
});

test("an id of one's own is the sid, and the request is at hand to make it (25)", async () => {
  const subject = await makeEngine();
  subject.engine.generateId = ({ headers }) => `id of ${String(headers["x-user"])}`;
  const pair = await openPolling(subject, { headers: { "X-User": "ada" } });
  expect(pair.client.sid).toBe("id of ada");
  expect(Object.keys(subject.engine.clients)).toEqual(["id of ada"]);
});

test("a session is registered only when its id has been made (25)", async () => {
  const subject = await makeEngine();
  const { engine, port, taken } = subject;
  let makeId: ((id: string) => void) | undefined;
  engine.generateId = () =>
    new Promise((resolve) => {
      makeId = resolve;
    });
  const handshake = await taken(() => {
    const connection = new RawConnection(port);
    return { connection, response: connection.request({ path: POLLING }) };
  });
  expect(engine.clientsCount).toBe(0);
  expect(Object.keys(engine.clients)).toEqual([]);
  expect(handshake.connection.received).toHaveLength(0);
  makeId?.("late");
  const { body } = await handshake.response;
  expect(parseOpen(body).sid).toBe("late");
  expect(Object.keys(engine.clients)).toEqual(["late"]);
});

test("an id may be late over WebSocket too (25)", async () => {
  const subject = await makeEngine();
  subject.engine.generateId = () =>
    new Promise((resolve) => {
      setImmediate(() => resolve("late"));
    });
  const pair = await openWebSocket(subject);
  expect(pair.open.sid).toBe("late");
  await expectAliveOverWebSocket(pair);
});

test.each([
  ["throws", () => fail()],
  ["rejects", () => Promise.reject(new Error("no id"))],
])("a handshake is refused with code 3 when generateId %s (25)", async (_how, generateId) => {
  const { engine, port, refusals } = await makeEngine();
  engine.generateId = generateId;
  expectRefusal(await rawRequest({ port, path: POLLING }), 3, "Bad request");
  expect(refusals).toMatchObject([
    { code: 3, context: { name: "ID_GENERATION_ERROR", error: { message: "no id" } } },
  ]);
  expect(engine.clientsCount).toBe(0);
});

test(
  "a handshake is refused when its id is in use, and the session that has it lives on (25)",
  fix("the first session is forgotten", async () => {
    const subject = await makeEngine();
    subject.engine.generateId = () => "twice";
    const pair = await openPolling(subject);
    const response = await rawRequest({ port: subject.port, path: POLLING });
    expectRefusal(response, 3, "Bad request");
    expect(subject.engine.clientsCount).toBe(1);
    expect(subject.engine.clients["twice"]).toBe(pair.session);
    await expectAlive(pair);
  }),
);

test(
  "an upgrade is refused when its id is in use, and the session that has it lives on (25)",
  fix("the first session is forgotten", async () => {
    const subject = await makeEngine();
    subject.engine.generateId = () => "twice";
    const pair = await openPolling(subject);
    const outcome = await RawWebSocket.attempt({ port: subject.port, path: WEBSOCKET });
    expect(outcome).toMatchObject({ name: "refused", response: { body: "Bad request" } });
    expect(subject.engine.clients["twice"]).toBe(pair.session);
    await expectAlive(pair);
  }),
);

test.each(["", "&EIO=", "&EIO=3", "&EIO=2", "&EIO=5", "&EIO=04", "&EIO=foo"])(
  'a handshake with "%s" is one in version 3, which is not allowed (26)',
  async (version) => {
    const { port, refusals } = await makeEngine();
    const path = `${PATH}?transport=polling${version}`;
    expectRefusal(await rawRequest({ port, path }), 5, "Unsupported protocol version");
    expect(refusals).toMatchObject([
      { code: 5, message: "Unsupported protocol version", context: { protocol: 3 } },
    ]);
  },
);

test.each([
  ["Mozilla/4.0 (compatible;MSIE 7.0; Windows NT 6.1)", "0"],
  ["Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "0"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", undefined],
])("to %s X-XSS-Protection is %s (27)", async (userAgent, expected) => {
  const subject = await makeEngine();
  const headers = { "User-Agent": userAgent };
  const { client, session } = await openPolling(subject, { headers });
  session.send("x");
  const responses = [client.handshake, await client.poll(), await client.post("4x")];
  const values = responses.map((response) => response.header("X-XSS-Protection"));
  expect(values).toEqual([expected, expected, expected]);
});

function fail(): never {
  throw new Error("no id");
}
