import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { attach, listen } from "../src/listen.js";
import type { Server } from "../src/server.js";

/** Where the HTTP server of an engine is reached, once it listens. */
async function urlOf(engine: Server): Promise<string> {
  // One cast: `listen` makes servers of HTTP/1.
  const httpServer = engine.httpServer as HttpServer;
  onTestFinished(() => {
    engine.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });
  if (!httpServer.listening) await once(httpServer, "listening");
  // One cast: a server that listens on a port has an address.
  return `http://localhost:${(httpServer.address() as AddressInfo).port}`;
}

test("an engine of listen answers everything but its own path with 501 (X8)", async () => {
  const url = await urlOf(listen(0));
  const response = await fetch(`${url}/other`);
  expect(response.status).toBe(501);
  expect(await response.text()).toBe("Not Implemented");
  const handshake = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
  expect(await handshake.text()).toMatch(/^0\{"sid":/);
});

test("an engine of listen serves WebSocket (X8)", async () => {
  const url = await urlOf(listen(0));
  const socket = new WebSocket(`${url.replace("http", "ws")}/engine.io/?EIO=4&transport=websocket`);
  onTestFinished(() => socket.terminate());
  const [message] = (await once(socket, "message")) as [Buffer];
  expect(message.toString()).toMatch(/^0\{"sid":/);
});

test("listen takes the options of the engine and of attach (X8)", async () => {
  const engine = listen(0, { pingInterval: 1234, path: "/chat" });
  const url = await urlOf(engine);
  expect(engine.opts.pingInterval).toBe(1234);
  const handshake = await fetch(`${url}/chat/?EIO=4&transport=polling`);
  expect(await handshake.text()).toContain('"pingInterval":1234');
  expect((await fetch(`${url}/engine.io/?EIO=4&transport=polling`)).status).toBe(501);
});

test("the callback of listen may follow the port or the options (X8)", async () => {
  let engine: Server | undefined;
  await new Promise<void>((resolve) => {
    engine = listen(0, resolve);
  });
  expect(engine?.httpServer?.listening).toBe(true);
  if (engine !== undefined) await urlOf(engine);
  await new Promise<void>((resolve) => {
    engine = listen(0, {}, resolve);
  });
  expect(engine?.httpServer?.listening).toBe(true);
  if (engine !== undefined) await urlOf(engine);
});

test("listen with a wrong option throws before there is a server", () => {
  expect(() => listen(0, { pingTimeout: -1 })).toThrow(
    expect.objectContaining({ code: "ERR_OPTION_VALUE", option: "pingTimeout" }),
  );
});

test("a port that is taken is an error of the HTTP server", async () => {
  const taken = new URL(await urlOf(listen(0)));
  const second = listen(Number(taken.port));
  // One cast: the four kinds of servers have no common type of `once`.
  const [error] = await once(second.httpServer as HttpServer, "error");
  expect(error).toMatchObject({ code: "EADDRINUSE" });
});

test("attach gives an engine on an HTTP server that there is (X9)", async () => {
  const httpServer = createServer((_req, res) => {
    res.end("application");
  });
  const engine = attach(httpServer, { maxHttpBufferSize: 5, path: "/chat" });
  expect(engine.httpServer).toBe(httpServer);
  expect(engine.opts.maxHttpBufferSize).toBe(5);
  httpServer.listen(0, "localhost");
  const url = await urlOf(engine);
  const handshake = await fetch(`${url}/chat/?EIO=4&transport=polling`);
  expect(await handshake.text()).toContain('"maxPayload":5');
  expect(await (await fetch(url)).text()).toBe("application");
});

test("attach needs no options (X9)", () => {
  const engine = attach(createServer());
  expect(engine.opts.pingInterval).toBe(25_000);
});
