// Section 1.2: what the options of a server do that the tests of its methods do not show.
import type { ServerOptions } from "socket.io";
import { expect, test } from "vitest";
import { connect, ready } from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { startServer, SubjectServer } from "../support/subject.js";
import { until } from "../support/wait.js";
import { hidden, join, WEBSOCKET } from "./support.js";

test("a parser of the application makes and reads every packet (O4)", async () => {
  const parser = (await import("socket.io-msgpack-parser")) as unknown as ServerOptions["parser"];
  const server = await startServer({ parser });
  const { client, socket } = await join(server, { parser });
  const heard = new Promise((resolve) => socket.once("news", resolve));
  client.emit("news", { nested: [1, Buffer.from("a")] });
  expect(await heard).toEqual({ nested: [1, Buffer.from("a")] });
  const raw = await RawClient.open(server.port);
  raw.send("40");
  await raw.closed;
});

test("recovery has its defaults, and takes other values (O6)", () => {
  const optionOf = (options: Partial<ServerOptions>): unknown =>
    hidden(hidden(new SubjectServer(options), "opts") as object, "connectionStateRecovery");
  expect(optionOf({})).toBeUndefined();
  expect(optionOf({ connectionStateRecovery: {} })).toMatchObject({
    maxDisconnectionDuration: 120_000,
    skipMiddlewares: true,
  });
  expect(
    optionOf({
      connectionStateRecovery: { maxDisconnectionDuration: 5, skipMiddlewares: false },
    }),
  ).toMatchObject({ maxDisconnectionDuration: 5, skipMiddlewares: false });
});

test("with recovery a client whose connection breaks comes back as the same socket (O6, K2)", async () => {
  const server = await startServer({ connectionStateRecovery: {} });
  const client = await ready(connect(server.port, WEBSOCKET, { reconnection: true }), WEBSOCKET);
  const { id } = client;
  const [socket] = server.io.sockets.sockets.values();
  Object.assign(socket?.data as object, { user: "ada" });
  await socket?.join("room");
  // Clients learn the offset with the first event.
  const heard = new Promise((resolve) => client.once("news", resolve));
  server.io.emit("news", 1);
  await heard;
  client.io.engine.close();
  await until(() => !client.connected);
  server.io.to("room").emit("missed", 2);
  const missed = new Promise((resolve) => client.once("missed", resolve));
  await until(() => client.connected);
  expect(await missed).toBe(2);
  expect([client.recovered, client.id]).toEqual([true, id]);
  const back = server.io.sockets.sockets.get(id ?? "");
  expect([back?.recovered, back?.data]).toEqual([true, { user: "ada" }]);
  expect(back?.rooms).toEqual(new Set([id, "room"]));
});
