// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { expect, test } from "vitest";
import { collect } from "../support/clients.js";
import { range } from "../support/range.js";
import { fix } from "../support/subject.js";
import { first, received } from "../support/wait.js";
import { joinOn, joinWire, startWire } from "../support/wire.js";

const FORCED = ["forced close", "forced server close"];

test("events of the server: type, namespace unless main, id, JSON (88)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  socket.emit("event");
  socket.emit("event", 1, "a", null, { b: [true] });
  admin.emit("event", 1);
  socket.emit("question", () => undefined);
  admin.emit("question", 1, () => undefined);
  expect(await client.roundTrip()).toEqual([
    '42["event"]',
    '42["event",1,"a",null,{"b":[true]}]',
    '42/admin,["event",1]',
    '420["question"]',
    '42/admin,0["question",1]',
  ]);
});

test("acknowledgements of the server: type, namespace unless main, id, JSON (88)", async () => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  for (const each of [socket, admin]) {
    each.on("question", (...args: unknown[]) => {
      const acknowledge = args.pop() as (...values: unknown[]) => void;
      acknowledge(...args);
    });
  }
  client.send('4212["question"]');
  client.send('420["question",1,{"a":"b"}]');
  client.send('42/admin,7["question",null]');
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    "4312[]",
    '430[1,{"a":"b"}]',
    "43/admin,7[null]",
  ]);
});

test("binary leaves placeholders, depth first, and its attachments follow at once (88)", async () => {
  const server = await startWire({}, ["/admin", "/"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const [one, two, three] = [Buffer.from([1]), Buffer.from([2, 2]), Buffer.alloc(0)];
  socket.emit("binary", { deep: { first: one, list: [two] } }, three);
  socket.emit("text");
  admin.emit("binary", one, () => undefined);
  server.io.emit("broadcast", two);
  const got = await client.roundTrip();
  expect(got).toEqual([
    '453-["binary",{"deep":{"first":{"_placeholder":true,"num":0},"list":[{"_placeholder":true,"num":1}]}},{"_placeholder":true,"num":2}]',
    one,
    two,
    three,
    '42["text"]',
    '451-/admin,0["binary",{"_placeholder":true,"num":0}]',
    one,
    '451-["broadcast",{"_placeholder":true,"num":0}]',
    two,
  ]);
});

test("a binary acknowledgement is of type 6 (88)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  socket.on("question", (acknowledge: (...values: unknown[]) => void) => {
    acknowledge("a", Buffer.from([1]));
  });
  client.send('425["question"]');
  expect(await client.next()).toBe('461-5["a",{"_placeholder":true,"num":0}]');
  expect(await client.next()).toEqual(Buffer.from([1]));
});

test("binary of the client is put in the places of its placeholders (88)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const event = received(socket, "binary");
  client.send(
    '452-["binary",{"_placeholder":true,"num":1},{"in":[{"_placeholder":true,"num":0}]}]',
  );
  client.send(Buffer.from([1]));
  client.send(Buffer.from([2]));
  expect(await event).toEqual([Buffer.from([2]), { in: [Buffer.from([1])] }]);
  const answer = new Promise((resolve) => {
    socket.emit("question", resolve);
  });
  expect(await client.next()).toBe('420["question"]');
  client.send('461-0[{"_placeholder":true,"num":0}]');
  client.send(Buffer.from([3]));
  expect(await answer).toEqual(Buffer.from([3]));
});

test("Buffer, ArrayBuffer and views of all kinds are binary (89)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const { buffer } = Uint8Array.from([1, 2, 3, 4]);
  const values = [
    Buffer.from(buffer),
    buffer,
    new Uint8Array(buffer),
    new Uint16Array(buffer),
    new DataView(buffer),
  ];
  for (const value of values) {
    socket.emit("binary", value);
  }
  const got = await client.roundTrip();
  expect(got).toEqual(
    values.flatMap(() => [
      '451-["binary",{"_placeholder":true,"num":0}]',
      Buffer.from([1, 2, 3, 4]),
    ]),
  );
});

test("toJSON() decides what is sent of an object without binary (89)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  socket.emit("event", { toJSON: () => ({ converted: true }) }, new Date(0));
  expect(await client.roundTrip()).toEqual([
    '42["event",{"converted":true},"1970-01-01T00:00:00.000Z"]',
  ]);
});

test("only events and acknowledgements are promoted to binary (89)", async () => {
  const server = await startWire();
  server.io.of("/closed").use((...[, next]) => {
    next(Object.assign(new Error("refused"), { data: { part: Buffer.from([1]) } }));
  });
  const { client } = await joinWire(server);
  client.send("40/closed,");
  expect(await client.next()).toBe(
    '44/closed,{"message":"refused","data":{"part":{"type":"Buffer","data":[1]}}}',
  );
});

test("ten attachments are accepted (90)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const event = received(socket, "binary");
  const places = range(10).map((num) => `{"_placeholder":true,"num":${num}}`);
  client.send(`4510-["binary",${places.join(",")}]`);
  for (const number of range(10)) {
    client.send(Buffer.from([number]));
  }
  expect(await event).toEqual(range(10).map((number) => Buffer.from([number])));
});

test("eleven attachments close the connection (90)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const error = first<Error>(socket, "error");
  client.send('4511-["binary",{"_placeholder":true,"num":0}]');
  expect((await error).message).toBe("too many attachments");
  expect((await client.closed).code).toBe(1005);
});

test("an event name may be a number (91)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const numeric = collect(socket, "0");
  client.send("42[0,1]");
  expect(await client.roundTrip()).toEqual([]);
  expect(numeric).toEqual([[1]]);
});

test("an event without payload calls the catch-all listeners without arguments (91)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const calls: unknown[][] = [];
  socket.onAny((...args) => calls.push(args));
  client.send("42");
  expect(await client.roundTrip()).toEqual([]);
  expect(calls[0]).toEqual([]);
  expect(socket.connected).toBe(true);
});

test("a client may emit error (91)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const errors = collect(socket, "error");
  client.send('42["error","from the client"]');
  expect(await client.roundTrip()).toEqual([]);
  expect(errors).toEqual([["from the client"]]);
});

test.each([
  ["an unknown type", "47"],
  ["no type", "4x"],
  ["an empty event", "42[]"],
  ["an event that is an object", '42{"a":1}'],
  ["an event that is a string", '42"a"'],
  ["an event that is null", "42null"],
  ["an event whose name is an object", "42[{}]"],
  ["an event whose name is null", "42[null]"],
  ["broken JSON", '42["a"'],
  ["connect", '42["connect"]'],
  ["connect_error", '42["connect_error"]'],
  ["disconnect", '42["disconnect"]'],
  ["disconnecting", '42["disconnecting"]'],
  ["newListener", '42["newListener"]'],
  ["removeListener", '42["removeListener"]'],
  ["a CONNECT with a list", "40/other,[]"],
  ["a CONNECT with null", "40/other,null"],
  ["a DISCONNECT with a payload", "41{}"],
  ["an acknowledgement that is no list", "431{}"],
  ["a binary event without a count", '45["a"]'],
  ["a binary event without a dash", "451"],
])("%s is reported to every socket and closes the connection (92)", async (what, packet) => {
  const server = await startWire({}, ["/", "/admin"]);
  const { client, socket } = await joinWire(server);
  const admin = await joinOn(client, server.io, "/admin");
  const errors = [first<Error>(socket, "error"), first<Error>(admin, "error")];
  const reasons = [first(socket, "disconnect"), first(admin, "disconnect")];
  client.send(packet);
  for (const error of await Promise.all(errors)) {
    expect([what, error]).toEqual([what, expect.any(Error)]);
  }
  for (const reason of await Promise.all(reasons)) {
    expect(FORCED).toContain(reason);
  }
  expect((await client.closed).code).toBe(1005);
});

test("a CONNECT_ERROR from the client closes the connection (92)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const gone = first(socket, "disconnect");
  client.send('44{"message":"from the client"}');
  expect(FORCED).toContain(await gone);
  expect((await client.closed).code).toBe(1005);
});

test("binary that nothing announced closes the connection (92)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const error = first<Error>(socket, "error");
  client.send(Buffer.from([1]));
  expect((await error).message).toBe("got binary data when not reconstructing a packet");
  expect((await client.closed).code).toBe(1005);
});

test("text where an attachment is due closes the connection (92)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const error = first<Error>(socket, "error");
  client.send('451-["binary",{"_placeholder":true,"num":0}]');
  client.send('42["event"]');
  expect((await error).message).toBe("got plaintext data when reconstructing a packet");
  expect((await client.closed).code).toBe(1005);
});

test("what follows a broken packet is not read (92)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const events = collect(socket, "event");
  const gone = received(socket, "disconnect");
  client.send("42[]");
  client.send('42["event"]');
  await gone;
  await client.closed;
  expect(events).toEqual([]);
});

fix("a binary packet without attachments leaves the decoder as it was (93)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const binary = collect(socket, "binary");
  const text = collect(socket, "text");
  client.send('450-["binary",1]');
  client.send('42["text",2]');
  expect(await client.roundTrip()).toEqual([]);
  expect(binary).toEqual([[1]]);
  expect(text).toEqual([[2]]);
});

test.each(["1", "-1", '"0"', "null", "1e9", '"constructor"'])(
  "a placeholder with num %s closes the connection (94)",
  async (num) => {
    const server = await startWire();
    const { client, socket } = await joinWire(server);
    const error = first<Error>(socket, "error");
    client.send(`451-["binary",{"_placeholder":true,"num":${num}}]`);
    client.send(Buffer.from([1]));
    expect((await error).message).toBe("illegal attachments");
    expect((await client.closed).code).toBe(1005);
  },
);

test("a placeholder in a text packet is data (95)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const events = collect(socket, "event");
  client.send('42["event",{"_placeholder":true,"num":0}]');
  expect(await client.roundTrip()).toEqual([]);
  expect(events).toEqual([[{ _placeholder: true, num: 0 }]]);
  socket.emit("event", { _placeholder: true, num: 0 });
  expect(await client.roundTrip()).toEqual(['42["event",{"_placeholder":true,"num":0}]']);
});

test("an acknowledgement that nobody waits for is ignored (96)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const answers: unknown[][] = [];
  socket.emit("question", (...args: unknown[]) => answers.push(args));
  client.send("4399[1]");
  client.send("43[2]");
  client.send('430["right"]');
  client.send('430["again"]');
  expect(await client.roundTrip()).toEqual(['420["question"]']);
  expect(answers).toEqual([["right"]]);
});

test("an acknowledgement without payload calls back without arguments (96)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const answers: unknown[][] = [];
  socket.emit("question", (...args: unknown[]) => answers.push(args));
  client.send("430");
  expect(await client.roundTrip()).toEqual(['420["question"]']);
  expect(answers).toEqual([[]]);
});

test("an acknowledgement is sent once however often it is given (97)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  socket.on("question", (acknowledge: (value: number) => void) => {
    acknowledge(1);
    acknowledge(2);
  });
  client.send('421["question"]');
  expect(await client.roundTrip()).toEqual(["431[1]"]);
});

test("an acknowledgement that is given after the connection closed is dropped (97)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const question = first<(value: number) => void>(socket, "question");
  const gone = received(socket, "disconnect");
  client.send('421["question"]');
  const acknowledge = await question;
  client.close();
  await gone;
  expect(() => acknowledge(1)).not.toThrow();
  const { client: other } = await joinWire(server);
  expect(await other.roundTrip()).toEqual([]);
});

test("packets of one tick are dispatched in order (98)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  const calls: unknown[] = [];
  socket.use(([name], next) => {
    calls.push(`middleware ${name}`);
    next();
  });
  socket.on("event", (value: number) => calls.push(value));
  for (const value of range(100)) {
    client.send(`42["event",${value}]`);
  }
  await client.roundTrip();
  expect(calls.filter((call) => typeof call === "number")).toEqual(range(100));
});

test("what a handler emits keeps its place before and after the acknowledgement (98)", async () => {
  const server = await startWire();
  const { client, socket } = await joinWire(server);
  socket.on("question", (value: number, acknowledge: (value: number) => void) => {
    socket.emit("before", value);
    server.io.emit("broadcast before", value);
    acknowledge(value);
    socket.emit("after", value);
  });
  client.send('421["question",1]');
  client.send('422["question",2]');
  expect(await client.roundTrip()).toEqual(
    [1, 2].flatMap((value) => [
      `42["before",${value}]`,
      `42["broadcast before",${value}]`,
      `43${value}[${value}]`,
      `42["after",${value}]`,
    ]),
  );
});

test("a query in the name of a namespace is a part of the name (100)", async () => {
  const server = await startWire({}, ["/admin"]);
  const { client } = await joinWire(server, "/admin");
  client.send("40/admin?x=1,{}");
  expect(await client.next()).toBe('44/admin?x=1,{"message":"Invalid namespace"}');
  expect(await client.roundTrip("/admin")).toEqual([]);
});
