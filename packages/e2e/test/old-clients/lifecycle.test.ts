// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { describe, expect, test } from "vitest";
import { answerRoundTrips } from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { fix } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";
import { CELLS, pair, ready, roundTrip, socketOf, startOld } from "./clients.js";

const RECONNECTING = { reconnection: true };

describe.each(CELLS)("$name", (cell) => {
  test("a client that leaves is a client namespace disconnect", async () => {
    const server = await startOld();
    const { client, socket } = await pair(server, cell);
    const [onServer, onClient] = [first(socket, "disconnect"), first(client, "disconnect")];
    client.disconnect();
    expect(await onServer).toBe("client namespace disconnect");
    expect(await onClient).toBe("io client disconnect");
    await until(() => server.io.engine.clientsCount === 0);
  });

  test("socket.disconnect() is a server namespace disconnect", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    const [onServer, onClient] = [first(socket, "disconnect"), first(client, "disconnect")];
    socket.disconnect();
    expect(await onServer).toBe("server namespace disconnect");
    expect(await onClient).toBe("io server disconnect");
  });

  test("socket.disconnect(true) ends every namespace and the connection", async () => {
    const server = await startOld();
    server.io.of("/other");
    const { client: main, socket } = await pair(server, cell);
    const other = await ready(main.io.socket("/other"), cell);
    const onServer = [socket, socketOf(server.io, other, "/other")].map((each) =>
      first(each, "disconnect"),
    );
    const onClient = [main, other].map((each) => first(each, "disconnect"));
    socket.disconnect(true);
    expect(await Promise.all(onServer)).toEqual([
      "server namespace disconnect",
      "server namespace disconnect",
    ]);
    expect(await Promise.all(onClient)).toEqual(["io server disconnect", "io server disconnect"]);
    await until(() => server.io.engine.clientsCount === 0);
  });

  test("a client that closes its connection is a transport close", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    await roundTrip(client);
    const onServer = first(socket, "disconnect");
    client.io.engine.close();
    expect(await onServer).toBe("transport close");
  });

  test("a connection that the server closes is a forced close", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    await roundTrip(client);
    const [onServer, onClient] = [first(socket, "disconnect"), first(client, "disconnect")];
    socket.conn.close();
    expect(["forced close", "forced server close"]).toContain(await onServer);
    expect(await onClient).toBe("transport close");
  });

  fix("a client that falls silent is a ping timeout (138)", async () => {
    const server = await startOld({ pingInterval: 50, pingTimeout: 100 });
    const proxy = await startProxy(server.port);
    const { socket } = await pair({ io: server.io, port: proxy.port }, cell);
    const gone = first(socket, "disconnect");
    proxy.stall();
    expect(await gone).toBe("ping timeout");
  });

  test("heartbeats keep an idle connection", async () => {
    const { client, socket } = await pair(
      await startOld({ pingInterval: 20, pingTimeout: 5000 }),
      cell,
    );
    for (let beat = 0; beat < 3; beat++) await received(socket.conn, "heartbeat");
    await roundTrip(client);
    expect(client.connected).toBe(true);
  });

  test("io.close() is a server shutting down", async () => {
    const server = await startOld();
    const { client, socket } = await pair(server, cell);
    await roundTrip(client);
    const [onServer, onClient] = [first(socket, "disconnect"), first(client, "disconnect")];
    await server.close();
    expect(await onServer).toBe("server shutting down");
    expect(["transport close", "transport error"]).toContain(await onClient);
  });

  test("a client whose connection the server closes comes back to its namespaces", async () => {
    const server = await startOld();
    for (const name of ["/", "/other"]) server.io.of(name).on("connection", answerRoundTrips);
    const { client: main, socket } = await pair(server, cell, RECONNECTING);
    const other = await ready(main.io.socket("/other"), cell);
    const gone = [main, other].map((each) => first(each, "disconnect"));
    socket.conn.close();
    expect(await Promise.all(gone)).toEqual(["transport close", "transport close"]);
    await Promise.all([main, other].map((each) => ready(each, cell)));
    await Promise.all([roundTrip(main), roundTrip(other)]);
    expect(main.id).not.toBe(socket.id);
    expect([...server.io.sockets.sockets.keys()]).toEqual([main.io.engine.id]);
    expect([...server.io.of("/other").sockets.keys()]).toEqual([`/other#${main.io.engine.id}`]);
  });

  test("a client whose network is cut comes back, and what it emitted meanwhile arrives", async () => {
    const server = await startOld();
    const arrived: unknown[] = [];
    server.io.on("connection", (socket) => {
      answerRoundTrips(socket);
      socket.on("event", (value: unknown) => arrived.push(value));
    });
    const proxy = await startProxy(server.port);
    const { client } = await pair({ io: server.io, port: proxy.port }, cell, RECONNECTING);
    const gone = received(client, "disconnect");
    proxy.cut();
    await gone;
    client.emit("event", 1);
    client.emit("event", Buffer.from([2]));
    proxy.mend();
    await ready(client, cell);
    await roundTrip(client);
    expect(arrived).toEqual([1, Buffer.from([2])]);
  });
});
