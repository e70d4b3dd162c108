import { describe, expect, test } from "vitest";
import { collect } from "../support/clients.js";
import { first, received, until } from "../support/wait.js";
import {
  CELLS,
  connect,
  type OldClient,
  pair,
  ready,
  roundTrip,
  socketOf,
  startOld,
} from "./clients.js";

describe.each(CELLS)("$name", (cell) => {
  test("the client knows the id of its socket, and is in the room of that id (Z5)", async () => {
    const server = await startOld();
    const { client, socket } = await pair(server, cell);
    expect(socket.id).toBe(client.io.engine.id);
    expect(client.id).toBe(socket.id);
    const told = first(client, "told");
    server.io.to(socket.id).emit("told", "you");
    expect(await told).toBe("you");
  });

  test("in a namespace, the id has its name before it (Z5)", async () => {
    const server = await startOld();
    server.io.of("/admin");
    const { client, socket } = await pair(server, cell, { nsp: "/admin" });
    expect(socket.id).toBe(`/admin#${client.io.engine.id}`);
    // Clients of version 1 do not put the name before it.
    expect(client.id).toBe(cell.version === 1 ? client.io.engine.id : socket.id);
    expect(server.io.sockets.sockets.size).toBe(1);
  });

  test("the query of a namespace is in handshake.auth (C8, 137)", async (context) => {
    // The query of the URL goes to the namespace since version 1.5.
    context.skip(cell.client === "1.4.8", "this client cannot send a query with a namespace");
    const server = await startOld();
    server.io.of("/admin");
    const { client, socket } = await pair(server, cell, { nsp: "/admin?token=a%20b&x=1" });
    expect({ ...socket.handshake.auth }).toEqual({ token: "a b", x: "1" });
    expect(socket.handshake.query["EIO"]).toBe("3");
    await roundTrip(client);
  });

  test("one connection has several namespaces, of which each has its events", async () => {
    const server = await startOld();
    const { client: main, socket } = await pair(server, cell);
    const others: OldClient[] = [];
    for (const name of ["/a", "/b"]) {
      server.io.of(name);
      others.push(await ready(main.io.socket(name), cell));
    }
    const clients = [main, ...others];
    const sockets = [
      socket,
      ...others.map((each, i) => socketOf(server.io, each, ["/a", "/b"][i])),
    ];
    const seen = clients.map((client) => collect(client, "event"));
    const heard = sockets.map((each) => collect(each, "event"));
    for (const [i, each] of sockets.entries()) each.emit("event", i, Buffer.from([i]));
    for (const [i, each] of clients.entries()) each.emit("event", i, Buffer.from([i]));
    await roundTrip(main);
    const expected = [0, 1, 2].map((i) => [[i, Buffer.from([i])]]);
    await until(() => [...seen, ...heard].every((calls) => calls.length === 1));
    expect(seen).toEqual(expected);
    expect(heard).toEqual(expected);
    expect(server.io.engine.clientsCount).toBe(1);
  });

  test("a namespace can be left and joined again, the others stay", async () => {
    const server = await startOld();
    const { client: main, socket } = await pair(server, cell);
    server.io.of("/other");
    const other = await ready(main.io.socket("/other"), cell);
    const left = first(socketOf(server.io, other, "/other"), "disconnect");
    other.disconnect();
    expect(await left).toBe("client namespace disconnect");
    other.connect();
    await ready(other, cell);
    expect(socketOf(server.io, other, "/other").connected).toBe(true);
    await roundTrip(main);
    expect(socket.connected).toBe(true);
  });

  test("a refusal in the main namespace is the event error (77, Z6)", async () => {
    const server = await startOld();
    server.io.use((_socket, next) => next(new Error("not you")));
    const client = connect(server.port, cell);
    expect(await first(client, "error")).toBe("not you");
    expect(client.connected).toBe(false);
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  test("a refusal in a namespace is told with its data, and the others stay (77, Z6)", async () => {
    const server = await startOld();
    server.io.of("/closed").use((_socket, next) => {
      setImmediate(() => next(Object.assign(new Error("no"), { data: { code: 42 } })));
    });
    const { client: main } = await pair(server, cell);
    const refused = main.io.socket("/closed");
    expect(await first(refused, "error")).toEqual({ code: 42 });
    expect(refused.connected).toBe(false);
    await roundTrip(main);
    expect(main.connected).toBe(true);
  });

  test("an unknown namespace is refused (77)", async () => {
    const server = await startOld();
    const client = connect(server.port, cell, { nsp: "/unknown" });
    expect(await first(client, "error")).toEqual({ message: "Invalid namespace" });
  });

  test("a namespace that a pattern admits is made (137)", async () => {
    const server = await startOld();
    server.io.of(/^\/room-\d+$/).on("connection", (socket) => {
      socket.emit("welcome", socket.nsp.name);
    });
    const client = connect(server.port, cell, { nsp: "/room-12" });
    const [[name]] = await Promise.all([received(client, "welcome"), received(client, "connect")]);
    expect(name).toBe("/room-12");
  });
});
