import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage } from "node:http";
import { PassThrough, type Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { OutgoingPacket } from "../../src/codec.js";
import type { ServerOptions, Session } from "../../src/index.js";
import { startEngine } from "../running-engine.js";

const V3 = "EIO=3&transport=websocket";

function closureOf(session: Session): Promise<{ reason: string; message: string | undefined }> {
  return new Promise((resolve) => {
    session.once("close", (reason, description) =>
      resolve({ reason, message: description?.message }),
    );
  });
}

/** Resolves with the next messages that a session gets. */
function messages(session: Session, count: number): Promise<unknown[]> {
  const all: unknown[] = [];
  return new Promise((resolve) => {
    session.on("message", (data) => {
      if (all.push(data) === count) resolve(all);
    });
  });
}

test("each packet is a frame of its own: text with its type, bytes as they are (62)", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session, socket } = client;
  for (const data of ["a", "héllo", "", Buffer.from([1, 2]), Buffer.alloc(0)]) session.send(data);
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    "4a",
    "4héllo",
    "4",
  ]);
  expect([await client.next(), await client.next()]).toEqual([
    Buffer.from([1, 2]),
    Buffer.alloc(0),
  ]);
  const received = messages(session, 3);
  socket.send("4é");
  socket.send(Buffer.from([4, 5]));
  socket.send("4");
  expect(await received).toEqual(["é", Buffer.from([4, 5]), ""]);
});

test.each([125, 126, 65_535, 65_536, 200_000])(
  "a message whose frame holds %i bytes arrives whole",
  async (size) => {
    const running = await startEngine();
    const client = await running.openWebSocket();
    const { session } = client;
    session.send("a".repeat(size - 1));
    session.send(Buffer.alloc(size, 7));
    session.send("end");
    expect(await client.next()).toBe(`4${"a".repeat(size - 1)}`);
    expect(await client.next()).toEqual(Buffer.alloc(size, 7));
    expect(await client.next()).toBe("4end");
  },
);

test("protocol 3 puts the type before bytes, both ways (62)", async () => {
  const running = await startEngine({ allowEIO3: true });
  const client = await running.openWebSocket(V3);
  const { session, socket } = client;
  session.send(Buffer.from([1, 2]));
  expect(await client.next()).toEqual(Buffer.from([4, 1, 2]));
  const received = messages(session, 1);
  socket.send(Buffer.from([4, 8, 9]));
  expect(await received).toEqual([Buffer.from([8, 9])]);
});

test("a client that takes no bytes gets base64 (62)", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket("EIO=4&transport=websocket&b64=1");
  const { session } = client;
  session.send(Buffer.from([1, 2, 3]));
  expect(await client.next()).toBe("bAQID");
});

test("a message in several frames is one message", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const received = messages(session, 1);
  socket.send("4ab", { fin: false });
  socket.send("cd", { fin: true });
  expect(await received).toEqual(["abcd"]);
});

test.each([
  ["the end of the connection", (socket: WebSocket) => socket.terminate()],
  ["a close frame", (socket: WebSocket) => socket.close()],
])("%s from the client is a transport close (63)", async (_name, end) => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const closure = closureOf(session);
  end(socket);
  expect(await closure).toEqual({ reason: "transport close", message: undefined });
});

test("closing the session closes the connection, without a status (63)", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const closure = closureOf(session);
  const closed = once(socket, "close");
  session.close();
  expect(await closure).toEqual({ reason: "forced close", message: undefined });
  expect((await closed)[0]).toBe(1005);
});

test("what was sent before close arrives before the close", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session, socket } = client;
  const closed = once(socket, "close");
  session.send("last");
  session.close();
  session.send("too late");
  expect(await client.next()).toBe("4last");
  await closed;
});

test("garbage is a parse error, and closes without a status (63)", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const closure = closureOf(session);
  const closed = once(socket, "close");
  socket.send("x");
  expect((await closure).reason).toBe("parse error");
  expect((await closed)[0]).toBe(1005);
});

test("a frame that breaks the protocol is a transport error, and the process goes on", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const closure = closureOf(session);
  // Reserved bits without an extension that uses them (RFC 6455, section 5.2).
  const stream = (socket as unknown as { _socket: Duplex })["_socket"];
  stream.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
  expect(await closure).toEqual({
    reason: "transport error",
    message: "Invalid WebSocket frame: RSV2 and RSV3 must be clear",
  });
});

test("a message above maxHttpBufferSize is a transport error, and closes with 1009 (63)", async () => {
  const running = await startEngine({ maxHttpBufferSize: 10 });
  const { session, socket } = await running.openWebSocket();
  const closure = closureOf(session);
  const closed = once(socket, "close");
  socket.send(`4${"a".repeat(10)}`);
  expect(await closure).toEqual({
    reason: "transport error",
    message: "Max payload size exceeded",
  });
  expect((await closed)[0]).toBe(1009);
});

test("a close packet means nothing over WebSocket (64)", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  const received = messages(session, 1);
  socket.send("1");
  socket.send("4still here");
  expect(await received).toEqual(["still here"]);
});

test("pings of the WebSocket protocol are answered between our frames", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session, socket } = client;
  const pong = once(socket, "pong");
  socket.ping("are you there");
  session.send("a");
  expect(String((await pong)[0])).toBe("are you there");
  expect(await client.next()).toBe("4a");
});

test.each<[string, ServerOptions]>([
  ["written by us", {}],
  ["compressed by ws", { perMessageDeflate: { threshold: 0 } }],
])(
  "a client that does not read makes the session wait; nothing is lost (65): %s",
  async (_name, options) => {
    const running = await startEngine(options);
    const client = await running.openWebSocket();
    const { session, socket } = client;
    socket.pause();
    // Until the kernel takes no more; random bytes, because these do not compress.
    const sent: Buffer[] = [];
    while (session.bufferedBytes < 1_000_000) {
      const data = randomBytes(100_000);
      sent.push(data);
      session.send(data);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(session.writable).toBe(false);
    session.send("last");
    socket.resume();
    for (const data of sent) expect(Buffer.compare((await client.next()) as Buffer, data)).toBe(0);
    expect(await client.next()).toBe("4last");
    await expect.poll(() => session.bufferedBytes).toBe(0);
    expect(session.writable).toBe(true);
  },
);

test("callbacks run once their packets are with the kernel, in order", async () => {
  const running = await startEngine();
  const client = await running.openWebSocket();
  const { session } = client;
  const called: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    session.send("a", (transport) => called.push(["a", transport.name]));
    session.send("b", { compress: false }, (transport) => {
      called.push(["b", transport.name]);
      resolve();
    });
  });
  expect(called).toEqual([]);
  expect([await client.next(), await client.next()]).toEqual(["4a", "4b"]);
  await done;
  expect(called).toEqual([
    ["a", "websocket"],
    ["b", "websocket"],
  ]);
});

test("the callback of a message that comes too late is not called", async () => {
  const running = await startEngine();
  const { session, socket } = await running.openWebSocket();
  let isCalled = false;
  const closure = closureOf(session);
  socket.terminate();
  await closure;
  session.send("lost", () => (isCalled = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isCalled).toBe(false);
});

// ── a class in place of that of ws ───────────────────────────────────────────

/** What some WebSocket libraries offer: an emitter that says nothing of extensions or buffers. */
class ForeignWebSocket extends EventEmitter {
  readyState = 1;
  readonly sent: { data: unknown; options: unknown; written: (error?: Error) => void }[] = [];

  send(data: unknown, options: unknown, written: (error?: Error) => void): void {
    this.sent.push({ data, options, written });
  }

  close(): void {
    this.readyState = 3;
  }
}

async function openForeign(options: ServerOptions = {}) {
  const websocket = new ForeignWebSocket();
  class Foreign {
    handleUpgrade(_req: unknown, _socket: Duplex, _head: Buffer, done: (ws: never) => void): void {
      done(websocket as never);
    }
  }
  const { engine } = await startEngine({ ...options, wsEngine: Foreign });
  const opened = once(engine, "connection") as Promise<[Session]>;
  const req = { method: "GET", url: "/engine.io/?EIO=4&transport=websocket", headers: {} };
  engine.handleUpgrade(req as IncomingMessage, new PassThrough(), Buffer.alloc(0));
  const [session] = await opened;
  return { websocket, session };
}

test("a foreign WebSocket sends packet by packet, and is waited for (65, 68)", async () => {
  const { websocket, session } = await openForeign();
  expect(websocket.sent.map(({ options }) => options)).toEqual([{ compress: true, binary: false }]);
  const called: string[] = [];
  session.send("a", { compress: false }, () => called.push("a"));
  session.send(Buffer.from([1]), () => called.push("b"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(websocket.sent).toHaveLength(1);
  websocket.sent[0]?.written();
  expect(websocket.sent.slice(1).map(({ data, options }) => [data, options])).toEqual([
    ["4a", { compress: false, binary: false }],
    [Buffer.from([1]), { compress: true, binary: true }],
  ]);
  websocket.sent[1]?.written();
  expect(session.transport.writable).toBe(false);
  expect(called).toEqual([]);
  websocket.sent[2]?.written();
  expect(session.transport.writable).toBe(true);
  expect(called).toEqual(["a", "b"]);
});

test.each([
  ["a string", "4é", undefined, "é"],
  ["a buffer that is text", Buffer.from("4é"), false, "é"],
  ["a buffer", Buffer.from([1, 2]), true, Buffer.from([1, 2])],
  ["a buffer of a library that does not say", Buffer.from([1, 2]), undefined, Buffer.from([1, 2])],
  ["an array buffer", new Uint8Array([1, 2]).buffer, true, Buffer.from([1, 2])],
  ["fragments", [Buffer.from([1]), Buffer.from([2])], true, Buffer.from([1, 2])],
])("a foreign WebSocket may hand over %s", async (_name, data, isBinary, expected) => {
  const { websocket, session } = await openForeign();
  const received = messages(session, 1);
  websocket.emit("message", data, isBinary);
  expect(await received).toEqual([expected]);
});

test("the error of a foreign WebSocket is a transport error, its close a transport close", async () => {
  const first = await openForeign();
  const failed = closureOf(first.session);
  first.websocket.emit("error", new Error("broken"));
  expect(await failed).toEqual({ reason: "transport error", message: "broken" });
  const second = await openForeign();
  const closed = closureOf(second.session);
  second.websocket.emit("close");
  expect(await closed).toEqual({ reason: "transport close", message: undefined });
});

test("what many sessions send waits for those whose peers do not read, and arrives in order", async () => {
  const running = await startEngine({ maxBufferedBytes: 1e9 });
  const reading = await running.openWebSocket();
  const paused = await running.openWebSocket();
  paused.socket.pause();
  const count = 60;
  for (let index = 0; index < count; index += 1) {
    const data = `${index} ${"x".repeat(300_000)}`;
    const message: OutgoingPacket = { type: "message", data, frame: undefined };
    for (const { session } of [reading, paused]) session.sendPrepared(message);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(paused.session.transport.writable).toBe(false);
  expect(paused.session.writeBuffer.length).toBeGreaterThan(0);
  paused.socket.resume();
  for (const client of [reading, paused]) {
    for (let index = 0; index < count; index += 1) {
      const text = String(await client.next());
      expect(text.slice(0, text.indexOf(" "))).toBe(`4${index}`);
    }
  }
  expect(paused.session.transport.writable).toBe(true);
  expect(paused.session.bufferedBytes).toBe(0);
});
