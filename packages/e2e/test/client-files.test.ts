import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@jackfield/socketio";
import { expect, onTestFinished, test } from "vitest";

async function start(options: object): Promise<string> {
  const httpServer = createServer();
  const io = new Server(httpServer, options);
  onTestFinished(() => io.close());
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  // One cast: a server that listens on a port has an address.
  return `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}/socket.io/`;
}

test("the cors option holds for client files, too (V7)", async () => {
  const url = await start({ cors: { origin: "http://a.example", credentials: true } });
  const headers = { Origin: "http://a.example" };
  const response = await fetch(`${url}socket.io.min.js`, { headers });
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-origin")).toBe("http://a.example");
  expect(await response.text()).toContain("socket.io");
});

test("without the cors option, client files have no CORS headers", async () => {
  const response = await fetch(`${await start({})}socket.io.js`);
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  await response.arrayBuffer();
});

test("a client file that does not exist falls through to the engine (V6)", async () => {
  const response = await fetch(`${await start({})}socket.io.nope.js`);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ code: 0, message: "Transport unknown" });
});
