import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { packRequest, unpackRequest } from "../src/packed-request.js";

/** The request as a server of Node gets it. */
async function received(headers: string[]): Promise<IncomingMessage> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // One cast: a server that listens on a port has an address.
  const { port } = server.address() as AddressInfo;
  const path = "/engine.io/?EIO=4&transport=websocket&x=%20";
  const incoming = new Promise<IncomingMessage>((resolve) =>
    server.on("request", (req, res) => {
      res.end(() => resolve(req));
    }),
  );
  request({ port, path, headers: ["Host", "a.example", ...headers] }).end();
  const req = await incoming;
  server.close();
  return req;
}

/** What a request says, without the connection that it came by. */
function facts(of: IncomingMessage): object {
  const { method, url, headers, rawHeaders, httpVersion, complete } = of;
  return { method, url, headers: { ...headers }, rawHeaders, httpVersion, complete };
}

test("an unpacked request says what the packed one said", async () => {
  const pairs = [
    ["User-Agent", "first"],
    ["User-Agent", "second"],
    ["Cookie", "a=1"],
    ["Cookie", "b=2"],
    ["X-Forwarded-For", "1.1.1.1"],
    ["x-forwarded-for", "2.2.2.2"],
    ["Set-Cookie", "c=3"],
    ["Set-Cookie", "d=4"],
    ["X-Empty", ""],
    ["X-Latin", "caf\xe9"],
  ];
  const req = await received(pairs.flat());
  const unpacked = unpackRequest(packRequest(req), req.socket);
  expect(facts(unpacked)).toEqual(facts(req));
  expect(unpacked.socket).toBe(req.socket);
});

test("the query of an unpacked request is there as _query", async () => {
  const req = await received([]);
  expect(unpackRequest(packRequest(req), req.socket)).toMatchObject({
    _query: { EIO: "4", transport: "websocket", x: " " },
  });
});

test("the body of an unpacked request is empty, and ends", async () => {
  const req = await received([]);
  const chunks: unknown[] = [];
  for await (const chunk of unpackRequest(packRequest(req), req.socket)) chunks.push(chunk);
  expect(chunks).toEqual([]);
});

test("a header named like a prototype is a header", async () => {
  const req = await received(["__proto__", "x"]);
  const { headers } = unpackRequest(packRequest(req), req.socket);
  expect(Object.hasOwn(headers, "__proto__")).toBe(true);
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});
