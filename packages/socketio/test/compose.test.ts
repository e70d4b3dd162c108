import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { io as connect } from "socket.io-client";
import { Server } from "../src/index.js";

test("the official client connects, is answered, and gets broadcasts", async () => {
  const httpServer = createServer();
  const io = new Server(httpServer);
  await once(httpServer.listen(0, "127.0.0.1"), "listening");
  io.on("connection", (socket) => {
    socket.on("double", (value: number, respond: (result: number) => void) => respond(value * 2));
    void socket.join("room");
  });
  const { port } = httpServer.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`, { forceNew: true });
  try {
    expect(await client.emitWithAck("double", 21)).toBe(42);
    const news = once(client as never, "news");
    io.to("room").emit("news", "text", Buffer.from([1, 2]));
    expect(await news).toEqual(["text", Buffer.from([1, 2])]);
    const answers = io.timeout(10_000).emitWithAck("question");
    client.on("question", (respond: (answer: string) => void) => respond("yes"));
    expect(await answers).toEqual(["yes"]);
  } finally {
    client.disconnect();
    await io.close();
  }
});
