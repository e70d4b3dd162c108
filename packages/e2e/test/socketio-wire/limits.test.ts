import { expect, test } from "vitest";
import { CELLS, pair } from "../support/clients.js";
import { range } from "../support/range.js";
import { RawPolling } from "../support/raw-clients.js";
import { first, received } from "../support/wait.js";
import { joinWire, startWire } from "../support/wire.js";

const LIMIT = 1000;

test("a WebSocket message above maxHttpBufferSize is a transport error (134)", async () => {
  const server = await startWire({ maxHttpBufferSize: LIMIT });
  const { client, socket } = await joinWire(server);
  const gone = received(socket, "disconnect");
  client.send(`42["event","${"x".repeat(LIMIT)}"]`);
  const [reason, description] = await gone;
  expect(reason).toBe("transport error");
  expect(description).toBeInstanceOf(Error);
  expect((await client.closed).code).toBe(1009);
});

test("a WebSocket message of maxHttpBufferSize arrives (134)", async () => {
  const server = await startWire({ maxHttpBufferSize: LIMIT });
  const { client, socket } = await joinWire(server);
  const event = first<string>(socket, "event");
  const frame = '42["event",""]';
  const text = "x".repeat(LIMIT - frame.length);
  client.send(`42["event","${text}"]`);
  expect(await event).toBe(text);
  expect(client.handshake["maxPayload"]).toBe(LIMIT);
});

test("a POST above maxHttpBufferSize is refused and the session lives on (134)", async () => {
  const server = await startWire({ maxHttpBufferSize: LIMIT });
  const client = await RawPolling.open(server.port);
  await client.post("40");
  expect((await client.poll())[0]).toMatch(/^40\{/);
  expect(await client.post(`42["event","${"x".repeat(LIMIT)}"]`)).toBe(413);
  expect(await client.post('421["round trip"]')).toBe(200);
  expect(await client.poll()).toEqual(["431[]"]);
});

test("a client whose POST was too large leaves, which is a transport close (134)", async () => {
  const server = await startWire({ maxHttpBufferSize: LIMIT });
  for (const cell of CELLS.filter(({ transport }) => transport === "polling")) {
    const { client, socket } = await pair(server, cell);
    const reason = first(socket, "disconnect");
    client.emit("event", "x".repeat(LIMIT));
    expect(await reason).toBe("transport close");
  }
});

test.each(["4garbage", "49", "42["])("%s from a client is a forced close (134)", async (packet) => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  client.send(packet);
  expect(["forced close", "forced server close"]).toContain(await reason);
});

test("a frame that is no packet of the engine is a parse error (134)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  client.send("x");
  expect(await reason).toBe("parse error");
  expect((await client.closed).code).toBe(1005);
});

test("a connection that is cut is a transport close (134)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const reason = first(socket, "disconnect");
  client.cut();
  expect(await reason).toBe("transport close");
});

test("of 1000 volatile events in one tick, one is sent (135)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  for (const number of range(1000)) {
    socket.volatile.emit("volatile", number);
  }
  expect(await client.roundTrip()).toEqual(['42["volatile",0]']);
});

test("of 1000 volatile broadcasts in one tick, one is sent to everybody (135)", async () => {
  const server = await startWire();
  const one = await joinWire(server);
  const two = await joinWire(server);
  for (const number of range(1000)) {
    server.io.volatile.emit("volatile", number);
  }
  expect(await one.client.roundTrip()).toEqual(['42["volatile",0]']);
  expect(await two.client.roundTrip()).toEqual(['42["volatile",0]']);
});
