import { expect, test } from "vitest";
import type { ServerOptions } from "../src/options.js";
import { Server } from "../src/server.js";
import type { Session } from "../src/session.js";
import type { WebTransportRequest } from "../src/webtransport-handshake.js";
import { FakeWebTransport, settled } from "./fake-webtransport.js";

function makeServer(options: ServerOptions) {
  const server = new Server({ transports: ["polling", "webtransport"], ...options });
  const refusals: unknown[] = [];
  server.on("connection_error", ({ context }) => refusals.push(context["name"]));
  const connect = async (remoteAddress: string, headers: WebTransportRequest["headers"] = {}) => {
    const client = new FakeWebTransport();
    server.onWebTransportSession(client, { headers, socket: { remoteAddress } });
    client.openStream();
    client.send("0");
    await settled();
    return client;
  };
  return { server, refusals, connect };
}

test("WebTransport sessions take places, and free them", async () => {
  const { server, refusals, connect } = makeServer({
    maxConnections: 2,
    maxConnectionsPerAddress: 1,
  });
  const first = await connect("192.0.2.1");
  expect((await connect("192.0.2.1")).closeCalls).toBe(1);
  expect((await connect("192.0.2.2")).closeCalls).toBe(0);
  expect((await connect("192.0.2.3")).closeCalls).toBe(1);
  expect(refusals).toEqual(["MAX_CONNECTIONS_PER_ADDRESS", "MAX_CONNECTIONS"]);
  first.leave();
  await settled();
  expect(server.clientsCount).toBe(1);
  expect((await connect("192.0.2.1")).closeCalls).toBe(0);
});

test("origins, rates and draining hold for WebTransport", async () => {
  const { server, refusals, connect } = makeServer({
    allowedOrigins: ["https://example.com"],
    handshakeRate: { perSecond: 0.001, burst: 1 },
  });
  expect((await connect("192.0.2.1", { origin: "https://evil.example" })).closeCalls).toBe(1);
  expect((await connect("192.0.2.1", { origin: "https://example.com" })).closeCalls).toBe(0);
  expect((await connect("192.0.2.1", { origin: "https://example.com" })).closeCalls).toBe(1);
  server.drain();
  expect((await connect("192.0.2.2")).closeCalls).toBe(1);
  expect(refusals).toEqual(["ORIGIN_NOT_ALLOWED", "HANDSHAKE_RATE", "DRAINING"]);
});

test("a WebTransport client that does not read is cut off at the bound", async () => {
  const { server, connect } = makeServer({ maxBufferedBytes: 100_000 });
  const closings: unknown[][] = [];
  let session: Session | undefined;
  server.on("connection", (opened) => {
    session = opened;
    opened.on("close", (...args) => closings.push(args));
  });
  const client = await connect("192.0.2.1");
  client.pause();
  let most = 0;
  for (let count = 0; count < 1000; count += 1) {
    session?.send("x".repeat(10_000));
    most = Math.max(most, session?.bufferedBytes ?? Infinity);
    if (count % 3 === 0) await settled();
  }
  expect(most).toBeLessThanOrEqual(100_000);
  expect(most).toBeGreaterThan(70_000);
  expect(closings).toEqual([
    ["transport error", expect.objectContaining({ code: "ERR_SLOW_CONSUMER" })],
  ]);
  expect(client.closeCalls).toBe(1);
});
