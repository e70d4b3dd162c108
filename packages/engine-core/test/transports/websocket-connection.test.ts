import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { FakeClock, OPCODE } from "@jackfield/testkit";
import { expect, onTestFinished, test } from "vitest";
import { TimerWheel } from "../../src/timer-wheel.js";
import {
  ConnectionContext,
  WebSocketConnection,
  type ConnectionOwner,
} from "../../src/transports/websocket-connection.js";
import { FakeStream } from "../fake-stream.js";
import { framesOf } from "./frames.js";

/** What the server may write: a close frame, with or without a status. */
const BARE_CLOSE = "8800";
const CLOSE_1002 = "880203ea";

function connect() {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const stream = new FakeStream();
  const connection = new WebSocketConnection(stream, new ConnectionContext(wheel, 100));
  const heard: unknown[] = [];
  let closings = 0;
  const owner: ConnectionOwner = {
    onText: (text) => heard.push(text),
    onBinary: (data) => heard.push(data),
    beforeClose: () => {},
    onClosing: () => (closings += 1),
    onClose: () => heard.push("closed"),
    onError: (error) => heard.push(error.message),
  };
  connection.owner = owner;
  const output = () => stream.output.toString("hex");
  return { clock, wheel, stream, connection, heard, output, closings: () => closings };
}

const CLOSE = framesOf({ opcode: OPCODE.close });

test.each<[string, (subject: ReturnType<typeof connect>) => unknown]>([
  ["it is closed", ({ connection }) => connection.close()],
  ["the peer closes it", ({ stream }) => stream.receive(CLOSE)],
  ["the peer ends its half", ({ stream }) => stream.push(null)],
  ["the stream is gone", ({ stream }) => stream.destroy()],
  ["the peer breaks the rules", ({ stream }) => stream.receive(Buffer.from([0xff, 0xff]))],
])("its owner hears once that it takes no message any more, when %s", async (_when, happen) => {
  const subject = connect();
  expect(subject.closings()).toBe(0);
  const closed = once(subject.stream, "close");
  await happen(subject);
  await new Promise(setImmediate);
  expect(subject.closings()).toBe(1);
  subject.stream.destroy();
  await closed;
  expect(subject.closings()).toBe(1);
});

test("a peer that closes gets its close frame back, then the end of the stream", async () => {
  const { stream, connection, heard, output, wheel } = connect();
  const payload = Buffer.from([3, 0xe9, 0x62, 0x79, 0x65]);
  await stream.receive(framesOf({ opcode: OPCODE.close, payload }));
  expect(output()).toBe(`8805${payload.toString("hex")}`);
  expect(stream.hasEnded).toBe(true);
  expect(connection.readyState).toBe(2);
  expect(heard).toEqual([]);
  await stream.receiveEnd();
  expect(connection.readyState).toBe(3);
  expect(heard).toEqual(["closed"]);
  expect(wheel.size).toBe(0);
});

test("closing waits for the close frame of the peer, and what else it sends is heard", async () => {
  const { stream, connection, heard, output } = connect();
  connection.close();
  connection.close();
  expect(output()).toBe(BARE_CLOSE);
  expect(connection.readyState).toBe(2);
  await stream.receive(framesOf({ opcode: OPCODE.text, payload: "on its way" }));
  expect(stream.hasEnded).toBe(false);
  await stream.receive(CLOSE);
  expect(stream.hasEnded).toBe(true);
  await stream.receiveEnd();
  expect(output()).toBe(BARE_CLOSE);
  expect(heard).toEqual(["on its way", "closed"]);
});

test("what comes behind the close frame of the peer is not looked at", async () => {
  const { stream, heard, output } = connect();
  await stream.receive(CLOSE, framesOf({ opcode: OPCODE.text, payload: "late" }));
  await stream.receive(framesOf({ opcode: 3 }));
  expect(output()).toBe(BARE_CLOSE);
  expect(heard).toEqual([]);
});

test.each<[string, (made: ReturnType<typeof connect>) => unknown]>([
  ["does not answer our close frame", ({ connection }) => connection.close()],
  ["does not end after its close frame", ({ stream }) => stream.receive(CLOSE)],
  ["does not end after a fault", ({ stream }) => stream.receive(framesOf({ opcode: 3 }))],
])("a peer that %s is cut off after 30 s", async (_what, begin) => {
  const made = connect();
  await begin(made);
  made.clock.advance(29_900);
  expect(made.stream.destroyed).toBe(false);
  made.clock.advance(300);
  expect(made.stream.destroyed).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(made.heard.at(-1)).toBe("closed");
  expect(made.connection.readyState).toBe(3);
});

test("a peer that ends but does not read what it was sent is cut off after 30 s", async () => {
  const { clock, stream, heard } = connect();
  stream.isBlocked = true;
  stream.write("unread");
  await stream.receiveEnd();
  expect(stream.destroyed).toBe(false);
  clock.advance(30_200);
  expect(stream.destroyed).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(["closed"]);
});

test("no timer runs while nothing closes, nor after the end", async () => {
  const { stream, connection, wheel } = connect();
  expect(wheel.size).toBe(0);
  connection.close();
  expect(wheel.size).toBe(1);
  await stream.receive(CLOSE);
  await stream.receiveEnd();
  expect(wheel.size).toBe(0);
});

test("the end of the stream closes, without a close frame", async () => {
  const { stream, connection, heard, output } = connect();
  await stream.receiveEnd();
  expect(output()).toBe("");
  expect(stream.hasEnded).toBe(true);
  expect(connection.readyState).toBe(3);
  expect(heard).toEqual(["closed"]);
});

/** A connection on a real socket, and its client, who keeps its half open. */
async function connectSocket() {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  const [socket] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => void socket.destroy());
  const wheel = new TimerWheel(new FakeClock());
  const connection = new WebSocketConnection(socket, new ConnectionContext(wheel, 100));
  return { client, socket, connection, wheel };
}

test.each<[string, string, (made: Awaited<ReturnType<typeof connectSocket>>) => unknown]>([
  ["its close frame", BARE_CLOSE, ({ connection }) => connection.onData(CLOSE)],
  ["the end of its half", "", ({ connection }) => connection.onEnd()],
])("a peer that has sent %s is told, and not waited for", async (_what, told, happen) => {
  const made = await connectSocket();
  happen(made);
  expect(made.socket.destroyed).toBe(true);
  expect((await buffer(made.client)).toString("hex")).toBe(told);
  expect(made.connection.readyState).toBe(3);
  expect(made.wheel.size).toBe(0);
});

test.each<[string, string, (made: Awaited<ReturnType<typeof connectSocket>>) => unknown]>([
  [
    "to which something is still to be sent",
    `6d6f7265${BARE_CLOSE}`,
    ({ connection, socket }) => {
      socket.cork();
      socket.write("more");
      process.nextTick(() => socket.uncork());
      connection.onData(CLOSE);
    },
  ],
  [
    "whose stream is encrypted",
    BARE_CLOSE,
    ({ connection, socket }) => {
      Object.assign(socket, { encrypted: true });
      connection.onData(CLOSE);
    },
  ],
  [
    "that may be sending still, because it is closed for a fault,",
    CLOSE_1002,
    ({ connection }) => connection.onData(framesOf({ opcode: 3 })),
  ],
])("a peer %s is waited for", async (_what, told, happen) => {
  const made = await connectSocket();
  const { client, socket, wheel } = made;
  happen(made);
  expect((await buffer(client)).toString("hex")).toBe(told);
  expect(socket.destroyed).toBe(false);
  expect(wheel.size).toBe(1);
  const closed = once(socket, "close");
  client.end();
  await closed;
  expect(wheel.size).toBe(0);
});

test("an error of the stream closes, and is nobody's error", async () => {
  const { stream, connection, heard } = connect();
  stream.destroy(new Error("ECONNRESET"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(["closed"]);
  expect(connection.readyState).toBe(3);
});

test("a fault is told to the peer and to the owner, once, after what came before it", async () => {
  const { stream, heard, output } = connect();
  await stream.receive(
    framesOf(
      { opcode: OPCODE.text, payload: "before" },
      { opcode: OPCODE.ping, payload: "p" },
      { opcode: 3 },
      { opcode: 4 },
    ),
    framesOf({ opcode: 5 }),
  );
  expect(output()).toBe(`8a0170${CLOSE_1002}`);
  expect(heard).toEqual(["before", "Invalid WebSocket frame: invalid opcode 3"]);
  await stream.receiveEnd();
  expect(heard.slice(2)).toEqual(["closed"]);
});

test("what is written in the tick of a fault leaves before the close frame", async () => {
  const { stream, connection, output } = connect();
  connection.owner = undefined;
  connection.on("message", () => process.nextTick(() => stream.write(Buffer.from("answer"))));
  await stream.receive(framesOf({ opcode: OPCODE.text, payload: "a" }, { opcode: 3 }));
  expect(output()).toBe(`${Buffer.from("answer").toString("hex")}${CLOSE_1002}`);
});

test("a fault of a peer that was told to close ends the stream, without a second close frame", async () => {
  const { stream, connection, output } = connect();
  connection.close();
  await stream.receive(framesOf({ opcode: 3 }));
  expect(output()).toBe(BARE_CLOSE);
  expect(stream.hasEnded).toBe(true);
});

test("without an owner, it emits what a WebSocket of ws does; nobody need listen", async () => {
  const { stream, connection } = connect();
  connection.owner = undefined;
  await stream.receive(framesOf({ opcode: OPCODE.text, payload: "unheard" }));
  const events: unknown[] = [];
  connection.on("message", (...args) => events.push(args));
  connection.on("close", () => events.push("close"));
  await stream.receive(
    framesOf(
      { opcode: OPCODE.text, payload: "a" },
      { opcode: OPCODE.binary, payload: "b" },
      { opcode: 3 },
    ),
  );
  await stream.receiveEnd();
  expect(events).toEqual([[Buffer.from("a"), false], [Buffer.from("b"), true], "close"]);
});

test("send writes one frame; nothing after closing", () => {
  const { connection, output } = connect();
  let isWritten = false;
  connection.send("é", { binary: false }, () => (isWritten = true));
  connection.send(Buffer.from([1]), { binary: true });
  connection.close();
  connection.send("late", { binary: false });
  expect(output()).toBe(`8102c3a9820101${BARE_CLOSE}`);
  return new Promise<void>((resolve) => process.nextTick(resolve)).then(() =>
    expect(isWritten).toBe(true),
  );
});

test("every ping is answered while the peer reads", async () => {
  const { stream, output } = connect();
  const pings = ["a", "b", "c"].map((payload) => ({ opcode: OPCODE.ping, payload }));
  await stream.receive(framesOf(...pings));
  expect(output()).toBe("8a01618a01628a0163");
});

test("a flood of pings of a peer that does not read waits in few answers, the last among them", async () => {
  const { stream, output } = connect();
  stream.isBlocked = true;
  for (let round = 0; round < 100; round += 1) {
    const pings = Array.from({ length: 100 }, (_, index) => ({
      opcode: OPCODE.ping,
      payload: `${round}.${index}`,
    }));
    await stream.receive(framesOf(...pings));
  }
  expect(stream.writableLength).toBeLessThan(200);
  await stream.unblock();
  expect(stream.output.length).toBeLessThan(200);
  expect(stream.output.toString().endsWith("99.99")).toBe(true);
  await stream.receive(framesOf({ opcode: OPCODE.ping, payload: "!" }));
  expect(output().endsWith("8a0121")).toBe(true);
});

test("pings are not answered once we close", async () => {
  const { stream, connection, output } = connect();
  connection.close();
  await stream.receive(framesOf({ opcode: OPCODE.ping, payload: "a" }));
  expect(output()).toBe(BARE_CLOSE);
});

test("connections take turns with a reader, and keep it within a message", async () => {
  const context = new ConnectionContext(new TimerWheel(new FakeClock()), 100);
  const heard: unknown[] = [];
  const streams = ["first", "second"].map((name) => {
    const stream = new FakeStream();
    const connection = new WebSocketConnection(stream, context);
    connection.on("message", (data) => heard.push(`${name} ${data.toString()}`));
    return stream;
  });
  const [first, second] = streams as [FakeStream, FakeStream];
  const whole = framesOf({ opcode: OPCODE.text, payload: "whole" });
  const part = framesOf({ opcode: OPCODE.text, payload: "part", fin: false });
  const rest = framesOf({ opcode: OPCODE.continuation, payload: "ed" });
  await first.receive(part, whole.subarray(0, 0));
  await second.receive(Buffer.from(whole), Buffer.from(part));
  await first.receive(Buffer.from(rest));
  await second.receive(rest);
  await first.receive(whole);
  expect(heard).toEqual(["second whole", "first parted", "second parted", "first whole"]);
});

test("a chunk counts as read even when its reader fails", () => {
  const log: string[] = [];
  const chunks = {
    onChunkStart: () => log.push("start"),
    onChunkEnd: () => log.push("end"),
  };
  const context = new ConnectionContext(new TimerWheel(new FakeClock()), 100, chunks);
  const connection = new WebSocketConnection(new FakeStream(), context);
  connection.on("message", () => {
    throw new Error("a listener");
  });
  expect(() => connection.onData(framesOf({ opcode: OPCODE.text, payload: "a" }))).toThrow(
    "a listener",
  );
  expect(log).toEqual(["start", "end"]);
});
