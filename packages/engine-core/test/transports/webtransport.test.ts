import { codecV4, FrameDecoder, type PacketError, type RawData } from "@jackfield/parser";
import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import type { EnginePacket } from "../../src/codec.js";
import type { TransportError } from "../../src/errors.js";
import { Session } from "../../src/session.js";
import type { TransportHost } from "../../src/transports/transport.js";
import {
  WebTransportTransport,
  type WebTransportSession,
} from "../../src/transports/webtransport.js";
import { FakeWebTransport, settled } from "../fake-webtransport.js";
import { makeSession, tick } from "../fixtures.js";

class NotingHost implements TransportHost {
  readonly packets: EnginePacket[] = [];
  readonly log: string[] = [];
  readonly errors: Error[] = [];

  onPacket(packet: EnginePacket): void {
    this.packets.push(packet);
  }
  onReady(): void {
    this.log.push("ready");
  }
  onClose(): void {
    this.log.push("close");
  }
  onError(error: TransportError): void {
    this.log.push("error");
    this.errors.push(error);
  }
  onParseError(error: PacketError): void {
    this.log.push("parse error");
    this.errors.push(error);
  }
}

function make(frames: readonly RawData[] = [], maxPayload = 1000) {
  const session = new FakeWebTransport();
  const stream = session.openStream();
  const clock = new FakeClock();
  const transport = new WebTransportTransport({
    session: session satisfies WebTransportSession,
    reader: stream.readable.getReader(),
    writer: stream.writable.getWriter(),
    decoder: new FrameDecoder(maxPayload),
    frames,
    codec: codecV4,
    clock,
  });
  return { session, transport, clock };
}

function makeHosted(frames: readonly RawData[] = [], maxPayload = 1000) {
  const made = make(frames, maxPayload);
  const host = new NotingHost();
  made.transport.host(host);
  return { ...made, host };
}

test("the packets of one send leave in one chunk", async () => {
  const { session, transport } = makeHosted();
  transport.send([
    { type: "message", data: "hä" },
    { type: "message", data: Buffer.from([1, 2, 3]) },
    { type: "noop" },
  ]);
  await settled();
  expect(session.chunks.map((chunk) => chunk.toString("hex"))).toEqual(["043468c3a4830102030136"]);
});

test("a binary message without bytes travels as text, which the clients take", async () => {
  const { session, transport } = makeHosted();
  transport.send([{ type: "message", data: Buffer.alloc(0) }]);
  await settled();
  expect(session.frames).toEqual(["b"]);
});

test("after a send it is writable again once the stream asks for more", async () => {
  const { session, transport, host } = makeHosted();
  session.pause();
  let isWritten = false;
  transport.send([{ type: "message", data: "abc" }], () => {
    isWritten = true;
  });
  await settled();
  expect(transport.writable).toBe(false);
  expect(transport.bufferedBytes).toBe(5);
  expect(isWritten).toBe(false);

  session.resume();
  await settled();
  expect(transport.writable).toBe(true);
  expect(transport.bufferedBytes).toBe(0);
  expect(isWritten).toBe(true);
  expect(host.log).toEqual(["ready"]);
});

test("it reads from the stream once there is a host", async () => {
  const { session, transport } = make(["4first"]);
  session.send("4second");
  await settled();
  const host = new NotingHost();
  transport.host(host);
  expect(host.packets).toEqual([]);
  await settled();
  expect(host.packets.map(({ data }) => data)).toEqual(["first", "second"]);
});

test("text and bytes arrive, also no bytes at all", async () => {
  const { session, host } = makeHosted();
  session.send("4text", Buffer.from([0, 255]), Buffer.alloc(0), "3");
  await settled();
  expect(host.packets).toEqual([
    { type: "message", data: "text" },
    { type: "message", data: Buffer.from([0, 255]) },
    { type: "message", data: Buffer.alloc(0) },
    { type: "pong", data: undefined },
  ]);
});

test("packets go to the host that was named last", async () => {
  const { session, transport, host } = makeHosted();
  session.send("4one");
  await settled();
  const next = new NotingHost();
  transport.host(next);
  session.send("4two");
  await settled();
  expect(host.packets.map(({ data }) => data)).toEqual(["one"]);
  expect(next.packets.map(({ data }) => data)).toEqual(["two"]);
});

test("a frame above the limit is a parse error", async () => {
  const { session, host } = makeHosted([], 10);
  session.send("4" + "x".repeat(9), "4" + "x".repeat(10), "4after");
  await settled();
  expect(host.packets).toHaveLength(1);
  expect(host.errors).toMatchObject([{ code: "ERR_PACKET_PAYLOAD" }]);
});

test("a frame that is no packet is a parse error", async () => {
  const { session, host } = makeHosted();
  session.send("4before", "x", "4after");
  await settled();
  expect(host.packets.map(({ data }) => data)).toEqual(["before"]);
  expect(host.errors).toMatchObject([{ code: "ERR_PACKET_TYPE" }]);
});

test("a session that the peer closes is a close, told once", async () => {
  const { session, transport, host } = makeHosted();
  session.leave();
  session.resetStream(new Error("session closed"));
  await settled();
  expect(host.log).toEqual(["close"]);
  expect(transport.writable).toBe(false);
});

test("a stream that the peer ends is a close", async () => {
  const { session, host } = makeHosted();
  session.endStream();
  await settled();
  expect(host.log).toEqual(["close"]);
});

test("a session that fails is an error with its cause", async () => {
  const { session, host } = makeHosted();
  const cause = new Error("connection lost");
  session.fail(cause);
  await settled();
  expect(host.log).toEqual(["error"]);
  expect(host.errors).toMatchObject([{ code: "ERR_TRANSPORT_CONNECTION", cause }]);
});

test("a session that was over before there was a host tells the first host", async () => {
  const { session, transport } = make(["4lost"]);
  session.fail(new Error("connection lost"));
  await settled();
  const host = new NotingHost();
  transport.host(host);
  await settled();
  expect(host.log).toEqual(["error"]);
  expect(host.packets).toEqual([]);
});

test("a stream that breaks for the reader ends the session", async () => {
  const { session, host } = makeHosted();
  session.resetStream(new Error("reset by peer"));
  await settled();
  expect(session.closeCalls).toBe(1);
  expect(host.log).toEqual(["close"]);
});

test("a write that fails ends the session", async () => {
  const { session, transport, host } = makeHosted();
  session.pause();
  let isWritten = false;
  transport.send([{ type: "message", data: "abc" }], () => {
    isWritten = true;
  });
  await settled();
  session.resume(new Error("stopped by peer"));
  await settled();
  expect(session.closeCalls).toBe(1);
  expect(host.log).toEqual(["close"]);
  expect(isWritten).toBe(false);
  expect(transport.writable).toBe(false);
});

test("a session whose close throws harms nobody", async () => {
  const { session, transport } = makeHosted();
  session.close = () => {
    throw new Error("already closed");
  };
  let isClosed = false;
  transport.close(() => {
    isClosed = true;
  });
  expect(isClosed).toBe(true);
});

test("when no message was sent, it closes at once", () => {
  const { session, transport } = makeHosted();
  transport.send([{ type: "pong", data: "probe" }]);
  const log: string[] = [];
  transport.on("close", () => log.push("event"));
  transport.close(() => log.push("closed"));
  transport.close(() => log.push("again"));
  expect(session.closeCalls).toBe(1);
  expect(log).toEqual(["closed", "event", "again"]);
});

test("it closes once the peer has answered a ping behind what was sent", async () => {
  const { session, transport, clock } = makeHosted();
  let isClosed = false;
  transport.send([{ type: "message", data: "last" }]);
  transport.close(() => {
    isClosed = true;
  });
  await settled();
  expect(session.frames).toEqual(["4last", "2"]);
  expect(transport.writable).toBe(false);
  expect(session.closeCalls).toBe(0);

  session.send("4still here", "3");
  await settled();
  expect(session.closeCalls).toBe(1);
  expect(isClosed).toBe(true);
  expect(clock.pending).toBe(0);
});

test("the answer to an earlier ping does not count for the last one", async () => {
  const { session, transport } = makeHosted();
  transport.send([{ type: "ping" }, { type: "message", data: "last" }]);
  transport.close();
  session.send("3");
  await settled();
  expect(session.closeCalls).toBe(0);
  session.send("3");
  await settled();
  expect(session.closeCalls).toBe(1);
});

test("a peer that does not answer the last ping is waited for no longer than closeTimeout", () => {
  const { session, transport, clock } = makeHosted();
  transport.closeTimeout = 500;
  transport.send([{ type: "message", data: "last" }]);
  transport.close();
  clock.advance(499);
  expect(session.closeCalls).toBe(0);
  clock.advance(1);
  expect(session.closeCalls).toBe(1);
});

test.each<[how: string, end: (session: FakeWebTransport) => void]>([
  ["leaves", (session) => session.leave()],
  ["ends its stream", (session) => session.endStream()],
  ["resets its stream", (session) => session.resetStream(new Error("reset"))],
  ["is lost", (session) => session.fail(new Error("lost"))],
  ["sends garbage", (session) => session.send("x")],
])("a close is over when the peer %s", async (_how, end) => {
  const { session, transport, host, clock } = makeHosted();
  let isClosed = false;
  transport.send([{ type: "message", data: "last" }]);
  transport.close(() => {
    isClosed = true;
  });
  end(session);
  await settled();
  expect(isClosed).toBe(true);
  expect(host.log).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("after discard, close waits for nobody", () => {
  const { session, transport, clock } = makeHosted();
  transport.send([{ type: "message", data: "last" }]);
  transport.close();
  transport.discard();
  transport.close();
  expect(session.closeCalls).toBe(1);
  expect(clock.pending).toBe(0);
});

test("what a session sends before it closes arrives before the end", async () => {
  const { session: webTransport, transport } = make();
  const { context, session: other } = makeSession();
  const { request } = other;
  const session = new Session(context, { id: "sid", codec: codecV4, transport, request });
  session.open();
  await settled();
  session.send("bye");
  session.close();
  await tick();
  await settled();
  expect(webTransport.frames.slice(1)).toEqual(["4bye", "2"]);
  const reasons: string[] = [];
  session.on("close", (reason) => reasons.push(reason));
  webTransport.send("3");
  await settled();
  expect(webTransport.closeCalls).toBe(1);
  expect(reasons).toEqual(["forced close"]);
});
