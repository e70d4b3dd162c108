import type { IncomingMessage } from "node:http";
import type { ExtendedError } from "socket.io";
import { describe, expect, test } from "vitest";
import { CELLS, collect, connect, pair, ready, roundTrip } from "../support/clients.js";
import { startServer } from "../support/subject.js";
import { first, received } from "../support/wait.js";

interface Refusal extends Error {
  readonly data: unknown;
}

describe.each(CELLS)("$name", (cell) => {
  test("an error of a middleware reaches the client with its data", async () => {
    const server = await startServer();
    server.io.use((...[, next]) => {
      const error: ExtendedError = new Error("not authorized");
      error.data = { code: 42, list: ["a"] };
      next(error);
    });
    const client = connect(server.port, cell);
    const error = await first<Refusal>(client, "connect_error");
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe("not authorized");
    expect(error.data).toEqual({ code: 42, list: ["a"] });
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  test("an error without data arrives without data", async () => {
    const server = await startServer();
    server.io.use((...[, next]) => next(new Error("no")));
    const error = await first<Refusal>(connect(server.port, cell), "connect_error");
    expect(error.message).toBe("no");
    expect(error.data).toBeUndefined();
  });

  test("middlewares run in order, may take their time, and the first error ends the chain", async () => {
    const server = await startServer();
    const ran: string[] = [];
    server.io.use((socket, next) => {
      ran.push("first");
      socket.data.user = "somebody";
      setImmediate(next);
    });
    server.io.use((socket, next) => {
      ran.push(`second, ${String(socket.data.user)}`);
      next(socket.handshake.auth["refuse"] === true ? new Error("refused") : undefined);
    });
    server.io.use((...[, next]) => {
      ran.push("third");
      next();
    });
    const { socket } = await pair(server, cell);
    expect(ran).toEqual(["first", "second, somebody", "third"]);
    expect(socket.data).toEqual({ user: "somebody" });
    const refused = connect(server.port, cell, { auth: { refuse: true } });
    await received(refused, "connect_error");
    expect(ran.slice(3)).toEqual(["first", "second, somebody"]);
  });

  test("a refused client may try again on the same connection", async () => {
    const server = await startServer();
    server.io.use((socket, next) => {
      next(socket.handshake.auth["token"] === "good" ? undefined : new Error("bad token"));
    });
    const client = connect(server.port, cell, { auth: { token: "bad" } });
    expect((await first<Error>(client, "connect_error")).message).toBe("bad token");
    client.auth = { token: "good" };
    client.connect();
    await ready(client, cell);
    expect(server.io.engine.clientsCount).toBe(1);
  });

  test("a socket middleware sees every event and may change it", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const seen: unknown[][] = [];
    socket.use((event, next) => {
      seen.push([...event].filter((part) => typeof part !== "function"));
      if (event[0] === "count") {
        event[1] += 1;
      }
      next();
    });
    const counts = collect(socket, "count");
    client.emit("count", 1);
    client.emit("count", 10);
    await roundTrip(client);
    expect(counts).toEqual([[2], [11]]);
    expect(seen).toEqual([["count", 1], ["count", 10], ["round trip"]]);
  });

  test("an error of a socket middleware drops the event and goes to the error event", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const errors = collect(socket, "error");
    const events = collect(socket, "event");
    const onClient = collect(client, "error");
    socket.use(([, value], next) => next(value === "bad" ? new Error("dropped") : undefined));
    client.emit("event", "good");
    client.emit("event", "bad");
    client.emit("event", "good again");
    await roundTrip(client);
    expect(events).toEqual([["good"], ["good again"]]);
    expect(errors.map(([error]) => (error as Error).message)).toEqual(["dropped"]);
    expect(onClient).toEqual([]);
    expect(socket.connected).toBe(true);
  });

  test("a middleware of the engine sees the requests of the client", async () => {
    const server = await startServer();
    const headers: unknown[] = [];
    server.io.engine.use((request: IncomingMessage, ...[, next]: [unknown, () => void]) => {
      headers.push(request.headers["x-custom"]);
      next();
    });
    await pair(server, cell, { extraHeaders: { "x-custom": "value" } });
    expect(new Set(headers)).toEqual(new Set(["value"]));
  });

  test("allowRequest may refuse the connection", async () => {
    const server = await startServer({
      allowRequest: (request, decide) => decide("not today", request.headers["x-key"] === "right"),
    });
    const refused = connect(server.port, cell);
    expect(await first<Error>(refused, "connect_error")).toBeInstanceOf(Error);
    expect(server.io.engine.clientsCount).toBe(0);
    const allowed = connect(server.port, cell, { extraHeaders: { "x-key": "right" } });
    await ready(allowed, cell);
  });
});
