import { codecV4 } from "@jackfield/parser";
import { expect, test } from "vitest";
import type { OutgoingPacket } from "../src/codec.js";
import type { Session } from "../src/session.js";
import { ConnectionContext, WebSocketConnection } from "../src/transports/websocket-connection.js";
import { WebSocketTransport } from "../src/transports/websocket.js";
import { FakeStream } from "./fake-stream.js";
import { makeSession, sessionIn, tick } from "./fixtures.js";

// Sessions that send the same are written to without anybody being told: unless somebody wants to be.

/** Open sessions of one server, on WebSockets over streams in memory. */
function openSessions(maxBufferedBytes = 1e6) {
  const { context, closed } = makeSession({ maxBufferedBytes });
  const connect = () => {
    const stream = new FakeStream();
    const transport = new WebSocketTransport({
      websocket: new WebSocketConnection(stream, new ConnectionContext(context.scheduler, 100)),
      stream,
      codec: codecV4,
      supportsBinary: true,
      batch: context.flushQueue.batch,
    });
    const session = sessionIn(context, transport);
    session.open(true);
    return { session, transport, stream };
  };
  return { first: connect(), second: connect(), closed };
}

type Connected = ReturnType<typeof openSessions>["first"];

function sendToAll(sessions: readonly Session[], data: string): void {
  const message: OutgoingPacket = { type: "message", data, frame: undefined };
  for (const session of sessions) session.sendPrepared(message);
}

const FRAME = Buffer.from("\x81\x034hi", "latin1");

test("every stream gets the frame", async () => {
  const { first, second } = openSessions();
  sendToAll([first.session, second.session], "hi");
  await tick();
  expect(first.stream.output).toEqual(FRAME);
  expect(second.stream.output).toEqual(FRAME);
});

test.each<[string, (first: Connected, onTold: () => void) => void]>([
  ["flush of the session", ({ session }, onTold) => session.on("flush", onTold)],
  ["drain of the session", ({ session }, onTold) => session.on("drain", onTold)],
  ["drain of the transport", ({ transport }, onTold) => transport.on("drain", onTold)],
  ["ready of the transport", ({ transport }, onTold) => transport.on("ready", onTold)],
])("who listens for %s is told", async (_event, listen) => {
  const { first, second } = openSessions();
  let heard = 0;
  listen(first, () => (heard += 1));
  sendToAll([first.session, second.session], "hi");
  await tick();
  expect(heard).toBe(1);
  expect(first.stream.output).toEqual(FRAME);
  expect(second.stream.output).toEqual(FRAME);
});

test("what the kernel has not taken counts against maxBufferedBytes", async () => {
  const { first, second, closed } = openSessions(1500);
  first.stream.isBlocked = true;
  const data = "x".repeat(1000);
  sendToAll([first.session, second.session], data);
  await tick();
  expect(first.session.bufferedBytes).toBe(1005);
  sendToAll([first.session, second.session], data);
  await tick();
  expect(closed).toEqual([first.session]);
  expect(second.stream.output).toHaveLength(2010);
});

test("a stream that throws is the end of its session alone", async () => {
  const { first, second, closed } = openSessions();
  const reasons: unknown[] = [];
  first.session.on("close", (reason, error) => reasons.push(reason, error?.message));
  first.stream.thrown = new Error("thrown");
  const gone = new Promise((resolve) => first.stream.on("close", resolve));
  sendToAll([first.session, second.session], "hi");
  await tick();
  expect(second.stream.output).toEqual(FRAME);
  await gone;
  expect(closed).toEqual([first.session]);
  expect(reasons).toEqual(["transport error", "thrown"]);
  sendToAll([first.session, second.session], "hi");
  await tick();
  expect(second.stream.output).toHaveLength(2 * FRAME.length);
});

test("a session that is closed in the same tick sends what it was given before", async () => {
  const { first, second } = openSessions();
  sendToAll([first.session, second.session], "hi");
  first.session.close();
  await tick();
  expect(first.stream.output.subarray(0, FRAME.length)).toEqual(FRAME);
  expect(first.stream.output.subarray(FRAME.length).toString("hex")).toBe("8800");
  expect(second.stream.output).toEqual(FRAME);
});
