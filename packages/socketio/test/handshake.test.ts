import { expect, test } from "vitest";
import { buildHandshake } from "../src/handshake.js";
import type { EngineSession } from "../src/engine-port.js";
import { Harness } from "./harness.js";

test("the handshake has the fields of the first request (K3)", () => {
  const harness = new Harness();
  harness.clock.advance(1_500_000);
  const { socket } = harness.join("/", {
    url: "/socket.io/?EIO=4&transport=memory&name=a%20b",
    headers: { origin: "http://elsewhere.example" },
  });
  expect(socket.handshake).toEqual({
    headers: { host: "localhost", origin: "http://elsewhere.example" },
    time: String(new Date(1_500_000)),
    address: "127.0.0.1",
    xdomain: true,
    secure: false,
    issued: 1_500_000,
    url: "/socket.io/?EIO=4&transport=memory&name=a%20b",
    query: { EIO: "4", transport: "memory", name: "a b" },
    auth: {},
  });
});

test("the handshake is made once", () => {
  const { socket } = new Harness().join();
  expect(socket.handshake).toBe(socket.handshake);
});

test("auth is what the CONNECT packet carries (behaviour 75)", () => {
  const harness = new Harness();
  harness.open().send('0{"token":"x"}');
  const [socket] = harness.io.sockets.sockets.values();
  expect(socket?.handshake.auth).toEqual({ token: "x" });
});

test("the query that the engine has parsed is taken", () => {
  const harness = new Harness();
  const peer = harness.open();
  const query = { parsed: "1" };
  Object.assign(peer.session.request, { _query: query });
  expect(harness.joinWith(peer).handshake.query).toBe(query);
});

test("an encrypted connection is secure", () => {
  const harness = new Harness();
  const peer = harness.open();
  Object.assign(peer.session.request.socket, { encrypted: true });
  expect(harness.joinWith(peer).handshake.secure).toBe(true);
});

test("a request that was deleted to save memory is not needed", () => {
  const session = { request: null, remoteAddress: "::1" } as unknown as EngineSession;
  expect(buildHandshake(session, {}, 0)).toMatchObject({
    headers: {},
    secure: true,
    xdomain: false,
    query: {},
    url: undefined,
    address: "::1",
  });
});

test("adapters of a cluster can copy the handshake", () => {
  const { socket } = new Harness().join();
  const { headers, ...others } = socket.handshake;
  expect(Object.keys(others)).toHaveLength(8);
  expect(JSON.parse(JSON.stringify(socket.handshake))).toMatchObject({ headers });
});
