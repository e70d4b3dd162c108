import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { codecV4 } from "@jackfield/parser";
import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { queryOf } from "../src/request.js";
import type { TransportName } from "../src/transports/transport.js";
import type { WebTransportTransport } from "../src/transports/webtransport.js";
import { acceptWebTransport, judgeWebTransport, requestOf } from "../src/webtransport-handshake.js";
import { FakeWebTransport, frame, settled } from "./fake-webtransport.js";

const ignore = (): void => {};

interface Accepted {
  readonly transport: WebTransportTransport;
  readonly sid: string | undefined;
}

function accept(session = new FakeWebTransport()) {
  const clock = new FakeClock();
  const accepted: Accepted[] = [];
  const options = { maxHttpBufferSize: 100, upgradeTimeout: 1000 };
  acceptWebTransport(session, { codec: codecV4, clock, options }, (transport, sid) =>
    accepted.push({ transport, sid }),
  );
  return { session, clock, accepted };
}

test("an open packet asks for a new session", async () => {
  const { session, clock, accepted } = accept();
  session.openStream();
  session.send("0");
  await settled();
  expect(accepted).toMatchObject([{ sid: undefined }]);
  expect(session.closeCalls).toBe(0);
  expect(clock.pending).toBe(0);
});

test("an open packet with a session id asks for the upgrade of that session", async () => {
  const { session, accepted } = accept();
  session.openStream();
  session.send('0{"sid":"abc"}');
  await settled();
  expect(accepted).toMatchObject([{ sid: "abc" }]);
});

test("the first packet may arrive byte by byte", async () => {
  const { session, accepted } = accept();
  session.openStream();
  for (const byte of frame('0{"sid":"abc"}')) session.sendBytes(Buffer.from([byte]));
  await settled();
  expect(accepted).toMatchObject([{ sid: "abc" }]);
});

test("packets that come together with the first one are kept for the host", async () => {
  const { session, accepted } = accept();
  session.openStream();
  session.send('0{"sid":"abc"}', "2probe", "5");
  await settled();
  const types: string[] = [];
  accepted[0]?.transport.host({
    onPacket: ({ type }) => types.push(type),
    onReady: ignore,
    onClose: ignore,
    onError: ignore,
    onParseError: ignore,
  });
  await settled();
  expect(types).toEqual(["ping", "upgrade"]);
});

test.each<[what: string, bytes: Buffer]>([
  ["a packet of another type", frame("4hello")],
  ["a packet of an unknown type", frame("x")],
  ["bytes", frame(Buffer.from("0"))],
  ["an open packet without an id", frame("0{}")],
  ["an open packet with an empty id", frame('0{"sid":""}')],
  ["an open packet with a number for an id", frame('0{"sid":1}')],
  ["an open packet with null", frame("0null")],
  ["an open packet that is not JSON", frame("0{")],
  ["empty text", frame("")],
  ["a frame above the limit", frame("0".repeat(101))],
  ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
])("%s first closes the session", async (_what, bytes) => {
  const { session, clock, accepted } = accept();
  session.openStream();
  session.sendBytes(bytes);
  if (bytes.toString().startsWith("GET")) session.endStream();
  await settled();
  expect(session.closeCalls).toBe(1);
  expect(accepted).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("a client that opens no stream within upgradeTimeout is closed", async () => {
  const { session, clock, accepted } = accept();
  await settled();
  clock.advance(999);
  expect(session.closeCalls).toBe(0);
  clock.advance(1);
  expect(session.closeCalls).toBe(1);
  session.openStream();
  session.send("0");
  await settled();
  expect(accepted).toEqual([]);
});

test("a client that sends no packet within upgradeTimeout is closed", async () => {
  const { session, clock } = accept();
  session.openStream();
  session.sendBytes(Buffer.from([1]));
  await settled();
  clock.advance(1000);
  expect(session.closeCalls).toBe(1);
});

test.each<[how: string, end: (session: FakeWebTransport) => void]>([
  ["without a stream", (session) => session.endStreams()],
  ["by closing the session", (session) => session.leave()],
  ["by losing the connection", (session) => session.fail(new Error("lost"))],
  [
    "by ending the stream",
    (session) => {
      session.openStream();
      session.endStream();
    },
  ],
  [
    "by resetting the stream",
    (session) => {
      session.openStream();
      session.resetStream(new Error("reset"));
    },
  ],
])("a client that leaves %s is forgotten", async (_how, end) => {
  const { session, clock, accepted } = accept();
  end(session);
  await settled();
  expect(session.closeCalls).toBe(1);
  expect(accepted).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("a session that cannot be read is closed", async () => {
  const session = new FakeWebTransport();
  session.incomingBidirectionalStreams.getReader();
  accept(session);
  await settled();
  expect(session.closeCalls).toBe(1);
});

test("a session whose ready promise is rejected harms nobody", async () => {
  const session = Object.assign(new FakeWebTransport(), {
    ready: Promise.reject(new Error("not ready")),
  });
  accept(session);
  session.fail(new Error("not ready"));
  await settled();
  expect(session.closeCalls).toBe(1);
});

test("the request of a session has what the host told of it", () => {
  const req = requestOf({
    headers: { origin: "https://example.com" },
    url: "/engine.io/?EIO=4&token=x",
    socket: { remoteAddress: "192.0.2.1" },
  });
  expect(req).toBeInstanceOf(IncomingMessage);
  expect(req.method).toBe("GET");
  expect(req.headers.origin).toBe("https://example.com");
  expect(req.socket.remoteAddress).toBe("192.0.2.1");
  expect(queryOf(req)).toMatchObject({ EIO: "4", transport: "webtransport", token: "x" });
});

test("an IncomingMessage is taken as it is", () => {
  const given = new IncomingMessage(new Socket());
  expect(requestOf(given)).toBe(given);
});

test("without anything told, the request is empty and secure", () => {
  const req = requestOf(undefined);
  expect(req.headers).toEqual({});
  expect(req.url).toBe("");
  expect(req.socket.remoteAddress).toBeUndefined();
  expect(req.socket).toMatchObject({ encrypted: true });
  expect(queryOf(req)).toEqual({ EIO: "4", transport: "webtransport" });
});

test("a session cannot ask for another protocol revision by its URL", () => {
  expect(queryOf(requestOf({ headers: {}, url: "/?EIO=3" }))).toMatchObject({ EIO: "4" });
});

const SESSIONS: Record<string, { protocol: number; transport: { name: TransportName } }> = {
  current: { protocol: 4, transport: { name: "polling" } },
  old: { protocol: 3, transport: { name: "polling" } },
};

function judge(sid?: string, asks: Partial<{ middlewares: true; allowRequest: true }> = {}) {
  return (hasRequest: boolean, transports: TransportName[] = ["polling", "webtransport"]) =>
    judgeWebTransport(sid, hasRequest, {
      transports,
      sessionOf: (id) => SESSIONS[id],
      middlewares: asks.middlewares === true ? [() => {}] : [],
      hasAllowRequest: asks.allowRequest ?? false,
    });
}

test("a server that does not offer WebTransport refuses", () => {
  expect(judge()(true, ["polling", "websocket"])).toMatchObject({ code: 0 });
});

test("an upgrade needs a session of the same protocol revision", () => {
  expect(judge("current")(false)).toBeUndefined();
  expect(judge("unknown")(false)).toMatchObject({ code: 1, context: { sid: "unknown" } });
  expect(judge("old")(false)).toMatchObject({ code: 3, context: { name: "PROTOCOL_MISMATCH" } });
});

test("a handshake without a request is refused when allowRequest would have to be asked", () => {
  const refused = { code: 4, context: { name: "REQUEST_MISSING" } };
  expect(judge()(false)).toBeUndefined();
  expect(judge(undefined, { allowRequest: true })(false)).toMatchObject(refused);
  expect(judge(undefined, { allowRequest: true })(true)).toBeUndefined();
  expect(judge("current", { allowRequest: true })(false)).toBeUndefined();
});

test("without a request, middlewares refuse handshakes and upgrades", () => {
  const refused = { code: 4, context: { name: "REQUEST_MISSING" } };
  expect(judge(undefined, { middlewares: true })(false)).toMatchObject(refused);
  expect(judge("current", { middlewares: true })(false)).toMatchObject(refused);
  expect(judge("current", { middlewares: true })(true)).toBeUndefined();
});
