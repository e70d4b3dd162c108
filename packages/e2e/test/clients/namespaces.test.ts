import type { Namespace, Socket as ServerSocket } from "socket.io";
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
import { startServer } from "../support/subject.js";
import { first, received } from "../support/wait.js";

describe.each(CELLS)("$name", (cell) => {
  test("namespaces share one connection and keep their events apart", async () => {
    const server = await startServer();
    server.io.of("/one").on("connection", answerRoundTrips);
    server.io.of("two").on("connection", answerRoundTrips);
    const { client: main, socket } = await pair(server, cell);
    const one = main.io.socket("/one");
    const two = main.io.socket("/two");
    await Promise.all([received(one, "connect"), received(two, "connect")]);
    const seen = [main, one, two].map((client) => collect(client, "event"));
    server.io.of("/one").emit("event", "for one");
    server.io.of("/two").emit("event", "for two");
    server.io.emit("event", "for main");
    await Promise.all([main, one, two].map((client) => roundTrip(client)));
    expect(seen).toEqual([[["for main"]], [["for one"]], [["for two"]]]);
    expect(server.io.engine.clientsCount).toBe(1);
    // Not toBe() on the sessions: printing them takes for ever.
    expect(server.io.of("/one").sockets.get(one.id ?? "")?.conn === socket.conn).toBe(true);
    expect(new Set([main.id, one.id, two.id]).size).toBe(3);
  });

  test("leaving one namespace keeps the others", async () => {
    const server = await startServer();
    server.io.of("/one").on("connection", answerRoundTrips);
    const { client: main, socket } = await pair(server, cell);
    const one = main.io.socket("/one");
    await received(one, "connect");
    const left = received(
      server.io.of("/one").sockets.get(one.id ?? "") as ServerSocket,
      "disconnect",
    );
    one.disconnect();
    expect(await left).toEqual(["client namespace disconnect", undefined]);
    await roundTrip(main);
    expect(socket.connected).toBe(true);
    expect(server.io.of("/one").sockets.size).toBe(0);
  });

  test("an unknown namespace is refused", async () => {
    const server = await startServer();
    const client = connect(server.port, cell, { nsp: "/unknown" });
    const error = await first<Error>(client, "connect_error");
    expect(error.message).toBe("Invalid namespace");
    expect(client.connected).toBe(false);
  });

  test("a RegExp makes namespaces on demand", async () => {
    const server = await startServer();
    const names: string[] = [];
    server.io.on("new_namespace", (namespace: Namespace) => names.push(namespace.name));
    const parent = server.io.of(/^\/dynamic-\d+$/);
    const sockets: ServerSocket[] = [];
    parent.on("connection", (socket) => {
      sockets.push(socket);
      answerRoundTrips(socket);
    });
    const [one, two, refused] = ["/dynamic-1", "/dynamic-22", "/dynamic-x"].map((nsp) =>
      connect(server.port, cell, { nsp }),
    );
    if (one === undefined || two === undefined || refused === undefined) {
      throw new Error("three clients were expected");
    }
    const error = first<Error>(refused, "connect_error");
    await Promise.all([ready(one, cell), ready(two, cell)]);
    expect((await error).message).toBe("Invalid namespace");
    expect(names.sort()).toEqual(["/dynamic-1", "/dynamic-22"]);
    expect(sockets.map((socket) => socket.nsp.name).sort()).toEqual(["/dynamic-1", "/dynamic-22"]);

    const seen = [collect(one, "event"), collect(two, "event")];
    server.io.of("/dynamic-1").emit("event", "one");
    parent.emit("event", "all");
    await Promise.all([roundTrip(one), roundTrip(two)]);
    expect(seen).toEqual([[["one"], ["all"]], [["all"]]]);
  });

  test("a function decides about a namespace by its name and the auth", async () => {
    const server = await startServer();
    const asked: unknown[] = [];
    server.io
      .of((name, auth, next) => {
        asked.push([name, auth]);
        next(null, auth["key"] === "right");
      })
      .on("connection", answerRoundTrips);
    const right = connect(server.port, cell, { nsp: "/tenant", auth: { key: "right" } });
    await ready(right, cell);
    await roundTrip(right);
    const wrong = connect(server.port, cell, { nsp: "/other", auth: { key: "wrong" } });
    expect((await first<Error>(wrong, "connect_error")).message).toBe("Invalid namespace");
    expect(asked).toEqual([
      ["/tenant", { key: "right" }],
      ["/other", { key: "wrong" }],
    ]);
  });

  test("a middleware of the parent runs for the namespaces it makes", async () => {
    const server = await startServer();
    server.io.of(/^\/guarded-/).use((socket, next) => {
      next(socket.handshake.auth["key"] === "right" ? undefined : new Error("wrong key"));
    });
    const wrong = connect(server.port, cell, { nsp: "/guarded-1", auth: { key: "wrong" } });
    expect((await first<Error>(wrong, "connect_error")).message).toBe("wrong key");
    const right = connect(server.port, cell, { nsp: "/guarded-2", auth: { key: "right" } });
    await ready(right, cell);
    expect(server.io.of("/guarded-2").sockets.size).toBe(1);
  });

  test("auth, query and headers reach the handshake", async () => {
    const server = await startServer();
    const { socket } = await pair(server, cell, {
      auth: { token: "secret", nested: { list: [1] } },
      query: { room: "a b", page: "1" },
      extraHeaders: { "x-custom": "value" },
    });
    const { handshake } = socket;
    expect(handshake.auth).toEqual({ token: "secret", nested: { list: [1] } });
    expect(handshake.query).toMatchObject({ room: "a b", page: "1", EIO: "4" });
    expect(handshake.headers["x-custom"]).toBe("value");
    expect(handshake.address).toMatch(/127\.0\.0\.1$/);
    expect(handshake.url).toMatch(/^\/socket\.io\//);
    expect(handshake.secure).toBe(false);
    expect(handshake.xdomain).toBe(false);
    expect(typeof handshake.time).toBe("string");
    expect(typeof handshake.issued).toBe("number");
    expect(socket.request.headers["x-custom"]).toBe("value");
  });

  test("auth may come from a function and defaults to an empty object", async () => {
    const server = await startServer();
    const { socket: withFunction } = await pair(server, cell, {
      auth: (give) => give({ token: "computed" }),
    });
    expect(withFunction.handshake.auth).toEqual({ token: "computed" });
    const { socket: without } = await pair(server, cell);
    expect(without.handshake.auth).toEqual({});
  });

  test("the server finds the session of the client behind its socket", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    await roundTrip(client);
    const session = socket.conn as unknown as { id: string };
    const engine = client.io.engine as unknown as { id: string; transport: { name: string } };
    expect(session.id).toBe(engine.id);
    expect(socket.conn.protocol).toBe(4);
    expect(socket.conn.transport.name).toBe(engine.transport.name);
    expect(socket.id).not.toBe(engine.id);
    expect(socket.id).toMatch(/^[\w-]{20}$/);
  });
});
