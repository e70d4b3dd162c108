import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { connect, Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ServerOptions, Session } from "../src/index.js";
import { FakeStream } from "./fake-stream.js";
import { startEngine } from "./running-engine.js";

const SID = "abcdefghij0123456789";
const RESPONSE =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const END = '","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';

/** A text frame. */
function frame(text: string): string {
  const bytes = Buffer.from(text);
  const length = bytes.length < 126 ? [bytes.length] : [126, 0, bytes.length];
  return Buffer.concat([Buffer.from([0x81, ...length]), bytes]).toString("latin1");
}

/** Starts an engine and asks it for an upgrade; `answer` is what comes back, in Latin-1. */
async function start(options?: ServerOptions) {
  const running = await startEngine(options);
  const writes: unknown[] = [];
  running.httpServer.on("connection", (socket: Socket) => {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    vi.spyOn(socket, "write").mockImplementation((...args: unknown[]) => {
      writes.push(args[0]);
      return write(...args);
    });
  });
  /** @param end what the answer ends with */
  const answer = async (end: string, query = "EIO=4&transport=websocket", headers = "") => {
    const client = connect(Number(new URL(running.url).port), "127.0.0.1");
    onTestFinished(() => void client.destroy());
    client.write(
      `GET /engine.io/?${query} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n` +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`,
    );
    let received = "";
    while (!received.endsWith(end)) {
      const [chunk] = (await once(client, "data")) as [Buffer];
      received += chunk.toString("latin1");
    }
    return received;
  };
  return { ...running, answer, writes };
}

test.each(["EIO=4&transport=websocket", "EIO=4&transport=websocket&b64=1&x=%20"])(
  "the 101 response and the open packet are one write (21): %s",
  async (query) => {
    const { engine, answer, writes } = await start();
    const opened = once(engine, "connection");
    const received = await answer(END, query);
    const [session] = (await opened) as [Session];
    expect(received).toBe(`${RESPONSE}\r\n${frame(`0{"sid":"${session.id}${END}`)}`);
    expect(writes).toHaveLength(1);
    expect(engine.clients[session.id]).toBe(session);
  },
);

test("whoever observes the packets sees the open packet (E14)", async () => {
  const { engine, answer } = await start();
  const log: unknown[] = [];
  engine.on("flush", (session, packets) =>
    log.push(
      session.id,
      packets.map(({ type }) => type),
    ),
  );
  engine.on("drain", (session) => log.push(session.id));
  engine.generateId = () => SID;
  expect(await answer(END)).toBe(`${RESPONSE}\r\n${frame(`0{"sid":"${SID}${END}`)}`);
  expect(log).toEqual([SID, ["open"], SID]);
});

test("the initial packet comes behind the open packet (20)", async () => {
  const { engine, answer } = await start({ initialPacket: "hi" });
  engine.generateId = () => SID;
  expect(await answer("4hi")).toBe(
    `${RESPONSE}\r\n${frame(`0{"sid":"${SID}${END}`)}${frame("4hi")}`,
  );
});

test("an id may have any characters", async () => {
  const { engine, answer } = await start();
  engine.generateId = () => 'ü"\u{1f600}';
  expect(await answer(END)).toBe(`${RESPONSE}\r\n${frame(`0{"sid":"ü\\"\u{1f600}${END}`)}`);
});

test("lines of the application are written as they are, before the open packet (8)", async () => {
  const { engine, answer } = await start();
  engine.generateId = () => SID;
  engine.on("headers", (headers) => {
    headers["X-Name"] = ["ü", "\u{1f600}"];
  });
  const lines = Buffer.from("X-Name: ü\r\nX-Name: \u{1f600}\r\n").toString("latin1");
  expect(await answer(END)).toBe(`${RESPONSE}${lines}\r\n${frame(`0{"sid":"${SID}${END}`)}`);
});

test("what a listener in front of the engine does to the headers counts", async () => {
  const { engine, httpServer, answer } = await start();
  engine.generateId = () => SID;
  httpServer.prependListener("upgrade", (req) => {
    req.headers = { ...req.headers, "sec-websocket-protocol": "chat" };
  });
  expect(await answer(END)).toContain("\r\nSec-WebSocket-Protocol: chat\r\n");
});

test("what a middleware does to the headers counts (8)", async () => {
  const { engine, answer } = await start();
  engine.generateId = () => SID;
  engine.use((req, _res, next) => {
    req.headers = { ...req.headers, "sec-websocket-protocol": "chat" };
    next();
  });
  expect(await answer(END)).toContain("\r\nSec-WebSocket-Protocol: chat\r\n");
});

test("nobody is told of headers for an upgrade that is refused", async () => {
  const { engine, answer } = await start();
  const log: unknown[] = [];
  engine.on("headers", (headers) => log.push(headers));
  const refused = await answer("header", undefined, "Sec-WebSocket-Version: 13\r\n");
  expect(refused.startsWith("HTTP/1.1 400 Bad Request\r\n")).toBe(true);
  expect(log).toEqual([]);
});

test.each([
  ["accepted", "before", "EIO=4&transport=websocket"],
  ["accepted", "after", "EIO=4&transport=websocket"],
  ["refused", "before", "EIO=4&transport=unknown"],
  ["refused", "after", "EIO=4&transport=unknown"],
  ["refused by the WebSocket server", "before", "EIO=4&transport=websocket&key=none"],
  ["refused by the WebSocket server", "after", "EIO=4&transport=websocket&key=none"],
])(
  "a request that is %s: a connection that fails %s that does not end the process",
  async (...row) => {
    const [, time, query] = row;
    const { httpServer } = await startEngine();
    const key = query.endsWith("none") ? "" : "dGhlIHNhbXBsZSBub25jZQ==";
    const req = new IncomingMessage(new Socket());
    req.method = "GET";
    req.url = `/engine.io/?${query}`;
    req.rawHeaders = [
      "Upgrade",
      "websocket",
      "Sec-WebSocket-Version",
      "13",
      "Sec-WebSocket-Key",
      key,
    ];
    const stream = new FakeStream();
    const closed = new Promise((resolve) => stream.on("close", resolve));
    const uncaught = vi.fn<() => void>();
    process.on("uncaughtException", uncaught);
    onTestFinished(() => void process.off("uncaughtException", uncaught));
    const steps = [
      () => stream.destroy(new Error("reset")),
      () => httpServer.emit("upgrade", req, stream, Buffer.alloc(0)),
    ];
    for (const step of time === "before" ? steps : steps.toReversed()) step();
    await closed;
    expect(uncaught).not.toHaveBeenCalled();
  },
);
