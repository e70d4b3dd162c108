// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { OPCODE, parseOpen, rawRequest, RawWebSocket } from "@jackfield/testkit";
import type { Socket } from "socket.io";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { joinWire } from "../support/wire.js";
import { fix, type RunningServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";
import { startOld } from "./clients.js";

const POLLING = "/socket.io/?EIO=3&transport=polling";
const WEBSOCKET = "/socket.io/?EIO=3&transport=websocket";

interface Opened {
  readonly client: RawWebSocket;
  readonly sid: string;
}

/** Opens a connection of protocol 3 and takes its open packet. */
async function open(port: number): Promise<Opened> {
  const client = await connectRaw(port, WEBSOCKET);
  return { client, sid: parseOpen(await client.nextText()).sid };
}

async function connectRaw(port: number, path: string): Promise<RawWebSocket> {
  const client = await RawWebSocket.connect({ port, path });
  onCleanup(() => client.destroy());
  return client;
}

/** The same, and takes the packet that says that the client is in the main namespace. */
async function openJoined(port: number): Promise<Opened> {
  const opened = await open(port);
  expect(await opened.client.nextText()).toBe("40");
  return opened;
}

function only(server: RunningServer, name: string): Socket {
  const [socket] = server.io.of(name).sockets.values();
  if (socket === undefined) throw new Error(`no socket in ${name}`);
  return socket;
}

test("over WebSocket, the packet CONNECT follows the open packet unasked (74, Z4)", async () => {
  const server = await startOld();
  server.io.on("connection", (socket) => void socket.emit("welcome"));
  const { client, sid } = await open(server.port);
  expect(await client.nextText()).toBe("40");
  expect(await client.nextText()).toBe('42["welcome"]');
  expect(only(server, "/").id).toBe(sid);
});

test("over polling, the packet CONNECT is in the first answer to a poll (74, Z4)", async () => {
  const server = await startOld();
  const { port } = server;
  const handshake = await rawRequest({ port, path: POLLING });
  const [length = ""] = handshake.body.split(":", 1);
  expect(handshake.body).toHaveLength(length.length + 1 + Number(length));
  const { sid } = parseOpen(handshake.body.slice(length.length + 1));
  expect((await rawRequest({ port, path: `${POLLING}&sid=${sid}` })).body).toBe("2:40");
});

test("a namespace is joined with or without a comma, and answered without payload (74)", async () => {
  const server = await startOld();
  for (const name of ["/one", "/two"]) server.io.of(name);
  const { client, sid } = await openJoined(server.port);
  client.send("40/one,");
  expect(await client.nextText()).toBe("40/one,");
  client.send("40/two");
  expect(await client.nextText()).toBe("40/two,");
  expect(only(server, "/two").id).toBe(`/two#${sid}`);
});

test.each([
  ["/ns?a=1&a=2&b=x+y%20z&c,", { a: "2", b: "x y z", c: "" }],
  ["/ns?,", {}],
  ["/ns?a=1", { a: "1" }],
  ["/ns?a=1#part,", { a: "1" }],
  ['/ns,{"token":1}', {}],
])("joined as %s, the namespace is /ns and the query is auth (C8, 137)", async (nsp, auth) => {
  const server = await startOld();
  server.io.of("/ns");
  const { client } = await openJoined(server.port);
  client.send(`40${nsp}`);
  expect(await client.nextText()).toBe("40/ns,");
  expect({ ...only(server, "/ns").handshake.auth }).toEqual(auth);
});

test("packets whose namespace has a query belong to the namespace (C8)", async () => {
  const server = await startOld();
  const { client } = await openJoined(server.port);
  const [socket] = [only(server, "/")];
  const arrived = received(socket, "event");
  client.send('42/?a=1,["event",1]');
  expect(await arrived).toEqual([1]);
});

test.each([
  ["its message", new Error("no"), '"no"'],
  ["its data", Object.assign(new Error("no"), { data: { code: 1 } }), '{"code":1}'],
  ["its data, a number", Object.assign(new Error("no"), { data: 5 }), "5"],
  ["its message in place of false data", Object.assign(new Error("no"), { data: 0 }), '"no"'],
  ["its empty message", new Error(""), '""'],
])("of a middleware's error, %s is sent raw (77, Z6)", async (_name, error, payload) => {
  const server = await startOld();
  server.io.of("/ns").use((_socket, next) => next(error));
  const { client } = await openJoined(server.port);
  client.send("40/ns?a=1,");
  expect(await client.nextText()).toBe(`44/ns,${payload}`);
});

test("an unknown namespace is refused by the name without query, as for everybody (77)", async () => {
  const server = await startOld();
  const { client } = await openJoined(server.port);
  client.send("40/nope?a=1,");
  expect(await client.nextText()).toBe('44/nope,{"message":"Invalid namespace"}');
  client.send("40/nope,");
  expect(await client.nextText()).toBe('44/nope,{"message":"Invalid namespace"}');
});

fix("the name of a namespace is answered as it was written (C8)", async () => {
  const server = await startOld();
  const { client } = await openJoined(server.port);
  for (const name of ["/é", "/a b"]) {
    server.io.of(name);
    client.send(`40${name}?q=1,`);
    expect(await client.nextText()).toBe(`40${name},`);
  }
});

test("asking for the main namespace, where the client is, closes the connection", async () => {
  const server = await startOld();
  const { client } = await openJoined(server.port);
  client.send("40");
  await client.closed;
  await until(() => server.io.engine.clientsCount === 0);
  expect(server.io.sockets.sockets.size).toBe(0);
});

test("a client that is in the main namespace only is not closed after connectTimeout (73)", async () => {
  const server = await startOld({ connectTimeout: 30 });
  const { client } = await openJoined(server.port);
  const refused = await startOld({ connectTimeout: 30 });
  refused.io.use((_socket, next) => next(new Error("no")));
  const { client: other } = await open(refused.port);
  expect(await other.nextText()).toBe('44"no"');
  // The time of the one is over, so that of the other, which began earlier, is too.
  await other.closed;
  const arrived = received(only(server, "/"), "event");
  client.send('42["event"]');
  await arrived;
  expect(client.isClosed).toBe(false);
});

test("disconnections are told without payload, in both directions", async () => {
  const server = await startOld();
  server.io.of("/ns");
  const { client } = await openJoined(server.port);
  client.send("40/ns,");
  await client.nextText();
  only(server, "/ns").disconnect();
  expect(await client.nextText()).toBe("41/ns,");
  const left = received(only(server, "/"), "disconnect");
  client.send("41");
  expect((await left)[0]).toBe("client namespace disconnect");
});

test("bytes for both protocols: only those of protocol 3 follow the byte of their type (62)", async () => {
  const server = await startOld();
  const { client } = await openJoined(server.port);
  const { client: modern } = await joinWire(server);
  const later = await openJoined(server.port);
  const text = '451-["event",{"_placeholder":true,"num":0}]';
  for (const bytes of [Buffer.from([1, 2]), Buffer.alloc(0)]) {
    server.io.emit("event", bytes);
    for (const old of [client, later.client]) {
      expect(await old.nextText()).toBe(text);
      expect((await old.nextFrame()).payload).toEqual(Buffer.concat([Buffer.from([4]), bytes]));
    }
    expect(await modern.next()).toBe(text);
    expect(await modern.next()).toEqual(bytes);
  }
});

test("bytes for both protocols that wait for an upgrade leave as the client's own protocol has them", async () => {
  const server = await startOld();
  const { port } = server;
  const handshake = await rawRequest({ port, path: POLLING });
  const { sid } = parseOpen(handshake.body.slice(handshake.body.indexOf(":") + 1));
  expect((await rawRequest({ port, path: `${POLLING}&sid=${sid}` })).body).toBe("2:40");
  const { client: modern } = await joinWire(server);
  const candidate = await connectRaw(port, `${WEBSOCKET}&sid=${sid}`);
  candidate.send("2probe");
  expect(await candidate.nextText()).toBe("3probe");
  server.io.emit("event", Buffer.from([1, 2]));
  await modern.next();
  expect(await modern.next()).toEqual(Buffer.from([1, 2]));
  candidate.send("5");
  expect(await candidate.nextText()).toBe('451-["event",{"_placeholder":true,"num":0}]');
  const frame = await candidate.nextFrame();
  expect(frame.opcode).toBe(OPCODE.binary);
  expect(frame.payload).toEqual(Buffer.from([4, 1, 2]));
});

test("without allowEIO3 such a client is refused", async () => {
  const { port } = await startOld({ allowEIO3: false });
  const { status, body } = await rawRequest({ port, path: POLLING });
  expect(status).toBe(400);
  expect(JSON.parse(body)).toEqual({ code: 5, message: "Unsupported protocol version" });
});
