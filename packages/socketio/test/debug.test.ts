import createDebug from "debug";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { io as connect } from "socket.io-client";
import { expect, onTestFinished, test } from "vitest";
import { Server } from "../src/index.js";

test("DEBUG=engine*,socket.io* shows what happens, under the scopes that are known (D1)", async () => {
  const scopes = new Set<string>();
  const { log } = createDebug;
  createDebug.log = (line: string) => {
    for (const [scope] of line.matchAll(/\b(?:engine|socket\.io)[:\w-]*/g)) scopes.add(scope);
  };
  createDebug.enable("engine*,socket.io*");
  onTestFinished(() => {
    createDebug.disable();
    createDebug.log = log;
  });
  const httpServer = createServer();
  const io = new Server(httpServer);
  onTestFinished(() => io.close());
  io.of(/^\/child/);
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  // One cast: a server that listens on a port has an address.
  const { port } = httpServer.address() as AddressInfo;
  const options = { reconnection: false, transports: ["websocket"] };
  const client = connect(`http://127.0.0.1:${port}/child`, options);
  await new Promise<void>((resolve) => client.once("connect", resolve));
  const closed = new Promise((resolve) => {
    io.of("/child")
      .sockets.get(client.id ?? "")
      ?.conn.on("close", resolve);
  });
  // One cast: what applications see of an engine does not say which one it is.
  const { clients } = io.engine as unknown as { clients: Record<string, { destroy(): void }> };
  for (const session of Object.values(clients)) session.destroy();
  await closed;
  expect([...scopes]).toEqual(
    expect.arrayContaining([
      "engine",
      "engine:socket",
      "engine:transport",
      "engine:ws",
      "socket.io:server",
      "socket.io:client",
      "socket.io:socket",
      "socket.io:parent-namespace",
    ]),
  );
});
