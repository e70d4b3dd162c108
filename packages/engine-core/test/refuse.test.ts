import { createServer, get, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { refusal, type HandshakeErrorCode } from "../src/errors.js";
import { answerRefusal, rejectUpgrade } from "../src/refuse.js";

/** Serves one request, and returns the response to it. */
async function request(serve: RequestListener): Promise<IncomingMessage & { body: string }> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<IncomingMessage>((resolve) => get({ port }, resolve));
  return Object.assign(response, { body: await text(response) });
}

test.each<[HandshakeErrorCode, number, string]>([
  [0, 400, "Transport unknown"],
  [1, 400, "Session ID unknown"],
  [2, 400, "Bad handshake method"],
  [3, 400, "Bad request"],
  [4, 403, "Forbidden"],
  [5, 400, "Unsupported protocol version"],
])("code %i is answered with %i and its text (3)", async (code, status, message) => {
  const response = await request((_req, res) => answerRefusal(refusal(code, {}), res));
  expect(response.statusCode).toBe(status);
  expect(response.headers["content-type"]).toBe("application/json");
  expect(response.headers["content-length"]).toBeUndefined();
  expect(response.body).toBe(`{"code":${code},"message":"${message}"}`);
});

test("the client is told the answer, not the context", async () => {
  const response = await request((_req, res) =>
    answerRefusal(refusal(4, { secret: "of the operator" }, "not you"), res),
  );
  expect(response.body).toBe('{"code":4,"message":"not you"}');
});

test("headers that were set before stay on the refusal (3)", async () => {
  const response = await request((_req, res) => {
    res.setHeader("Access-Control-Allow-Origin", "*");
    answerRefusal(refusal(3, {}), res);
  });
  expect(response.headers["access-control-allow-origin"]).toBe("*");
});

test("a request that was answered already is not answered again", async () => {
  const response = await request((_req, res) => {
    res.writeHead(204).end();
    answerRefusal(refusal(3, {}), res);
  });
  expect(response.statusCode).toBe(204);
  expect(response.body).toBe("");
});

test.each([
  ["the text of the code", undefined, "Forbidden", 9],
  ["the answer in place of it, measured in bytes", "pas à toi", "pas à toi", 10],
])("an upgrade is refused with plain HTTP and %s (12)", async (_name, answer, body, length) => {
  const socket = new PassThrough();
  rejectUpgrade(refusal(4, {}, answer), socket);
  expect(await text(socket)).toBe(
    "HTTP/1.1 400 Bad Request\r\n" +
      "Connection: close\r\n" +
      "Content-type: text/html\r\n" +
      `Content-Length: ${length}\r\n\r\n${body}`,
  );
  expect(socket.destroyed).toBe(true);
});

test("a connection that takes nothing more is destroyed", () => {
  const socket = new PassThrough();
  socket.end();
  rejectUpgrade(refusal(3, {}), socket);
  expect(socket.destroyed).toBe(true);
});

test.each([429, 503] as const)("a refusal because of a limit has status %i", async (status) => {
  const why = { ...refusal(4, {}, "not now"), status, retryAfter: 7 };
  const response = await request((_req, res) => answerRefusal(why, res));
  expect(response.statusCode).toBe(status);
  expect(response.headers["retry-after"]).toBe("7");
  expect(response.body).toBe('{"code":4,"message":"not now"}');
  const socket = new PassThrough();
  rejectUpgrade(why, socket);
  expect(await text(socket)).toMatch(
    new RegExp(`^HTTP/1.1 ${status} [A-Z].*\\r\\nConnection: close\\r\\nRetry-After: 7\\r\\n`),
  );
});
