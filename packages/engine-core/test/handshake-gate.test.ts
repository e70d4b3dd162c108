import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { HandshakeGate } from "../src/handshake-gate.js";
import { resolveOptions, type ServerOptions } from "../src/options.js";

function makeGate(options: ServerOptions = {}) {
  const clock = new FakeClock();
  const counted = { clients: 0 };
  const gate = new HandshakeGate({
    options: resolveOptions(options),
    clock,
    clientsCount: () => counted.clients,
    onHandlerError: () => {},
  });
  return { gate, clock, counted };
}

interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: IncomingHttpHeaders;
}

function request(remoteAddress: string | undefined, asked: Asked = {}) {
  const socket = { remoteAddress };
  // One cast: the gate reads no more of a request.
  return {
    method: "GET",
    url: "/?EIO=4",
    headers: {},
    socket,
    ...asked,
  } as unknown as IncomingMessage;
}

test("a gate without limits is open, and counts no addresses", () => {
  const { gate, counted } = makeGate();
  counted.clients = 1_000_000;
  gate.enter("192.0.2.1");
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
  expect(gate.judgeUpgrade(request("192.0.2.1"), undefined)).toBeUndefined();
  expect(gate.addressCount).toBe(0);
});

test("addresses without sessions are forgotten", () => {
  const { gate } = makeGate({ maxConnectionsPerAddress: 2 });
  for (let last = 0; last < 200; last += 1) {
    gate.enter(`192.0.2.${last}`);
    gate.enter(`::ffff:192.0.2.${last}`);
  }
  expect(gate.addressCount).toBe(200);
  expect(gate.judgeRequest(request("192.0.2.7"))?.status).toBe(429);
  for (let last = 0; last < 200; last += 1) gate.leave(`192.0.2.${last}`);
  const waiting = request("192.0.2.7");
  expect(gate.judgeRequest(waiting)).toBeUndefined();
  for (let last = 0; last < 200; last += 1) gate.leave(`192.0.2.${last}`);
  expect(gate.addressCount).toBe(1);
  gate.release(waiting);
  gate.release(waiting);
  expect(gate.addressCount).toBe(0);
});

test("who passes the gate keeps its place until it is released, once", () => {
  const { gate, counted } = makeGate({ maxConnections: 2 });
  const [first, second] = [request("192.0.2.1"), request("192.0.2.1")];
  counted.clients = 1;
  expect(gate.judgeRequest(first)).toBeUndefined();
  expect(gate.judgeRequest(first)).toBeUndefined();
  expect(gate.waitingCount).toBe(1);
  expect(gate.judgeUpgrade(second, undefined)?.status).toBe(503);
  expect(gate.judgeRoom(first)).toBeUndefined();
  expect(gate.judgeRoom(second)?.status).toBe(503);
  gate.release(first);
  gate.release(first);
  expect(gate.waitingCount).toBe(0);
  expect(gate.judgeRoom(second)).toBeUndefined();
  gate.drain();
  expect(gate.judgeRoom(second)?.status).toBe(503);
});

test("a connection is as before when the place of its handshake is released", () => {
  const { gate } = makeGate({ maxConnections: 2 });
  const waiting = request("192.0.2.1");
  const stream = new PassThrough();
  const listeners = () => ["close", "end", "readable"].map((event) => stream.listenerCount(event));
  const before = listeners();
  gate.judgeUpgrade(waiting, undefined);
  gate.watchUpgrade(waiting, stream);
  expect(listeners()).not.toEqual(before);
  gate.handOver(waiting, stream);
  gate.watchUpgrade(waiting, stream);
  gate.release(waiting);
  expect(listeners()).toEqual(before);
});

test("who is refused has no place", () => {
  const { gate } = makeGate({
    maxConnections: 5,
    handshakeRate: { perSecond: 1, burst: 1 },
    allowedOrigins: ["https://example.com"],
  });
  const foreign = { headers: { origin: "https://evil.example" } };
  expect(gate.judgeRequest(request("192.0.2.1", foreign))?.code).toBe(4);
  expect(gate.waitingCount).toBe(0);
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
  expect(gate.judgeRequest(request("192.0.2.1"))?.status).toBe(429);
  expect(gate.waitingCount).toBe(1);
});

test("without quotas nobody is kept in mind", () => {
  const { gate } = makeGate({ handshakeRate: { perSecond: 1, burst: 1 } });
  const asked = request("192.0.2.1");
  expect(gate.judgeRequest(asked)).toBeUndefined();
  expect(gate.waitingCount).toBe(0);
});

test("connections of unknown origin share one address", () => {
  const { gate } = makeGate({ maxConnectionsPerAddress: 1 });
  gate.enter("");
  expect(gate.judgeRequest(request(undefined))?.status).toBe(429);
});

test("only handshakes are counted, not preflights, polls and posts", () => {
  const { gate } = makeGate({ handshakeRate: { perSecond: 1, burst: 1 } });
  const preflight = request("192.0.2.1", { method: "OPTIONS" });
  const poll = request("192.0.2.1", { url: "/?EIO=4&sid=x" });
  for (const req of [preflight, poll, preflight, poll]) {
    expect(gate.judgeRequest(req)).toBeUndefined();
  }
  expect(gate.judgeUpgrade(request("192.0.2.1"), "x")).toBeUndefined();
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
  expect(gate.judgeRequest(request("192.0.2.1"))).toMatchObject({ status: 429, retryAfter: 1 });
});

test("the rate follows the clock", () => {
  const { gate, clock } = makeGate({ handshakeRate: { perSecond: 0.1, burst: 1 } });
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
  clock.advance(4_500);
  expect(gate.judgeRequest(request("192.0.2.1"))).toMatchObject({ retryAfter: 6 });
  clock.advance(5_500);
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
});

test("who is refused for another reason keeps its token", () => {
  const { gate, counted } = makeGate({
    handshakeRate: { perSecond: 1, burst: 1 },
    maxConnections: 1,
  });
  counted.clients = 1;
  expect(gate.judgeRequest(request("192.0.2.1"))?.status).toBe(503);
  counted.clients = 0;
  expect(gate.judgeRequest(request("192.0.2.1"))).toBeUndefined();
});

test("draining closes the gate for handshakes alone", () => {
  const { gate } = makeGate();
  gate.drain();
  expect(gate.judgeRequest(request("192.0.2.1"))).toMatchObject({ status: 503, retryAfter: 1 });
  expect(gate.judgeUpgrade(request("192.0.2.1"), undefined)?.status).toBe(503);
  expect(gate.judgeUpgrade(request("192.0.2.1"), "x")).toBeUndefined();
  expect(gate.judgeRoom(request("192.0.2.1"))?.status).toBe(503);
});
