import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { onTestFinished, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { createWebSocketServer, type WebSocketServerLike } from "../src/websocket-server.js";

// What npm `ws` answers to the same request is what is expected.

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** Sends a request, and returns all that comes back; a connection that is accepted is ended then. */
async function answerOf(websockets: WebSocketServerLike, request: string): Promise<string> {
  const httpServer = createServer().listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  onTestFinished(() => void httpServer.close());
  httpServer.on("upgrade", (req, socket, head) => {
    websockets.handleUpgrade(req, socket, head, (websocket) => websocket.close());
  });
  const { port } = httpServer.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  client.write(request);
  let answer = "";
  client.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
    if (answer.includes("\x88\x00")) client.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  });
  await once(client, "close");
  return answer;
}

const servers = {
  ours: () => createWebSocketServer({ perMessageDeflate: false, maxPayload: 10 }, undefined),
  ws: () => new WebSocketServer({ noServer: true, clientTracking: false }),
};

function requestOf(headers: Record<string, string | undefined>, method = "GET"): string {
  const all: Record<string, string | undefined> = {
    Host: "a",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) =>
    value === undefined ? "" : `${name}: ${value}\r\n`,
  );
  return `${method} / HTTP/1.1\r\n${lines.join("")}\r\n`;
}

test("the answer is that of the example in RFC 6455, section 1.3", async () => {
  expect(await answerOf(servers.ours(), requestOf({}))).toBe(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x88\x00",
  );
});

test.each<[string, string, number]>([
  ["another upgrade", requestOf({ Upgrade: "h2c" }), 400],
  ["another spelling of the upgrade", requestOf({ Upgrade: "WebSocket" }), 101],
  ["two upgrades", requestOf({ Upgrade: "websocket, h2c" }), 400],
  ["no key", requestOf({ "Sec-WebSocket-Key": undefined }), 400],
  ["a short key", requestOf({ "Sec-WebSocket-Key": "dGhl" }), 400],
  ["a key that is no base64", requestOf({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ-==" }), 400],
  ["two keys", requestOf({ "Sec-WebSocket-Key": `${KEY}\r\nSec-WebSocket-Key: ${KEY}` }), 400],
  ["no version", requestOf({ "Sec-WebSocket-Version": undefined }), 400],
  ["version 7", requestOf({ "Sec-WebSocket-Version": "7" }), 400],
  ["version 8", requestOf({ "Sec-WebSocket-Version": "8" }), 101],
  ["version text", requestOf({ "Sec-WebSocket-Version": "new" }), 400],
  ["POST", requestOf({}, "POST"), 405],
  ["HEAD", requestOf({}, "HEAD"), 405],
  ["a subprotocol", requestOf({ "Sec-WebSocket-Protocol": "chat" }), 101],
  ["subprotocols", requestOf({ "Sec-WebSocket-Protocol": "b.1, a!,\tc" }), 101],
  [
    "lists of them",
    requestOf({ "Sec-WebSocket-Protocol": "b\r\nSec-WebSocket-Protocol: a, c" }),
    101,
  ],
  ["the same subprotocol twice", requestOf({ "Sec-WebSocket-Protocol": "a, b, a" }), 400],
  ["an empty subprotocol", requestOf({ "Sec-WebSocket-Protocol": "a,,b" }), 400],
  ["no subprotocol where one should be", requestOf({ "Sec-WebSocket-Protocol": "" }), 400],
  ["a comma behind", requestOf({ "Sec-WebSocket-Protocol": "a," }), 400],
  ["a subprotocol that is no token", requestOf({ "Sec-WebSocket-Protocol": "a b" }), 400],
  ["a subprotocol in quotes", requestOf({ "Sec-WebSocket-Protocol": '"a"' }), 400],
  [
    "an extension",
    requestOf({ "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
    101,
  ],
  ["an extension that is none", requestOf({ "Sec-WebSocket-Extensions": ";=," }), 101],
])("to %s the answer is that of ws, byte by byte", async (_what, request, status) => {
  const answer = await answerOf(servers.ours(), request);
  expect(answer).toBe(await answerOf(servers.ws(), request));
  expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
});

test("what comes with the request is heard after the connection was handed over", async () => {
  const websockets = servers.ours();
  const httpServer = createServer().listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const heard = new Promise((resolve) => {
    httpServer.on("upgrade", (req, socket, head) => {
      websockets.handleUpgrade(req, socket, head, (websocket) => {
        websocket.on("message", (data) => resolve(data));
      });
    });
  });
  const { port } = httpServer.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  onTestFinished(() => {
    client.destroy();
    httpServer.close();
  });
  client.write(Buffer.concat([Buffer.from(requestOf({})), Buffer.from("8182000000003461", "hex")]));
  expect(await heard).toEqual(Buffer.from("4a"));
});

test.each(["ours", "ws"] as const)(
  "a connection that has ended meanwhile is destroyed, and one that was upgraded is refused: %s",
  async (name) => {
    const websockets = servers[name]();
    const httpServer = createServer().listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const seen: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      httpServer.on("upgrade", (req, socket, head) => {
        websockets.handleUpgrade(req, socket, head, () => seen.push("accepted"));
        expect(() => websockets.handleUpgrade(req, socket, head, () => seen.push("twice"))).toThrow(
          /upgraded before|more than once/,
        );
        socket.end();
        websockets.handleUpgrade(req, socket, head, () => seen.push("ended"));
        seen.push(socket.destroyed);
        resolve();
      });
    });
    const { port } = httpServer.address() as AddressInfo;
    const client = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => {
      client.destroy();
      httpServer.close();
    });
    client.write(requestOf({}));
    await done;
    expect(seen).toEqual(["accepted", true]);
  },
);
