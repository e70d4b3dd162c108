import { describe, expect, test } from "vitest";
import {
  answerRoundTrips,
  CELLS,
  collect,
  connect,
  pair,
  ready,
  roundTrip,
} from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { closeHttp, listenOn, startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

const RECONNECTING = { reconnection: true };

describe.each(CELLS)("$name", (cell) => {
  test("a client whose transport the server closes comes back with a new id", async () => {
    const server = await startServer();
    server.io.on("connection", answerRoundTrips);
    const { client, socket } = await pair(server, cell, RECONNECTING);
    const gone = received(client, "disconnect");
    socket.conn.close();
    await gone;
    await ready(client, cell);
    expect(client.id).not.toBe(socket.id);
    await roundTrip(client);
    expect([...server.io.sockets.sockets.keys()]).toEqual([client.id]);
  });

  test("a client whose network is cut comes back", async () => {
    const server = await startServer();
    server.io.on("connection", answerRoundTrips);
    const proxy = await startProxy(server.port);
    const { client } = await pair({ io: server.io, port: proxy.port }, cell, RECONNECTING);
    const gone = received(client, "disconnect");
    proxy.cut();
    await gone;
    proxy.mend();
    await ready(client, cell);
    await roundTrip(client);
    expect(client.connected).toBe(true);
  });

  test("a client comes back after the server was restarted on its port", async () => {
    const before = await startServer();
    const { client } = await pair(before, cell, RECONNECTING);
    const gone = received(client, "disconnect");
    await before.close();
    await gone;
    const after = await startServer({ port: before.port });
    after.io.on("connection", answerRoundTrips);
    await ready(client, cell);
    await roundTrip(client);
    expect([...after.io.sockets.sockets.keys()]).toEqual([client.id]);
  });

  test("an http server that is closed and listens again takes clients of every transport", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const gone = received(socket, "disconnect");
    client.disconnect();
    await gone;
    const closed = closeHttp(server.httpServer);
    server.httpServer.closeAllConnections();
    await closed;
    await listenOn(server.httpServer, server.port);
    const { client: again } = await pair(server, cell);
    await roundTrip(again);
    expect(server.io.engine.clientsCount).toBe(1);
  });

  test("what the client emits while disconnected arrives after the reconnection, in order", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell, RECONNECTING);
    const arrived: unknown[] = [];
    server.io.on("connection", (next) => {
      next.on("event", (value: number) => arrived.push(value));
      answerRoundTrips(next);
    });
    const gone = received(client, "disconnect");
    socket.conn.close();
    await gone;
    for (const value of [1, 2, 3]) {
      client.emit("event", value);
    }
    await ready(client, cell);
    await roundTrip(client);
    expect(arrived).toEqual([1, 2, 3]);
  });

  test("a client that the server disconnected stays away until it connects again", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell, RECONNECTING);
    const connections = collect(server.io, "connection");
    const gone = received(client, "disconnect");
    socket.disconnect();
    await gone;
    const { client: other } = await pair(server, cell);
    await roundTrip(other);
    expect(connections).toHaveLength(1);
    expect(client.connected).toBe(false);
    client.connect();
    await ready(client, cell);
    expect(connections).toHaveLength(2);
  });

  test("a client that starts before its server gets there", async () => {
    const placeholder = await startServer();
    await placeholder.close();
    const client = connect(placeholder.port, cell, RECONNECTING);
    await received(client, "connect_error");
    const server = await startServer({ port: placeholder.port });
    await ready(client, cell);
    expect(server.io.sockets.sockets.size).toBe(1);
  });

  test("several namespaces of one client come back together", async () => {
    const server = await startServer();
    const rejoined: string[] = [];
    server.io.of("/other").on("connection", () => rejoined.push("/other"));
    server.io.on("connection", () => rejoined.push("/"));
    const { client: main, socket } = await pair(server, cell, RECONNECTING);
    const other = main.io.socket("/other");
    await received(other, "connect");
    rejoined.length = 0;
    socket.conn.close();
    await until(() => rejoined.length === 2);
    await Promise.all([ready(main, cell), ready(other, cell)]);
    expect(rejoined.toSorted((one, two) => one.length - two.length)).toEqual(["/", "/other"]);
    expect(server.io.engine.clientsCount).toBe(1);
  });
});
