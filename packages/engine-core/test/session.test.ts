import { expect, test, vi } from "vitest";
import { PacketError } from "@jackfield/parser";
import type { OutgoingPacket } from "../src/codec.js";
import { TransportError } from "../src/errors.js";
import type { SessionSink } from "../src/session.js";
import { FakeTransport } from "./fake-transport.js";
import { makeSession, openSession, sessionIn, tick } from "./fixtures.js";

test("the open packet leaves at once and announces the times and limits (18)", () => {
  const { session, transport } = makeSession({ pingInterval: 300, maxHttpBufferSize: 1000 });
  session.open();
  expect(transport.sent).toEqual([
    [
      {
        type: "open",
        data: '{"sid":"sid","upgrades":["websocket"],"pingInterval":300,"pingTimeout":20000,"maxPayload":1000}',
      },
    ],
  ]);
});

test("the initial packet follows the open packet in the same flush (20)", () => {
  const { session, transport } = makeSession({ initialPacket: "hi" });
  session.open();
  expect(transport.sent).toHaveLength(1);
  expect(transport.sent[0]?.[1]).toEqual({ type: "message", data: "hi" });
});

test("what a tick sends leaves together at its end", async () => {
  const { session, transport } = openSession();
  session.send("a");
  session.send("b");
  expect(transport.sent).toEqual([]);
  await tick();
  expect(transport.sent).toEqual([
    [
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ],
  ]);
});

test("packets wait while the transport is not writable, and leave when it is", async () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("a");
  await tick();
  session.send("b");
  await tick();
  expect(transport.sent).toEqual([]);
  expect(session.bufferedBytes).toBe(2);
  transport.writable = true;
  transport.peer.onReady();
  expect(transport.sent.flat().map(({ data }) => data)).toEqual(["a", "b"]);
  expect(session.bufferedBytes).toBe(0);
});

test("views are sent as the bytes that they show", async () => {
  const { session, transport } = openSession();
  session.send(new Uint16Array([1, 2, 3]).subarray(1, 2));
  session.send(new Uint8Array([7]).buffer);
  await tick();
  expect(transport.sent.flat().map(({ data }) => data)).toEqual([
    Buffer.from([2, 0]),
    Buffer.from([7]),
  ]);
});

test("send callbacks run once the kernel has the packet", async () => {
  const { session, transport } = openSession();
  const called: string[] = [];
  session.send("a", (used) => called.push(used.name));
  session.send("b", { compress: false }, () => called.push("second"));
  await tick();
  expect(called).toEqual([]);
  transport.finishWriting();
  expect(called).toEqual(["websocket", "second"]);
});

test("writable says whether a packet would leave with nothing before it (111)", async () => {
  const { session, transport } = openSession();
  expect(session.writable).toBe(true);
  session.send("a");
  expect(session.writable).toBe(false);
  await tick();
  expect(session.writable).toBe(true);
  transport.bufferedBytes = 1;
  expect(session.writable).toBe(false);
});

test("messages reach the sink and the listeners of data and message", () => {
  const { session, transport } = openSession();
  const heard: unknown[] = [];
  const sink: SessionSink = { onMessage: (data) => heard.push(data), onClose: () => {} };
  session.bindSink(sink);
  session.on("data", (data) => heard.push(`data ${String(data)}`));
  session.on("message", (data) => heard.push(`message ${String(data)}`));
  transport.peer.onPacket({ type: "message", data: "a" });
  expect(heard).toEqual(["a", "data a", "message a"]);
});

test("a throwing listener is reported, and the session goes on", () => {
  const { session, transport, errors } = openSession();
  const failure = new Error("mine");
  session.once("data", () => {
    throw failure;
  });
  transport.peer.onPacket({ type: "message", data: "a" });
  expect(errors).toEqual([failure]);
  expect(session.readyState).toBe("open");
});

test("a pong restarts the heartbeat", () => {
  const { session, transport, clock } = openSession();
  let heartbeats = 0;
  session.on("heartbeat", () => (heartbeats += 1));
  clock.advance(30_000);
  transport.peer.onPacket({ type: "pong" });
  clock.advance(24_000);
  expect(heartbeats).toBe(1);
  expect(session.readyState).toBe("open");
});

test("a peer that does not answer a ping is closed with ping timeout (R4)", async () => {
  const { session, transport, clock, closed } = openSession();
  const reasons: unknown[] = [];
  session.on("close", (reason) => reasons.push(reason));
  clock.advance(25_000);
  await tick();
  expect(transport.sent).toEqual([[{ type: "ping" }]]);
  clock.advance(20_000);
  expect(reasons).toEqual(["ping timeout"]);
  expect(closed).toEqual([session]);
});

test("a ping from a client of protocol 4 is a transport error (59)", () => {
  const { session, transport } = openSession();
  let description: Error | undefined;
  session.on("close", (_reason, error) => (description = error));
  transport.peer.onPacket({ type: "ping" });
  expect(description?.message).toBe("invalid heartbeat direction");
});

test.each([
  ["transport close", (transport: FakeTransport) => transport.peer.onClose()],
  [
    "transport error",
    (transport: FakeTransport) =>
      transport.peer.onError(new TransportError("ERR_TRANSPORT_ABORTED", "gone")),
  ],
  [
    "parse error",
    (transport: FakeTransport) =>
      transport.peer.onParseError(new PacketError("ERR_PACKET_TYPE", "what?")),
  ],
])("the session closes once, with %s", (reason, fail) => {
  const { session, transport, clock } = openSession();
  const reasons: string[] = [];
  session.bindSink({ onMessage: () => {}, onClose: (why) => reasons.push(`sink: ${why}`) });
  session.on("close", (why) => reasons.push(why));
  const { peer } = transport;
  fail(transport);
  peer.onClose();
  session.close();
  clock.advance(100_000);
  expect(reasons).toEqual([`sink: ${reason}`, reason]);
  expect(transport.log).toContain("close");
});

test("the write buffer can be read in close listeners, and is gone after (107)", async () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("unsent");
  let unsent: unknown;
  session.on("close", () => (unsent = session.writeBuffer.map(({ data }) => data)));
  transport.peer.onClose();
  expect(unsent).toEqual(["unsent"]);
  await tick();
  expect(session.writeBuffer).toEqual([]);
});

test("close sends what waits, then closes the transport", () => {
  const { session, transport } = openSession();
  const reasons: string[] = [];
  session.on("close", (reason) => reasons.push(reason));
  session.send("last");
  session.close();
  expect(transport.sent).toEqual([[{ type: "message", data: "last" }]]);
  expect(reasons).toEqual(["forced close"]);
});

test("close waits for a transport that is not writable", () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("last");
  session.close();
  session.send("too late");
  expect(session.readyState).toBe("closing");
  transport.writable = true;
  transport.peer.onReady();
  expect(transport.sent).toEqual([[{ type: "message", data: "last" }]]);
  expect(session.readyState).toBe("closed");
});

test("close with discard waits for nothing (39)", () => {
  const { session, transport } = openSession();
  transport.writable = false;
  session.send("lost");
  session.close(true);
  expect(transport.log.slice(0, 2)).toEqual(["discard", "close"]);
  expect(session.readyState).toBe("closed");
});

test("close with discard sends what waits for the end of the tick (39)", () => {
  const { session, transport } = openSession();
  session.send("last");
  session.close(true);
  expect(transport.sent).toEqual([[{ type: "message", data: "last" }]]);
  expect(transport.log.slice(-2)).toEqual(["discard", "close"]);
  expect(session.readyState).toBe("closed");
});

test("who closes the session while the last packets leave closes it once (39)", () => {
  const { session, transport } = openSession();
  const closed = vi.fn<() => void>();
  session.on("close", closed);
  session.on("drain", () => session.destroy());
  session.send("last");
  session.close(true);
  expect(closed).toHaveBeenCalledTimes(1);
  expect(transport.sent).toHaveLength(1);
  expect(transport.log).toEqual(["discard", "close", "destroy"]);
});

test("packets that arrive while closing are ignored", () => {
  const { session, transport } = openSession();
  const heard: unknown[] = [];
  session.on("data", (data) => heard.push(data));
  transport.writable = false;
  session.send("last");
  session.close();
  transport.peer.onPacket({ type: "message", data: "late" });
  expect(heard).toEqual([]);
});

test("a prepared message is encoded by the first session and shared by the others", async () => {
  const first = openSession();
  const second = openSession();
  const message = {
    type: "message",
    data: "hello",
    options: undefined,
    frame: undefined,
  } as const as Parameters<typeof first.session.sendPrepared>[0];
  first.session.sendPrepared(message);
  const { frame } = message;
  expect(frame).toEqual(Buffer.from("\x81\x064hello", "latin1"));
  second.session.sendPrepared(message);
  expect(message.frame).toBe(frame);
  await tick();
  expect(second.transport.sent).toEqual([[{ type: "message", data: "hello" }]]);
});

test("who changes what waits for one session changes nothing for the others", async () => {
  const { session: first, transport, context } = openSession();
  const otherTransport = new FakeTransport();
  const other = sessionIn(context, otherTransport);
  other.open();
  await tick();
  // A listener gets an array of its own.
  first.on("flush", (packets) => ((packets as OutgoingPacket[]).length = 0));
  for (const data of ["a", "b"]) {
    const message: OutgoingPacket = { type: "message", data, frame: undefined };
    for (const session of [first, other]) session.sendPrepared(message);
  }
  first.writeBuffer.pop();
  await tick();
  expect(transport.sent).toEqual([[{ type: "message", data: "a" }]]);
  expect(otherTransport.sent.at(-1)).toEqual([
    { type: "message", data: "a" },
    { type: "message", data: "b" },
  ]);
});

test("what a session sends alone keeps its place between what all send", async () => {
  const { session, transport } = openSession();
  for (const data of ["a", "b", "c"]) {
    session.sendPrepared({ type: "message", data, frame: undefined });
    session.send(`${data} alone`);
  }
  const all = ["a", "a alone", "b", "b alone", "c", "c alone"];
  expect(session.writeBuffer.map(({ data }) => data)).toEqual(all);
  await tick();
  expect(transport.sent[0]?.map(({ data }) => data)).toEqual(all);
});

test("the session changes over to the candidate, and the heartbeat goes on (49, 54)", async () => {
  const polling = new FakeTransport("polling");
  const { session, clock } = openSession({}, polling);
  const candidate = new FakeTransport("websocket");
  const log: string[] = [];
  session.on("upgrading", (transport) => log.push(`upgrading ${transport.name}`));
  session.on("upgrade", (transport) => log.push(`upgrade ${transport.name}`));
  session.on("close", (reason) => log.push(reason));
  clock.advance(25_000);
  await tick();
  session.probe(candidate);
  candidate.peer.onPacket({ type: "ping", data: "probe" });
  expect(session.upgrading).toBe(true);
  polling.writable = false;
  session.send("waited");
  candidate.peer.onPacket({ type: "upgrade" });
  expect(session.transport).toBe(candidate);
  expect(session.upgraded).toBe(true);
  expect(polling.log).toEqual(["discard", "close"]);
  expect(candidate.sent).toEqual([
    [{ type: "pong", data: "probe" }],
    [{ type: "message", data: "waited" }],
  ]);
  clock.advance(20_000);
  expect(log).toEqual(["upgrading websocket", "upgrade websocket", "ping timeout"]);
});

test("what the old transport still tells does not concern the upgraded session (52)", () => {
  const polling = new FakeTransport("polling");
  const { session } = openSession({}, polling);
  const candidate = new FakeTransport("websocket");
  session.probe(candidate);
  candidate.peer.onPacket({ type: "upgrade" });
  polling.peer.onError(new TransportError("ERR_TRANSPORT_ABORTED", "gone"));
  polling.peer.onClose();
  expect(session.readyState).toBe("open");
});

test("a second candidate is closed, during the upgrade and after (16)", () => {
  const { session } = openSession({}, new FakeTransport("polling"));
  const candidate = new FakeTransport("websocket");
  const during = new FakeTransport("websocket");
  const after = new FakeTransport("websocket");
  session.probe(candidate);
  session.probe(during);
  expect(during.log).toEqual(["close"]);
  candidate.peer.onPacket({ type: "upgrade" });
  session.probe(after);
  expect(after.log).toEqual(["close"]);
  expect(session.transport).toBe(candidate);
});

test("closing a session closes its candidate", () => {
  const { session } = openSession({}, new FakeTransport("polling"));
  const candidate = new FakeTransport("websocket");
  session.probe(candidate);
  session.close();
  expect(candidate.log).toEqual(["close"]);
});

test("a throwing observer of packets is reported, and the packet is sent", async () => {
  const { session, transport, errors } = openSession();
  const failure = new Error("mine");
  session.on("packetCreate", () => {
    throw failure;
  });
  session.send("a");
  await tick();
  expect(errors).toEqual([failure]);
  expect(transport.sent).toEqual([[{ type: "message", data: "a" }]]);
});

test("bytes for many that wait for a poll are encoded anew for the WebSocket of the upgrade", async () => {
  const polling = new FakeTransport("polling");
  const { session } = openSession({}, polling);
  polling.writable = false;
  const message: OutgoingPacket = { type: "message", data: Buffer.from([1]), frame: undefined };
  const created: OutgoingPacket[] = [];
  session.on("packetCreate", (packet) => created.push(packet));
  session.sendPrepared(message);
  // Another session has encoded it meanwhile, in its own revision of the protocol.
  message.frame = Buffer.from([0x82, 1, 1]);
  expect(created[0]?.frame).toBeUndefined();
});
