// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import type { Namespace, Socket } from "socket.io";
import { expect, test } from "vitest";
import { answerRoundTrips, collect } from "../support/clients.js";
import { range } from "../support/range.js";
import { RawClient } from "../support/raw-clients.js";
import { fix, startServer } from "../support/subject.js";
import { first, gate, received, rejection, until } from "../support/wait.js";
import { joinOn, joinWire, startWire } from "../support/wire.js";

test("a connection that joins no namespace is closed after connectTimeout (73)", async () => {
  const server = await startServer({ connectTimeout: 50 });
  const client = await RawClient.open(server.port);
  expect((await client.closed).code).toBe(1005);
  expect((await rejection(client.next())).message).toBe("the connection was closed");
  expect(server.io.engine.clientsCount).toBe(0);
});

test("a CONNECT that fails keeps the timer running (73)", async () => {
  const server = await startServer({ connectTimeout: 500 });
  const client = await RawClient.open(server.port);
  client.send("40/unknown");
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  expect((await client.closed).code).toBe(1005);
});

test("the answer to CONNECT carries the id of the socket and nothing else (74)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const client = await RawClient.open(server.port);
  client.send("40");
  const [id] = [...(await nextSockets(server.io.sockets))];
  expect(await client.next()).toBe(`40{"sid":"${id}"}`);
  client.send("40/admin,");
  const [adminId] = [...(await nextSockets(server.io.of("/admin")))];
  expect(await client.next()).toBe(`40/admin,{"sid":"${adminId}"}`);
  expect(adminId).not.toBe(id);
  expect([id, adminId]).not.toContain(client.handshake["sid"]);
});

async function nextSockets(namespace: Namespace): Promise<IterableIterator<string>> {
  await until(() => namespace.sockets.size > 0);
  return namespace.sockets.keys();
}

test("the server says nothing before CONNECT (74)", async () => {
  const server = await startWire();
  const client = await RawClient.open(server.port);
  server.io.emit("event");
  // The CONNECT packet is the first thing after the open packet.
  await client.join();
  expect(await client.roundTrip()).toEqual([]);
});

test("a namespace without its comma is understood in CONNECT (74)", async () => {
  const server = await startWire({}, ["/admin"]);
  const client = await RawClient.open(server.port);
  client.send("40/admin");
  expect(await client.next()).toMatch(/^40\/admin,\{"sid":"[\w-]{20}"\}$/);
});

test("the payload of CONNECT is the auth of the handshake, an empty object without one (75)", async () => {
  const server = await startWire();
  for (const [packet, auth] of [
    ['40{"token":"x","deep":{"list":[1]}}', { token: "x", deep: { list: [1] } }],
    ["40{}", {}],
    ["40", {}],
    ["40/,", {}],
  ] as const) {
    const connected = first<Socket>(server.io, "connection");
    const client = await RawClient.open(server.port);
    client.send(packet);
    expect((await connected).handshake.auth).toEqual(auth);
  }
});

test.each(["40[]", '40["a"]', '40"text"', "40null", "40true", "40{"])(
  "CONNECT with payload %s closes the connection (75)",
  async (packet) => {
    const server = await startServer();
    const client = await RawClient.open(server.port);
    client.send(packet);
    expect((await client.closed).code).toBe(1005);
    expect(server.io.sockets.sockets.size).toBe(0);
  },
);

test("a socket in its middlewares is not connected and not among the sockets (76)", async () => {
  const server = await startWire();
  const states: unknown[] = [];
  server.io.use((socket, next) => {
    states.push(socket.connected, server.io.sockets.sockets.has(socket.id));
    next();
  });
  const { socket } = await joinWire(server);
  states.push(socket.connected, server.io.sockets.sockets.has(socket.id));
  expect(states).toEqual([false, false, true, true]);
});

test("rooms joined in a middleware come before the socket's own (76)", async () => {
  const server = await startWire();
  server.io.use((socket, next) => {
    void socket.join(["b", "a"]);
    next();
  });
  const { socket } = await joinWire(server);
  expect([...socket.rooms]).toEqual(["b", "a", socket.id]);
});

test("what a middleware emits is sent before the CONNECT packet (76)", async () => {
  const server = await startWire();
  server.io.use((socket, next) => {
    socket.emit("early", 1);
    next();
  });
  const client = await RawClient.open(server.port);
  client.send("40");
  expect(await client.next()).toBe('42["early",1]');
  expect(await client.next()).toMatch(/^40\{/);
});

function refuse(data: unknown) {
  return (...[, next]: [Socket, (error: Error) => void]): void => {
    next(Object.assign(new Error("refused"), data === undefined ? {} : { data }));
  };
}

test("an error of a middleware is a CONNECT_ERROR, with data only if it has some (77)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  server.io.use(refuse(undefined));
  server.io.of("/admin").use(refuse({ code: 1, text: "\u2028" }));
  server.io.of("/null").use(refuse(null));
  const client = await RawClient.open(server.port);
  client.send("40");
  expect(await client.next()).toBe('44{"message":"refused"}');
  client.send("40/admin,");
  expect(await client.next()).toBe(
    '44/admin,{"message":"refused","data":{"code":1,"text":"\u2028"}}',
  );
  client.send("40/null,");
  expect(await client.next()).toBe('44/null,{"message":"refused","data":null}');
});

test("a refused socket has left its rooms (77)", async () => {
  const server = await startServer();
  server.io.use((socket, next) => {
    void socket.join("room");
    next(new Error("refused"));
  });
  const client = await RawClient.open(server.port);
  client.send("40");
  await client.next();
  const { adapter } = server.io.sockets;
  expect([adapter.rooms.size, adapter.sids.size]).toEqual([0, 0]);
});

test("an unknown namespace is answered with Invalid namespace (77)", async () => {
  const server = await startServer();
  const client = await RawClient.open(server.port);
  client.send('40/unknown,{"token":"x"}');
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
});

test("CONNECT_ERROR leaves the connection and its other namespaces alone (78)", async () => {
  const server = await startWire();
  server.io.of("/closed").use((...[, next]) => next(new Error("refused")));
  const { client } = await joinWire(server);
  client.send("40/closed,");
  expect(await client.next()).toBe('44/closed,{"message":"refused"}');
  client.send("40/unknown,");
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  expect(await client.roundTrip()).toEqual([]);
});

test("connect fires before connection, both after the CONNECT packet was sent (79)", async () => {
  const server = await startServer();
  const events: string[] = [];
  server.io.on("connection", (socket) => {
    events.push("connection");
    socket.emit("from connection");
  });
  server.io.on("connect", (socket) => {
    events.push("connect");
    socket.emit("from connect");
  });
  const client = await RawClient.open(server.port);
  client.send("40");
  expect(await client.next()).toMatch(/^40\{/);
  expect(await client.next()).toBe('42["from connect"]');
  expect(await client.next()).toBe('42["from connection"]');
  expect(events).toEqual(["connect", "connection"]);
});

fix("a connection handler that throws leaves the socket connected (79)", async () => {
  const server = await startWire();
  server.io.on("connection", () => {
    throw new Error("out of the handler");
  });
  const reported = first<Error>(server.io, "handler_error");
  const { client, socket } = await joinWire(server);
  expect((await reported).message).toBe("out of the handler");
  expect(await client.roundTrip()).toEqual([]);
  expect(socket.connected).toBe(true);
});

fix("two CONNECTs for one namespace during its middlewares make one socket (80)", async () => {
  const server = await startWire();
  const asked: (() => void)[] = [];
  server.io.use((...[, next]) => asked.push(next));
  const client = await RawClient.open(server.port);
  client.send("40");
  client.send("40");
  // The answer of another namespace shows that both have been read.
  client.send("40/unknown");
  expect(await client.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  for (const next of asked) {
    next();
  }
  expect(await client.next()).toMatch(/^40\{/);
  server.io.emit("event");
  expect(await client.roundTrip()).toEqual(['42["event"]']);
  expect(server.io.sockets.sockets.size).toBe(1);
  expect(server.io.sockets.adapter.sids.size).toBe(1);
});

test("a CONNECT for a namespace that was joined closes the connection (80)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const gone = first(socket, "disconnect");
  client.send("40");
  expect(["forced close", "forced server close"]).toContain(await gone);
  expect((await client.closed).code).toBe(1005);
});

fix("a namespace stays while a socket is joining it (81)", async () => {
  const server = await startServer({ cleanupEmptyChildNamespaces: true });
  const held = gate();
  const parent = server.io.of(/^\/child-/);
  parent.use((socket, next) => {
    if (socket.handshake.auth["slow"] === true) {
      void held.opened.then(() => next());
    } else {
      next();
    }
  });
  parent.on("connection", answerRoundTrips);
  const { client: quick, socket } = await joinWire(server, "/child-1");
  const slow = await RawClient.open(server.port);
  slow.send('40/child-1,{"slow":true}');
  await until(() => server.io.of("/child-1")["_preConnectSockets"].size === 1);
  const gone = received(socket, "disconnect");
  quick.send("41/child-1,");
  await gone;
  held.open();
  expect(await slow.next()).toMatch(/^40\/child-1,\{/);
  server.io.of("/child-1").emit("event");
  expect(await slow.roundTrip("/child-1")).toEqual(['42/child-1,["event"]']);
});

test("an empty child namespace is removed if the option says so (81)", async () => {
  const server = await startServer({ cleanupEmptyChildNamespaces: true });
  server.io.of(/^\/child-/);
  const { client, socket } = await joinWire(server, "/child-1");
  const gone = received(socket, "disconnect");
  expect(server.io._nsps.has("/child-1")).toBe(true);
  client.send("41/child-1,");
  await gone;
  expect(server.io._nsps.has("/child-1")).toBe(false);
  await joinOn(client, server.io, "/child-1");
  expect(server.io._nsps.has("/child-1")).toBe(true);
});

test.each(['42/other,["event"]', "41/other,", "43/other,1[]"])(
  "%s for a namespace that was not joined closes all (82)",
  async (packet) => {
    const server = await startWire({}, ["/", "/admin", "/other"]);
    const { client, socket } = await joinWire(server);
    const admin = await joinOn(client, server.io, "/admin");
    const gone = [first(socket, "disconnect"), first(admin, "disconnect")];
    client.send(packet);
    for (const reason of await Promise.all(gone)) {
      expect(["forced close", "forced server close"]).toContain(reason);
    }
    expect((await client.closed).code).toBe(1005);
  },
);

test("an event before any CONNECT closes the connection (82)", async () => {
  const server = await startWire();
  const client = await RawClient.open(server.port);
  client.send('42["event"]');
  expect((await client.closed).code).toBe(1005);
});

test("a namespace function gets name, auth and a callback; the first that allows wins (83)", async () => {
  const server = await startServer();
  const asked: unknown[] = [];
  const decide = (who: string, error: Error | null, allow: boolean) => {
    server.io.of((name, auth, next) => {
      asked.push([who, name, auth]);
      next(error, allow);
    });
  };
  decide("refuses", null, false);
  decide("fails", new Error("no"), true);
  decide("allows", null, true);
  decide("never asked", null, true);
  const client = await RawClient.open(server.port);
  client.send('40/some,{"a":1}');
  expect(await client.next()).toMatch(/^40\/some,\{/);
  expect(asked).toEqual([
    ["refuses", "/some", { a: 1 }],
    ["fails", "/some", { a: 1 }],
    ["allows", "/some", { a: 1 }],
  ]);
});

fix("a RegExp with the g flag admits every namespace that matches (83)", async () => {
  const server = await startServer();
  server.io.of(/^\/child-\d$/g);
  const client = await RawClient.open(server.port);
  for (const number of range(4)) {
    await client.join(`/child-${number}`);
  }
  expect(server.io._nsps.size).toBe(5);
});

test("one client may join many dynamic namespaces by default (84)", async () => {
  const server = await startServer();
  server.io.of(/^\/child-/);
  const client = await RawClient.open(server.port);
  for (const number of range(100)) {
    client.send(`40/child-${number},`);
  }
  for (const number of range(100)) {
    expect(await client.next()).toMatch(new RegExp(`^40/child-${number},\\{`));
  }
  expect(server.io._nsps.size).toBe(101);
});

test("new_namespace tells of static and dynamic namespaces, but not of the main one (85)", async () => {
  const server = await startServer();
  const names: string[] = [];
  server.io.on("new_namespace", (namespace: Namespace) => names.push(namespace.name));
  server.io.of("/");
  server.io.of("/static");
  server.io.of("/static");
  server.io.of(/^\/child-/);
  const client = await RawClient.open(server.port);
  await client.join("/child-1");
  await client.join("/static");
  expect(names).toEqual(["/static", "/child-1"]);
});

test("of() adds the leading slash and calls its function for every connection (86)", async () => {
  const server = await startServer();
  const ids: string[] = [];
  const admin = server.io.of("admin", (socket) => ids.push(socket.id));
  expect(admin === server.io.of("/admin")).toBe(true);
  const { socket } = await joinWire(server, "/admin");
  expect(ids).toEqual([socket.id]);
});

fix("of() calls its function for a name that a RegExp matches (86)", async () => {
  const server = await startServer();
  server.io.of(/^\/child-/);
  const ids: string[] = [];
  server.io.of("/child-1", (socket) => ids.push(socket.id));
  const { socket } = await joinWire(server, "/child-1");
  expect(ids).toEqual([socket.id]);
});

fix("a middleware whose promise is rejected is a CONNECT_ERROR (87)", async () => {
  const server = await startServer();
  server.io.use(() => Promise.reject(new Error("rejected")));
  server.io.of("/throws").use(() => {
    throw Object.assign(new Error("thrown"), { data: { code: 1 } });
  });
  const errors = collect(server.io, "handler_error");
  const client = await RawClient.open(server.port);
  client.send("40");
  expect(await client.next()).toBe('44{"message":"rejected"}');
  client.send("40/throws,");
  expect(await client.next()).toMatch(/^44\/throws,\{"message":"thrown"/);
  expect(errors).toHaveLength(2);
  expect(server.io.sockets["_preConnectSockets"].size).toBe(0);
});

fix("a next() that is called twice connects once (87)", async () => {
  const server = await startWire();
  server.io.use((...[, next]) => {
    next();
    next();
  });
  const { client } = await joinWire(server);
  server.io.emit("event");
  expect(await client.roundTrip()).toEqual(['42["event"]']);
  expect(server.io.sockets.sockets.size).toBe(1);
});
