import { describe, expect, test } from "vitest";
import { answerRoundTrips, CELLS, collect, connect, ready, roundTrip } from "../support/clients.js";
import { range } from "../support/range.js";
import { startServer } from "../support/subject.js";
import { received, until } from "../support/wait.js";

describe.each(CELLS)("$name", (cell) => {
  test("200 clients connect at once, get what is theirs, and leave nothing behind", async () => {
    const server = await startServer();
    const { io } = server;
    io.on("connection", (socket) => {
      answerRoundTrips(socket);
      void socket.join(socket.handshake.auth["room"] as string);
      socket.on("echo", (value: unknown, acknowledge: (value: unknown) => void) => {
        acknowledge(value);
      });
    });
    const clients = range(200).map((number) =>
      connect(server.port, cell, { auth: { room: `room ${number % 10}` } }),
    );
    await Promise.all(clients.map((client) => ready(client, cell)));
    expect(io.engine.clientsCount).toBe(200);
    expect(new Set(clients.map((client) => client.id)).size).toBe(200);

    const seen = clients.map((client) => collect(client, "event"));
    io.emit("event", "all");
    for (const number of range(10)) {
      io.to(`room ${number}`).emit("event", number);
    }
    const echoes = await Promise.all(
      clients.map(
        (client, number) =>
          new Promise((resolve) => {
            client.emit("echo", number, resolve);
          }),
      ),
    );
    await Promise.all(clients.map((client) => roundTrip(client)));
    expect(echoes).toEqual(range(200));
    expect(seen).toEqual(range(200).map((number) => [["all"], [number % 10]]));

    const gone = clients.map((client) => received(client, "disconnect"));
    for (const [number, client] of clients.entries()) {
      if (number % 2 === 0) {
        client.disconnect();
      } else {
        client.io.engine.close();
      }
    }
    await Promise.all(gone);
    await until(() => io.engine.clientsCount === 0);
    expect(io.sockets.sockets.size).toBe(0);
    expect(io.sockets.adapter.rooms.size).toBe(0);
    expect(io.sockets.adapter.sids.size).toBe(0);
  });
});
