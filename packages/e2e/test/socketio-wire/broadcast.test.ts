// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { expect, test } from "vitest";
import { answerRoundTrips } from "../support/clients.js";
import { range } from "../support/range.js";
import { RawPolling } from "../support/raw-clients.js";
import { fix, startServer } from "../support/subject.js";
import { first, rejection, until } from "../support/wait.js";
import { type Joined, joinWire, startWire } from "../support/wire.js";

/** A server with so many clients. */
async function crowd(size: number) {
  const server = await startWire();
  const members: Joined[] = [];
  for (let number = 0; number < size; number++) {
    members.push(await joinWire(server));
  }
  return { io: server.io, members, at: (index: number) => memberAt(members, index) };
}

function memberAt(members: Joined[], index: number): Joined {
  const found = members[index];
  if (found === undefined) {
    throw new RangeError(`there is no member ${index}`);
  }
  return found;
}

/** What each of the clients got until now. */
function framesOf(members: Joined[]): Promise<unknown[][]> {
  return Promise.all(members.map(({ client }) => client.roundTrip()));
}

test("a socket is in the room of its id, and left out of what it broadcasts (108)", async () => {
  const { io, members, at } = await crowd(3);
  const { socket } = at(0);
  expect([...socket.rooms]).toEqual([socket.id]);
  for (const each of members) {
    await each.socket.join("room");
  }
  io.to(socket.id).emit("to its id");
  socket.to("room").emit("to its room");
  socket.broadcast.emit("to all others");
  socket.to(at(1).socket.id).emit("to another's id");
  const others = ['42["to its room"]', '42["to all others"]'];
  expect(await framesOf(members)).toEqual([
    ['42["to its id"]'],
    [...others, '42["to another\'s id"]'],
    others,
  ]);
  expect(socket.to("room")["exceptRooms"]).toEqual(new Set([socket.id]));
});

test("except() takes rooms and ids (108)", async () => {
  const { io, members, at } = await crowd(3);
  await at(0).socket.join("room");
  io.except("room").emit("not the room");
  io.except([at(1).socket.id, "unknown"]).emit("not the id");
  expect(await framesOf(members)).toEqual([
    ['42["not the id"]'],
    ['42["not the room"]'],
    ['42["not the room"]', '42["not the id"]'],
  ]);
});

test("a socket in several of the rooms gets one packet (109)", async () => {
  const { io, members, at } = await crowd(3);
  await at(0).socket.join(["a", "b", "c"]);
  await at(1).socket.join("b");
  io.to(["a", "b"]).to("c").to("a").emit("event");
  expect(await framesOf(members)).toEqual([['42["event"]'], ['42["event"]'], []]);
});

test("recipients come in the order of the rooms, then of joining (109)", async () => {
  const { io, members, at } = await crowd(4);
  const order: number[] = [];
  for (const [number, { socket }] of members.entries()) {
    socket.onAnyOutgoing(() => order.push(number));
  }
  await at(3).socket.join("b");
  await at(1).socket.join("b");
  await at(2).socket.join("a");
  await at(1).socket.join("a");
  io.to("b").to("a").emit("event");
  expect(order).toEqual([3, 1, 2]);
  order.length = 0;
  io.to(["a", "b"]).emit("event");
  expect(order).toEqual([2, 1, 3]);
  order.length = 0;
  io.emit("event");
  expect(order).toEqual([0, 1, 2, 3]);
});

test("a socket that left the room of its id is reached by io.emit() only (109)", async () => {
  const { io, members, at } = await crowd(1);
  const { socket } = at(0);
  await socket.leave(socket.id);
  io.to(socket.id).emit("to the id");
  io.emit("to all");
  socket.emit("directly");
  expect(await framesOf(members)).toEqual([['42["to all"]', '42["directly"]']]);
});

test("join() and leave() take effect at once (110)", async () => {
  const { io, members, at } = await crowd(1);
  const { socket } = at(0);
  void socket.join("room");
  io.to("room").emit("joined");
  expect(socket.rooms.has("room")).toBe(true);
  void socket.leave("room");
  io.to("room").emit("left");
  expect(socket.rooms.has("room")).toBe(false);
  expect(await framesOf(members)).toEqual([['42["joined"]']]);
});

test("the adapter tells of rooms and who joins them (110)", async () => {
  const { io, at } = await crowd(1);
  const { adapter } = io.sockets;
  const told: unknown[][] = [];
  for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
    adapter.on(event, (...args: unknown[]) => told.push([event, ...args]));
  }
  const { socket } = at(0);
  await socket.join("room");
  await socket.join("room");
  await socket.leave("room");
  expect(told).toEqual([
    ["create-room", "room"],
    ["join-room", "room", socket.id],
    ["leave-room", "room", socket.id],
    ["delete-room", "room"],
  ]);
});

test("a volatile event reaches a WebSocket that is idle (111)", async () => {
  const { io, members, at } = await crowd(1);
  at(0).socket.volatile.emit("direct");
  expect(await framesOf(members)).toEqual([['42["direct"]']]);
  io.volatile.emit("broadcast");
  expect(await framesOf(members)).toEqual([['42["broadcast"]']]);
});

test("on polling the first of several volatile events is sent, while a poll waits (111)", async () => {
  const server = await startServer();
  const connected = first(server.io, "connection");
  const client = await RawPolling.open(server.port);
  await client.post("40");
  const socket = (await connected) as Joined["socket"];
  answerRoundTrips(socket);
  expect((await client.poll())[0]).toMatch(/^40\{/);
  socket.volatile.emit("no poll");
  const poll = client.poll();
  await until(() => socket.conn.transport.writable);
  for (const number of range(3)) {
    socket.volatile.emit("volatile", number);
  }
  expect(await poll).toEqual(['42["volatile",0]']);
  await client.post('421["round trip"]');
  expect(await client.poll()).toEqual(["431[]"]);
});

test("volatile counts for one emit (111)", async () => {
  const { members, at } = await crowd(1);
  const { socket } = at(0);
  socket.emit("keeps the transport busy");
  socket.volatile.emit("dropped");
  socket.emit("kept");
  expect(await framesOf(members)).toEqual([['42["keeps the transport busy"]', '42["kept"]']]);
});

test("local reaches the sockets of this server (112)", async () => {
  const { io, members, at } = await crowd(2);
  io.local.emit("all");
  at(0).socket.local.emit("others");
  expect(await framesOf(members)).toEqual([['42["all"]'], ['42["all"]', '42["others"]']]);
});

test("compress() reaches the packets of the engine (112)", async () => {
  const { io, at } = await crowd(1);
  const { socket } = at(0);
  const created: unknown[] = [];
  socket.conn.on("packetCreate", ({ data, options }) => created.push([data, options?.compress]));
  socket.compress(false).emit("direct");
  io.compress(false).emit("broadcast");
  expect(created).toEqual([
    ['2["direct"]', false],
    ['2["broadcast"]', false],
  ]);
  created.length = 0;
  socket.emit("direct");
  io.emit("broadcast");
  for (const [, compress] of created as [unknown, boolean | undefined][]) {
    expect(compress).not.toBe(false);
  }
  expect(created).toHaveLength(2);
});

test("a broadcast with timeout fails with the answers that came (113)", async () => {
  const { io, members, at } = await crowd(3);
  const failed = rejection(io.timeout(1000).emitWithAck("question", 1));
  const [[frame]] = (await framesOf(members)) as [[string]];
  expect(frame).toMatch(/^42\d+\["question",1\]$/);
  const id = frame.slice(2, frame.indexOf("["));
  at(2).client.send(`43${id}["two"]`);
  await at(2).client.roundTrip();
  at(0).client.send(`43${id}["zero"]`);
  const error = (await failed) as Error & { responses: unknown[] };
  expect(error.message).toBe("operation has timed out");
  expect(error.responses).toEqual(["two", "zero"]);
});

test("a broadcast with timeout gives all answers to its callback (113)", async () => {
  const { io, members } = await crowd(2);
  const result = new Promise<unknown[]>((resolve) => {
    io.timeout(60_000).emit("question", (...args: unknown[]) => resolve(args));
  });
  for (const { client } of members) {
    const frame = (await client.next()) as string;
    client.send(`43${frame.slice(2, frame.indexOf("["))}["answer","ignored"]`);
  }
  expect(await result).toEqual([null, ["answer", "answer"]]);
});

fix("a broadcast with a callback and no timeout waits for the answers (114)", async () => {
  const { io, members } = await crowd(2);
  const results: unknown[][] = [];
  // The official types forbid it.
  const untyped = io as unknown as { emit(...args: unknown[]): unknown };
  untyped.emit("question", (...args: unknown[]) => results.push(args));
  // A round trip each, far more than the millisecond after which the official server gives up.
  const frames = await framesOf(members);
  expect(results).toEqual([]);
  for (const [number, { client }] of members.entries()) {
    const [frame] = frames[number] as [string];
    client.send(`43${frame.slice(2, frame.indexOf("["))}[${number}]`);
  }
  await until(() => results.length > 0);
  expect(results).toEqual([[null, expect.arrayContaining([0, 1])]]);
});

test("no two acknowledgements of a namespace have the same id (115)", async () => {
  const { io, members, at } = await crowd(2);
  at(0).socket.emit("one", () => undefined);
  io.timeout(60_000).emit("two", () => undefined);
  at(1).socket.emit("three", () => undefined);
  at(0).socket.emit("four", () => undefined);
  const [zero, one] = (await framesOf(members)) as [string[], string[]];
  const ids = [...zero, ...one].map((frame) => frame.slice(2, frame.indexOf("[")));
  expect([zero.length, one.length]).toEqual([3, 2]);
  // The broadcast is in both lists.
  expect(new Set(ids).size).toBe(4);
  for (const [number, { client }] of members.entries()) {
    const frame = ([zero, one][number] ?? []).find((text) => text.includes("two")) ?? "";
    client.send(`43${frame.slice(2, frame.indexOf("["))}[]`);
  }
  await framesOf(members);
});

test("outgoing listeners get the same arguments and cannot change the frame (116)", async () => {
  const { io, members, at } = await crowd(2);
  const seen: unknown[] = [];
  for (const { socket } of members) {
    socket.onAnyOutgoing((...[, value]: [string, { count: number }]) => {
      value.count += 1;
      seen.push(value);
    });
  }
  const value = { count: 0 };
  io.emit("event", value);
  expect(seen).toEqual([value, value]);
  expect(seen[0]).toBe(seen[1]);
  expect(await framesOf(members)).toEqual([
    ['42["event",{"count":0}]'],
    ['42["event",{"count":0}]'],
  ]);
  expect(at(0).socket.connected).toBe(true);
});

fix("an emit that throws leaves no flag behind (117)", async () => {
  const { members, at } = await crowd(1);
  const { socket } = at(0);
  socket.emit("keeps the transport busy");
  expect(() => socket.volatile.emit("connect")).toThrow('"connect" is a reserved event name');
  socket.emit("kept");
  const answers: unknown[] = [];
  expect(() => socket.timeout(60_000).emit("disconnect")).toThrow("is a reserved event name");
  socket.emit("question", (...args: unknown[]) => answers.push(args));
  const frames = await framesOf(members);
  expect(frames).toEqual([['42["keeps the transport busy"]', '42["kept"]', '420["question"]']]);
  at(0).client.send('430["answer"]');
  await framesOf(members);
  // With a timeout, an error would come first.
  expect(answers).toEqual([["answer"]]);
});

test("a broadcast is encoded once, however many get it (118)", async () => {
  const counts: number[] = [];
  for (const size of [1, 5]) {
    const { io, members } = await crowd(size);
    let conversions = 0;
    io.emit("event", {
      toJSON() {
        conversions += 1;
        return "converted";
      },
    });
    expect(await framesOf(members)).toEqual(range(size).map(() => ['42["event","converted"]']));
    counts.push(conversions);
  }
  // Looking for binary may call it, too, so the number itself says nothing.
  expect(counts[1]).toBe(counts[0]);
});

test("an attachment of a broadcast is the same Buffer for all its recipients (118)", async () => {
  const { io, members } = await crowd(3);
  const sent: unknown[] = [];
  for (const { socket } of members) {
    socket.conn.on("packetCreate", ({ data }) => {
      if (typeof data !== "string") {
        sent.push(data);
      }
    });
  }
  io.emit("event", Buffer.from("attachment"));
  await framesOf(members);
  expect(sent).toHaveLength(3);
  expect(new Set(sent).size).toBe(1);
});
