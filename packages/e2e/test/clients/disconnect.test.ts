import { describe, expect, test } from "vitest";
import { CELLS, connect, pair, ready, roundTrip } from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { startServer } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";

describe.each(CELLS)("$name", (cell) => {
  test("client.disconnect() is a client namespace disconnect", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = first(socket, "disconnect");
    const onClient = first(client, "disconnect");
    client.disconnect();
    expect(await onServer).toBe("client namespace disconnect");
    expect(await onClient).toBe("io client disconnect");
    expect([socket.connected, socket.disconnected, client.connected]).toEqual([false, true, false]);
  });

  test("socket.disconnect() is a server namespace disconnect", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = first(socket, "disconnect");
    const onClient = first(client, "disconnect");
    socket.disconnect();
    expect(await onServer).toBe("server namespace disconnect");
    expect(await onClient).toBe("io server disconnect");
    expect(socket.connected).toBe(false);
  });

  test("socket.disconnect(true) ends every namespace and the connection", async () => {
    const server = await startServer();
    server.io.of("/other");
    const { client: main, socket } = await pair(server, cell);
    const other = main.io.socket("/other");
    await received(other, "connect");
    const otherSocket = server.io.of("/other").sockets.get(other.id ?? "");
    if (otherSocket === undefined) {
      throw new Error("the socket of the other namespace was expected");
    }
    const onServer = [socket, otherSocket].map((each) => first(each, "disconnect"));
    const onClient = [main, other].map((each) => first(each, "disconnect"));
    const closed = received(main.io, "close");
    socket.disconnect(true);
    expect(await Promise.all(onServer)).toEqual([
      "server namespace disconnect",
      "server namespace disconnect",
    ]);
    expect(await Promise.all(onClient)).toEqual(["io server disconnect", "io server disconnect"]);
    await closed;
    await until(() => server.io.engine.clientsCount === 0);
  });

  test("a client that closes its connection is a transport close", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await roundTrip(client);
    const onServer = first(socket, "disconnect");
    client.io.engine.close();
    expect(await onServer).toBe("transport close");
  });

  test("a connection that the server closes is a forced close", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await roundTrip(client);
    const onServer = first(socket, "disconnect");
    const onClient = first(client, "disconnect");
    socket.conn.close();
    // "forced server close" is for closing that has to wait for a poll.
    expect(["forced close", "forced server close"]).toContain(await onServer);
    expect(await onClient).toBe("transport close");
  });

  test("a heartbeat keeps an idle connection", async () => {
    const server = await startServer({ pingInterval: 20, pingTimeout: 5000 });
    const { client, socket } = await pair(server, cell);
    for (let beat = 0; beat < 3; beat++) {
      await received(socket.conn, "heartbeat");
    }
    expect(client.connected).toBe(true);
    await roundTrip(client);
  });

  test("io.close() is a server shutting down", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    await roundTrip(client);
    const onServer = first(socket, "disconnect");
    const onClient = first(client, "disconnect");
    const closed = server.close();
    expect(await onServer).toBe("server shutting down");
    expect(["transport close", "transport error"]).toContain(await onClient);
    await closed;
  });

  test("disconnecting still shows the rooms, disconnect no longer", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await socket.join(["a", "b"]);
    const states: unknown[] = [];
    const note = (reason: string): void => {
      states.push([reason, socket.connected, [...socket.rooms].toSorted().length]);
    };
    socket.on("disconnecting", note);
    socket.on("disconnect", note);
    const gone = received(socket, "disconnect");
    client.disconnect();
    await gone;
    expect(states).toEqual([
      ["client namespace disconnect", true, 3],
      ["client namespace disconnect", false, 0],
    ]);
  });

  test("a client that never joins a namespace is closed after connectTimeout", async () => {
    const server = await startServer({ connectTimeout: 150 });
    // Never calls next().
    server.io.use(() => undefined);
    const client = connect(server.port, cell);
    const [reason] = await received(client.io, "close");
    expect(reason).toBe("transport close");
    expect(client.connected).toBe(false);
    expect(server.io.engine.clientsCount).toBe(0);
  });

  test("emits after the disconnection are dropped quietly", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const gone = received(socket, "disconnect");
    client.disconnect();
    await gone;
    expect(socket.emit("event", 1)).toBe(true);
    expect(socket.rooms.size).toBe(0);
    await socket.join("room");
    expect(socket.rooms.size).toBe(0);
  });

  test("a client comes and goes many times without a trace on the server", async () => {
    const server = await startServer();
    const client = await ready(connect(server.port, cell), cell);
    for (let turn = 0; turn < 5; turn++) {
      const socket = server.io.sockets.sockets.get(client.id ?? "");
      if (socket === undefined) {
        throw new Error("the server has no socket with the id of the client");
      }
      const gone = [received(socket, "disconnect"), received(client.io, "close")];
      client.disconnect();
      await Promise.all(gone);
      client.connect();
      await ready(client, cell);
    }
    expect(server.io.sockets.sockets.size).toBe(1);
    expect(server.io.sockets.adapter.sids.size).toBe(1);
    expect(server.io.sockets.adapter.rooms.size).toBe(1);
  });
});

test("connectTimeout does not touch a client that joined", async () => {
  await Promise.all(
    CELLS.map(async (cell) => {
      const server = await startServer({ connectTimeout: 2000 });
      // Never calls next().
      server.io.of("/stuck").use(() => undefined);
      const { client } = await pair(server, cell);
      const stuck = connect(server.port, cell, { nsp: "/stuck" });
      // The timer of the first client was started before the one that ends here.
      await received(stuck.io, "close");
      await roundTrip(client);
      expect(client.connected).toBe(true);
    }),
  );
});

test("a network that stops carrying anything is a ping timeout on both sides", async () => {
  await Promise.all(
    CELLS.map(async (cell) => {
      const server = await startServer({ pingInterval: 300, pingTimeout: 500 });
      const proxy = await startProxy(server.port);
      const { client, socket } = await pair({ io: server.io, port: proxy.port }, cell);
      const reasons = [first(socket, "disconnect"), first(client, "disconnect")];
      proxy.stall();
      expect([cell.name, ...(await Promise.all(reasons))]).toEqual([
        cell.name,
        "ping timeout",
        "ping timeout",
      ]);
    }),
  );
});
