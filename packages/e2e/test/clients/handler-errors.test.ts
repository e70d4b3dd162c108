// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { describe, expect } from "vitest";
import { CELLS, pair, roundTrip } from "../support/clients.js";
import { fix, startServer } from "../support/subject.js";
import { received } from "../support/wait.js";

type Fault = () => unknown;

const FAULTS: readonly [string, Fault][] = [
  [
    "throws",
    () => {
      throw new Error("out of the handler");
    },
  ],
  ["rejects", () => Promise.reject(new Error("out of the handler"))],
];

describe.each(CELLS)("$name", (cell) => {
  for (const [how, fault] of FAULTS) {
    fix(`an event handler that ${how} is reported, and harms nobody`, async () => {
      const server = await startServer();
      const { client, socket } = await pair(server, cell);
      const { client: other } = await pair(server, cell);
      socket.on("event", fault);
      const reported = received(server.io, "handler_error");
      client.emit("event", 1);
      const [error, context] = await reported;
      expect((error as Error).message).toBe("out of the handler");
      expect(context).toBeTypeOf("object");
      await roundTrip(client);
      await roundTrip(other);
      expect(socket.connected).toBe(true);
    });

    fix(`a connection handler that ${how} is reported, and harms nobody`, async () => {
      const server = await startServer();
      const { client: other } = await pair(server, cell);
      server.io.on("connection", fault);
      const reported = received(server.io, "handler_error");
      const { client } = await pair(server, cell);
      const [error] = await reported;
      expect((error as Error).message).toBe("out of the handler");
      await roundTrip(client);
      await roundTrip(other);
    });

    fix(`a disconnect handler that ${how} is reported, and the socket is gone`, async () => {
      const server = await startServer();
      const { client, socket } = await pair(server, cell);
      const { client: other } = await pair(server, cell);
      socket.on("disconnecting", fault);
      const gone = received(socket, "disconnect");
      const reported = received(server.io, "handler_error");
      client.disconnect();
      const [error] = await reported;
      expect((error as Error).message).toBe("out of the handler");
      await gone;
      await roundTrip(other);
      expect(server.io.sockets.sockets.size).toBe(1);
      expect(server.io.sockets.adapter.sids.size).toBe(1);
    });
  }
});
