import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { WebSocketLike } from "../src/transports/websocket.js";
import { createWebSocketServer, type WsEngineOptions } from "../src/websocket-server.js";

const OPTIONS = { perMessageDeflate: false, maxPayload: 10 } as const;

/** Connects a client to a WebSocket server, and returns both ends. */
async function connect(
  options: Pick<WsEngineOptions, "perMessageDeflate" | "maxPayload"> = OPTIONS,
  headers: string[] = [],
) {
  const websockets = createWebSocketServer(options, undefined);
  websockets.on?.("headers", (lines) => lines.push(...headers));
  const httpServer = createServer().listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const accepted = new Promise<WebSocketLike>((resolve) => {
    httpServer.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      websockets.handleUpgrade(req, socket, head, resolve);
    });
  });
  const { port } = httpServer.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  onTestFinished(() => {
    client.terminate();
    httpServer.close();
  });
  const [response] = (await once(client, "upgrade")) as [IncomingMessage];
  return { websockets, client, response, websocket: await accepted };
}

test("a connection carries messages both ways", async () => {
  const { client, websocket } = await connect();
  const received = new Promise((resolve) => websocket.on("message", (data) => resolve(data)));
  client.send("4a");
  expect(await received).toEqual(Buffer.from("4a"));
  websocket.send("4b", { compress: false, binary: false });
  const [data] = await once(client, "message");
  expect(`${data}`).toBe("4b");
});

test("a message above maxPayload closes the connection with 1009 (63)", async () => {
  const { client, websocket } = await connect();
  const failed = new Promise<Error>((resolve) => websocket.on("error", resolve));
  client.send("a".repeat(11));
  expect((await failed).message).toBe("Max payload size exceeded");
  expect((await once(client, "close"))[0]).toBe(1009);
});

test("the server keeps no list of its connections (68)", async () => {
  const { websockets } = await connect();
  expect(websockets).not.toHaveProperty("clients");
});

test("listeners of the headers event add to the 101 response", async () => {
  const { response } = await connect(OPTIONS, ["X-Added: yes"]);
  expect(response.headers["x-added"]).toBe("yes");
});

test.each<[false | object, string]>([
  [false, ""],
  [{}, "permessage-deflate"],
])("with perMessageDeflate %j, the extensions are %j (66)", async (perMessageDeflate, expected) => {
  const { client } = await connect({ ...OPTIONS, perMessageDeflate });
  expect(client.extensions).toBe(expected);
});

test("another class is made with the options of ws, and needs no headers event (68)", () => {
  const made: WsEngineOptions[] = [];
  class Foreign {
    constructor(options: WsEngineOptions) {
      made.push(options);
    }
    handleUpgrade(): void {}
  }
  expect(createWebSocketServer(OPTIONS, Foreign)).toBeInstanceOf(Foreign);
  expect(made).toEqual([{ noServer: true, clientTracking: false, ...OPTIONS }]);
});
