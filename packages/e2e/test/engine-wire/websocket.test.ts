/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";

import { formatFrame, OPCODE, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  closureOf,
  expectAlive,
  expectAliveOverWebSocket,
  expectBareClose,
  fix,
  makeEngine,
  messagesOf,
  nextMessage,
  openCandidate,
  openPolling,
  openUpgraded,
  openWebSocket,
  PATH,
  POLLING,
  type TransportUnderTest,
  WEBSOCKET,
} from "./subject.js";

/** Resolves once the last write has been done, so that the next one is done at once. */
async function idle(transport: TransportUnderTest): Promise<void> {
  if (!transport.writable) {
    await nextTurn();
    await idle(transport);
  }
}

test("a text message is one text frame in both directions (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const received = nextMessage(session);
  client.send("4héllo ✓");
  expect(await received).toBe("héllo ✓");
  session.send("wörld ✗");
  const frame = await client.nextFrame();
  expect(frame).toMatchObject({ opcode: OPCODE.text, fin: true, rsv: 0, masked: false });
  expect(frame.text).toBe("4wörld ✗");
});

test("a binary message is one binary frame without a type in both directions (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const received = nextMessage(session);
  client.send(Buffer.from([4, 0, 255]));
  expect(await received).toEqual(Buffer.from([4, 0, 255]));
  session.send(Buffer.from([1, 2, 3]));
  const frame = await client.nextFrame();
  expect(frame).toMatchObject({ opcode: OPCODE.binary, fin: true, rsv: 0, masked: false });
  expect(frame.payload).toEqual(Buffer.from([1, 2, 3]));
});

test("every kind of binary data is sent as its bytes (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const bytes = new Uint8Array([9, 1, 2, 3, 9]);
  session.send(bytes.subarray(1, 4));
  session.send(bytes.buffer);
  session.send(new DataView(bytes.buffer, 1, 2));
  session.send(Buffer.alloc(0));
  const payloads = [
    await client.nextFrame(),
    await client.nextFrame(),
    await client.nextFrame(),
    await client.nextFrame(),
  ];
  expect(payloads.map(({ opcode }) => opcode)).toEqual([2, 2, 2, 2]);
  expect(payloads.map(({ payload }) => payload.toString("hex"))).toEqual([
    "010203",
    "0901020309",
    "0102",
    "",
  ]);
});

test("packets sent together are frames of their own, in the order of sending (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  session.send("a");
  session.send(Buffer.from("b"));
  session.send("");
  session.send("c");
  const frames = [
    await client.nextFrame(),
    await client.nextFrame(),
    await client.nextFrame(),
    await client.nextFrame(),
  ];
  expect(frames.map(({ opcode, text }) => [opcode, text])).toEqual([
    [OPCODE.text, "4a"],
    [OPCODE.binary, "b"],
    [OPCODE.text, "4"],
    [OPCODE.text, "4c"],
  ]);
});

test.each([124, 125, 126, 65_534, 65_535, 65_536, 200_000])(
  "a payload of %i bytes has a frame header that fits (62)",
  async (size) => {
    const { client, session } = await openWebSocket(await makeEngine());
    const text = "x".repeat(size - 1);
    session.on("message", (message: unknown) => session.send(message));
    client.send(`4${text}`);
    expect(await client.nextText()).toBe(`4${text}`);
    client.send(Buffer.alloc(size, 7));
    const { opcode, payload } = await client.nextFrame();
    expect(opcode).toBe(OPCODE.binary);
    // Comparing so many bytes deeply takes seconds.
    expect(payload.equals(Buffer.alloc(size, 7))).toBe(true);
  },
);

test("a client that asks for base64 gets binary data as text (62)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openWebSocket(subject, { path: `${WEBSOCKET}&b64=1` });
  session.send(Buffer.from([1, 2, 3]));
  session.send("text");
  expect(await client.nextText()).toBe("bAQID");
  expect(await client.nextText()).toBe("4text");
});

test("binary data may come as base64 in a text frame (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const received = nextMessage(session);
  client.send("bAQID");
  expect(await received).toEqual(Buffer.from([1, 2, 3]));
});

test("a message may come in fragments (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const messages = messagesOf(session);
  client.sendFragments(["4a", "b", "", "c"]);
  client.sendFragments([Buffer.from([1]), Buffer.from([2])]);
  await expectAliveOverWebSocket({ client, session });
  expect(messages).toEqual(["abc", Buffer.from([1, 2]), "to the server"]);
});

test("several frames in one TCP segment are several messages (62)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const messages = messagesOf(session);
  const frames = ["4a", "4b", "4c"].map((payload) => formatFrame({ opcode: OPCODE.text, payload }));
  client.write(Buffer.concat(frames));
  await expectAliveOverWebSocket({ client, session });
  expect(messages).toEqual(["a", "b", "c", "to the server"]);
});

test("a WebSocket ping is answered with a WebSocket pong (62)", async () => {
  const { client } = await openWebSocket(await makeEngine());
  client.sendFrame({ opcode: OPCODE.ping, payload: "abc" });
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, text: "abc" });
});

test("a session that the server closes ends with a close frame without a code (63)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const closed = closureOf(session);
  session.close();
  await expectBareClose(client);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("a session that the server closes sends first what waits (63)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const closed = closureOf(session);
  session.send("a");
  session.send("b");
  session.close();
  session.send("too late");
  expect(await client.nextText()).toBe("4a");
  expect(await client.nextText()).toBe("4b");
  await expectBareClose(client);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test.each(["x", "7", ""])(
  'the bad packet "%s" ends with a close frame without a code (63)',
  async (packet) => {
    const { client, session } = await openWebSocket(await makeEngine());
    const closed = closureOf(session);
    const messages = messagesOf(session);
    const frames = ["4before", packet, "4after"].map((payload) =>
      formatFrame({ opcode: OPCODE.text, payload }),
    );
    client.write(Buffer.concat(frames));
    await expectBareClose(client);
    expect(await closed).toMatchObject({ reason: "parse error" });
    expect(messages).toEqual(["before"]);
  },
);

test.each([
  ["with a close frame", (client: RawWebSocket) => client.close()],
  ["with code 1000", (client: RawWebSocket) => client.close(1000)],
  ["with code 1001", (client: RawWebSocket) => client.close(1001)],
  ["without a word", (client: RawWebSocket) => client.destroy()],
])("a client that goes %s closes its session by transport close (63)", async (_how, leave) => {
  const subject = await makeEngine();
  const { client, session } = await openWebSocket(subject);
  const closed = closureOf(session);
  leave(client);
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
  expect(subject.engine.clientsCount).toBe(0);
});

test("a close frame is answered with one that has the same code (63)", async () => {
  const { client } = await openWebSocket(await makeEngine());
  client.close(1000);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1000 });
  expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1000 });
});

/** Sends messages and a close frame at once, and expects the answers before that of the close frame. */
async function expectAnswersBeforeClose(...messages: string[]): Promise<void> {
  const { client, session } = await openWebSocket(await makeEngine());
  session.on("message", (message) => session.send(`answer to ${String(message)}`));
  const frames = messages.map((message) =>
    formatFrame({ opcode: OPCODE.text, payload: `4${message}` }),
  );
  client.write(Buffer.concat([...frames, formatFrame({ opcode: OPCODE.close })]));
  for (const message of messages) {
    // oxlint-disable-next-line no-await-in-loop -- one frame after the other
    expect(await client.nextText()).toBe(`4answer to ${message}`);
  }
  await expectBareClose(client);
}

test("a message in one segment with a close frame is answered before it (63)", () =>
  expectAnswersBeforeClose("a"));

test(
  "messages in one segment with a close frame are answered before it (63)",
  fix("only the first is answered", () => expectAnswersBeforeClose("a", "b", "c")),
);

test("what waits for a slow client is sent before its close frame is answered (63)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const message = "x".repeat(8_000_000);
  client.pause();
  session.send(message);
  client.close(1000);
  await nextTurn();
  client.resume();
  expect(await client.nextText()).toBe(`4${message}`);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1000 });
  expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1000 });
});

test("a message that is too big is refused with code 1009 (63)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 50 });
  const { client, session } = await openWebSocket(subject);
  const messages = messagesOf(session);
  const closed = closureOf(session);
  client.send(`4${"x".repeat(50)}`);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1009 });
  expect(await closed).toEqual({
    reason: "transport error",
    detail: expect.stringContaining("Max payload size exceeded"),
  });
  expect(messages).toEqual([]);
});

test("a client that goes on sending after a fault is told of it all the same (63)", async () => {
  const { client } = await openWebSocket(await makeEngine({ maxHttpBufferSize: 1000 }));
  client.send("4".repeat(4_000_000));
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1009 });
  expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1009 });
});

test("a message of exactly maxHttpBufferSize is accepted (63)", async () => {
  const { client, session } = await openWebSocket(await makeEngine({ maxHttpBufferSize: 50 }));
  const received = nextMessage(session);
  client.send(`4${"x".repeat(49)}`);
  expect(await received).toBe("x".repeat(49));
});

test("a message is too big when its fragments are together (63)", async () => {
  const { client, session } = await openWebSocket(await makeEngine({ maxHttpBufferSize: 50 }));
  const closed = closureOf(session);
  client.sendFragments([`4${"x".repeat(25)}`, "x".repeat(25)]);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1009 });
  expect(await closed).toMatchObject({ reason: "transport error" });
});

test("the limit holds on an upgraded session too (63)", async () => {
  const { client, session } = await openUpgraded(await makeEngine({ maxHttpBufferSize: 50 }));
  const closed = closureOf(session);
  client.send(`4${"x".repeat(50)}`);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: 1009 });
  expect(await closed).toMatchObject({ reason: "transport error" });
});

test.each([
  ["is not masked", { opcode: OPCODE.text, payload: "4x", masked: false }, 1002],
  ["has a reserved bit", { opcode: OPCODE.text, payload: "4x", rsv: 4 }, 1002],
  ["has a reserved opcode", { opcode: 0x3, payload: "4x" }, 1002],
  ["continues nothing", { opcode: OPCODE.continuation, payload: "4x" }, 1002],
  ["is not UTF-8", { opcode: OPCODE.text, payload: Buffer.from([0x34, 0xff]) }, 1007],
])("a frame that %s is a transport error (63)", async (_what, frame, code) => {
  const { client, session } = await openWebSocket(await makeEngine());
  const messages = messagesOf(session);
  const closed = closureOf(session);
  client.sendFrame(frame);
  expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.close, closeCode: code });
  expect(await closed).toMatchObject({ reason: "transport error" });
  expect(messages).toEqual([]);
});

test("a close packet over WebSocket means nothing (64)", async () => {
  const pair = await openWebSocket(await makeEngine());
  pair.client.send("1");
  await expectAliveOverWebSocket(pair);
});

test.each(["0", "5", "6"])("packet %s over WebSocket means nothing (64)", async (packet) => {
  const pair = await openWebSocket(await makeEngine());
  pair.client.send(packet);
  await expectAliveOverWebSocket(pair);
});

// The official transport says it by `transport.writable`; ours is given nothing before the tick ends.
test("nothing may follow a packet at once until that is written (65)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const { transport } = session;
  await idle(transport);
  session.send("x");
  expect((session as { writable?: boolean }).writable ?? transport.writable).toBe(false);
  expect(await client.nextText()).toBe("4x");
  await idle(transport);
});

test("the transport tells that it has drained, then that it is ready (65)", async () => {
  const pair = await openWebSocket(await makeEngine());
  const { transport } = pair.session;
  await idle(transport);
  const order: string[] = [];
  transport.once("drain", () => order.push("drain"));
  transport.once("ready", () => order.push("ready"));
  pair.session.send("x");
  expect(await pair.client.nextText()).toBe("4x");
  await idle(transport);
  await expectAliveOverWebSocket(pair);
  expect(order).toEqual(["drain", "ready"]);
});

test("every packet of a batch has left when the session has drained and its buffer is empty (65)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  await idle(session.transport);
  const flushed: unknown[] = [];
  session.on("flush", (packets: readonly { data: unknown }[]) => {
    flushed.push(...packets.map(({ data }) => data));
  });
  const drained = new Promise<void>((resolve) => {
    session.on("drain", () => {
      if (session.writeBuffer.length === 0 && flushed.length === 3) {
        resolve();
      }
    });
  });
  session.send("a");
  session.send("b");
  session.send("c");
  // The first may be on its way already, the others wait for it.
  expect(session.writeBuffer.length).toBeGreaterThanOrEqual(2);
  await drained;
  expect(flushed).toEqual(["a", "b", "c"]);
  const texts = [await client.nextText(), await client.nextText(), await client.nextText()];
  expect(texts).toEqual(["4a", "4b", "4c"]);
});

test("the callback of a packet is called once, in the order of sending (65)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const order: string[] = [];
  const last = new Promise<void>((resolve) => {
    session.send("a", {}, () => order.push("a"));
    session.send("b", {}, () => order.push("b"));
    session.send("c", {}, () => {
      order.push("c");
      resolve();
    });
  });
  await last;
  await client.nextText();
  await client.nextText();
  await client.nextText();
  await expectAliveOverWebSocket({ client, session });
  expect(order).toEqual(["a", "b", "c"]);
});

function preEncoded(text: string): Buffer[] {
  return [Buffer.from([0x81, text.length]), Buffer.from(text)];
}

test("a frame that comes with a packet is sent as it is, to as many as there are (67)", async () => {
  const subject = await makeEngine();
  const pairs = [await openWebSocket(subject), await openWebSocket(subject)];
  const wsPreEncodedFrame = preEncoded("4frame");
  for (const { session } of pairs) {
    session.send("before");
    session.send("frame", { wsPreEncodedFrame });
    session.send("after");
  }
  const texts = await Promise.all(
    pairs.map(async ({ client }) => [
      await client.nextText(),
      await client.nextText(),
      await client.nextText(),
    ]),
  );
  const expected = ["4before", "4frame", "4after"];
  expect(texts).toEqual([expected, expected]);
  expect(wsPreEncodedFrame).toEqual(preEncoded("4frame"));
});

test("polling has no use for the frame that comes with a packet (67)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  session.send("packet", { wsPreEncodedFrame: preEncoded("4frame") });
  expect((await client.poll()).body).toBe("4packet");
});

test.each([
  ["that is refused after the 101", POLLING],
  ["for an upgraded session", undefined],
])("a bad frame on a WebSocket %s does no harm to the server (69)", async (_which, path) => {
  const subject = await makeEngine();
  const upgraded = await openUpgraded(subject);
  const early = formatFrame({ opcode: 0x3, payload: "bad", masked: false });
  const target = path ?? `${WEBSOCKET}&sid=${upgraded.session.id}`;
  const outcome = await RawWebSocket.attempt({ port: subject.port, path: target, early });
  expect(outcome.name).toBe("accepted");
  if (outcome.name === "accepted") {
    await outcome.socket.closed;
  }
  await expectAliveOverWebSocket(upgraded);
});

test("a bad frame while the id is still being made does no harm to the server (69)", async () => {
  const subject = await makeEngine();
  const { engine, port } = subject;
  const polling = await openPolling(subject);
  const bad = formatFrame({ opcode: 0x3, payload: "bad", masked: false });
  let makeId: ((id: string) => void) | undefined;
  const asked = new Promise<void>((resolve) => {
    engine.generateId = () => {
      resolve();
      return new Promise((done) => {
        makeId = done;
      });
    };
  });
  const attempt = RawWebSocket.attempt({ port, path: WEBSOCKET, early: bad });
  await asked;
  makeId?.("late");
  const outcome = await attempt;
  if (outcome.name === "accepted") {
    await outcome.socket.closed;
  }
  await expectAlive(polling);
});

test("a client that is cut in the middle of its upgrade does no harm to the server (69)", async () => {
  const subject = await makeEngine();
  const upgrade = subject.nextUpgrade();
  const { client, session } = await openPolling(subject);
  const candidate = await openCandidate(subject, client.sid);
  const serverSide = await upgrade;
  const closed = once(serverSide, "close");
  candidate.write(Buffer.from([0x81]));
  candidate.destroy();
  await closed;
  await expectAlive({ client, session });
});

test("a message above the limit closes a WebSocket session by transport error (134)", async () => {
  const { client, session } = await openWebSocket(await makeEngine({ maxHttpBufferSize: 50 }));
  const closed = closureOf(session);
  client.send(Buffer.alloc(51));
  expect(await closed).toMatchObject({ reason: "transport error" });
  expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1009 });
});

test("the server announces over WebSocket how much it takes (142)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 1234 });
  const { open } = await openWebSocket(subject, { path: `${PATH}?transport=websocket&EIO=4` });
  expect(open.maxPayload).toBe(1234);
});
