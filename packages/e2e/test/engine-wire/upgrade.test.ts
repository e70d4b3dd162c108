/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { once } from "node:events";

import {
  formatFrame,
  type IncomingFrame,
  joinPayload,
  OPCODE,
  type RawPolling,
  RawWebSocket,
  splitPayload,
} from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  closureOf,
  expectAlive,
  expectAliveOverWebSocket,
  expectBareClose,
  expectRefusal,
  fix,
  makeEngine,
  messagesOf,
  openCandidate,
  openPolling,
  openUpgraded,
  pollPackets,
  probe,
  type SessionUnderTest,
  type TransportUnderTest,
  WEBSOCKET,
} from "./subject.js";

async function complete(candidate: RawWebSocket, session: SessionUnderTest): Promise<void> {
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
}

test("a probe is answered on the candidate and announced (49)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const announced = once(session, "upgrading");
  const candidate = await openCandidate(subject, client.sid);
  candidate.send("2probe");
  const frame = await candidate.nextFrame();
  expect(frame).toMatchObject({ opcode: OPCODE.text, fin: true, text: "3probe" });
  const [transport] = (await announced) as [TransportUnderTest];
  expect(transport.name).toBe("websocket");
  expect(session.transport.name).toBe("polling");
});

test("a probe that comes along with the request for the upgrade is answered (49)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const early = formatFrame({ opcode: OPCODE.text, payload: "2probe" });
  const path = `${WEBSOCKET}&sid=${client.sid}`;
  const candidate = await RawWebSocket.connect({ port: subject.port, path, early });
  expect(await candidate.nextText()).toBe("3probe");
  await complete(candidate, session);
});

test("a poll that is pending when the probe comes is let go with a noop (49)", async () => {
  const subject = await makeEngine();
  const { client } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  await probe(subject, client.sid);
  expect((await poll.response).body).toBe("6");
});

test("every poll between probe and upgrade is let go with a noop (49)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  expect(await pollPackets(client)).toEqual(["6"]);
  expect(await pollPackets(client)).toEqual(["6"]);
  await complete(candidate, session);
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("a probe may be repeated (49)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  candidate.send("2probe");
  expect(await candidate.nextText()).toBe("3probe");
  expect(await pollPackets(client)).toEqual(["6"]);
  await complete(candidate, session);
});

test("an upgrade swaps the transport, tells of it and then sends what has waited (49)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  session.send("waiting");
  const order: unknown[] = [];
  session.on("upgrade", (transport: TransportUnderTest) => {
    order.push(transport === session.transport, transport.name, session.writeBuffer.length);
    session.send("from the event");
  });
  await complete(candidate, session);
  expect(order).toEqual([true, "websocket", 1]);
  expect(await candidate.nextText()).toBe("4waiting");
  expect(await candidate.nextText()).toBe("4from the event");
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("an upgrade needs no probe (50)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await openCandidate(subject, client.sid);
  await complete(candidate, session);
  await expectAliveOverWebSocket({ client: candidate, session });
});

test.each(["4hello", "2", "2other", "3", "3probe", "1", "0", "6", "x", ""])(
  'a candidate that says "%s" instead is closed without a code, the session lives on (50)',
  async (packet) => {
    const subject = await makeEngine();
    const pair = await openPolling(subject);
    const messages = messagesOf(pair.session);
    const candidate = await openCandidate(subject, pair.client.sid);
    candidate.send(packet);
    await expectBareClose(candidate);
    expect(messages).toEqual([]);
    await expectAlive(pair);
  },
);

test("a candidate that sends a message after its probe is closed, the session lives on (50)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const messages = messagesOf(pair.session);
  const candidate = await probe(subject, pair.client.sid);
  candidate.send("4too early");
  await expectBareClose(candidate);
  expect(messages).toEqual([]);
  await expectAlive(pair);
});

test("a candidate that sends binary data is closed, the session lives on (50)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const candidate = await openCandidate(subject, pair.client.sid);
  candidate.send(Buffer.from([1, 2, 3]));
  await expectBareClose(candidate);
  await expectAlive(pair);
});

test("until the upgrade what is sent leaves over polling (51)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  session.send("in between");
  expect(await pollPackets(client)).toEqual(["4in between"]);
  await complete(candidate, session);
  session.send("afterwards");
  expect(await candidate.nextText()).toBe("4afterwards");
});

test("until the upgrade what is received comes over polling (51)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const messages = messagesOf(session);
  const candidate = await probe(subject, client.sid);
  expect((await client.post(joinPayload("4a", "4b"))).body).toBe("ok");
  await complete(candidate, session);
  const last = once(session, "message");
  candidate.send("4c");
  await last;
  expect(messages).toEqual(["a", "b", "c"]);
});

/** Polls until a poll brings a noop, as a client does that waits for its chance to upgrade. */
async function pollUntilNoop(client: RawPolling, into: string[]): Promise<void> {
  const packets = await pollPackets(client);
  into.push(...packets.filter((packet) => packet !== "6"));
  if (!packets.includes("6")) {
    await pollUntilNoop(client, into);
  }
}

async function takeMessages(candidate: RawWebSocket, last: string, into: string[]): Promise<void> {
  const frame: IncomingFrame = await candidate.nextFrame();
  into.push(frame.text);
  if (frame.text !== last) {
    await takeMessages(candidate, last, into);
  }
}

test("nothing is lost, doubled or reordered while a session upgrades (51)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  let sent = 0;
  // One message for each turn of the event loop falls into every state of the upgrade.
  let isOver = false;
  const sendOn = (): void => {
    session.send(String(sent));
    sent += 1;
    if (!isOver) {
      setImmediate(sendOn);
    }
  };
  sendOn();
  const received: string[] = [];
  const polling = pollUntilNoop(client, received);
  const candidate = await probe(subject, client.sid);
  // Stops for the noop to have its turn: polls that bring messages are no noops.
  isOver = true;
  await polling;
  const duringPause = sent;
  session.send("in the pause");
  await complete(candidate, session);
  session.send("last");
  await takeMessages(candidate, "4last", received);
  const numbers = Array.from({ length: duringPause }, (_, index) => `4${index}`);
  expect(received).toEqual([...numbers, "4in the pause", "4last"]);
});

test("a poll that is still pending at the upgrade is closed, the session is not (52)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await openCandidate(subject, client.sid);
  const poll = await subject.taken(() => client.startPoll());
  await complete(candidate, session);
  expect((await poll.response).body).toBe("1");
  expect(session.readyState).toBe("open");
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("a POST that is still coming in at the upgrade is cut, the session is not (52)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const messages = messagesOf(session);
  const candidate = await openCandidate(subject, client.sid);
  const post = await subject.taken(() =>
    client.start({ method: "POST", body: "4unfinished", contentLength: 100 }),
  );
  await complete(candidate, session);
  expect(await post.connection.closed).toHaveLength(0);
  expect(messages).toEqual([]);
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("polling is over after the upgrade (52)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  await complete(candidate, session);
  expectRefusal(await client.poll(), 3, "Bad request");
  expectRefusal(await client.post("4x"), 3, "Bad request");
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("a candidate that does not finish within upgradeTimeout is closed, the session is not (53)", async () => {
  const subject = await makeEngine({ upgradeTimeout: 20 });
  const pair = await openPolling(subject);
  await expectBareClose(await openCandidate(subject, pair.client.sid));
  await expectAlive(pair);
});

test("a candidate that waits too long after its probe is closed, the session is not (53)", async () => {
  const subject = await makeEngine({ upgradeTimeout: 500 });
  const pair = await openPolling(subject);
  await expectBareClose(await probe(subject, pair.client.sid));
  await expectAlive(pair);
});

test("after an upgrade that ran out of time the next one may succeed (53)", async () => {
  const subject = await makeEngine({ upgradeTimeout: 500 });
  const { client, session } = await openPolling(subject);
  await expectBareClose(await openCandidate(subject, client.sid));
  const candidate = await openCandidate(subject, client.sid);
  await complete(candidate, session);
  await expectAliveOverWebSocket({ client: candidate, session });
});

test("upgradeTimeout is over with the upgrade (53)", async () => {
  const subject = await makeEngine({ upgradeTimeout: 1000 });
  const late = await openPolling(subject);
  const early = await openUpgraded(subject);
  // Opened later, so this one runs out of time after the upgrade would have.
  await expectBareClose(await openCandidate(subject, late.client.sid));
  await expectAliveOverWebSocket(early);
});

test.each([
  ["is cut", (candidate: RawWebSocket) => candidate.destroy()],
  ["closes", (candidate: RawWebSocket) => candidate.close()],
  ["closes with a code", (candidate: RawWebSocket) => candidate.close(1000)],
  [
    "sends a frame that is not masked",
    (candidate: RawWebSocket) =>
      candidate.sendFrame({ opcode: OPCODE.text, payload: "5", masked: false }),
  ],
])("a candidate that %s during the probe does not harm the session (53)", async (_how, leave) => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const candidate = await probe(subject, pair.client.sid);
  leave(candidate);
  await candidate.closed;
  // The second candidate is accepted only when the server has noticed that the first has gone.
  await expectNextUpgrade(subject, pair);
});

async function expectNextUpgrade(
  subject: Awaited<ReturnType<typeof makeEngine>>,
  pair: { client: RawPolling; session: SessionUnderTest },
): Promise<void> {
  const candidate = await openCandidate(subject, pair.client.sid);
  candidate.send("2probe");
  const frame = await candidate.nextFrame();
  if (frame.opcode === OPCODE.close) {
    await expectNextUpgrade(subject, pair);
    return;
  }
  expect(frame.text).toBe("3probe");
  await complete(candidate, pair.session);
  await expectAliveOverWebSocket({ client: candidate, session: pair.session });
}

test("polls are no longer let go when the candidate has gone (53)", async () => {
  const subject = await makeEngine({ upgradeTimeout: 500 });
  const { client, session } = await openPolling(subject);
  await expectBareClose(await probe(subject, client.sid));
  const poll = await subject.taken(() => client.startPoll());
  // The noops of another server show that the time for a noop has passed.
  const other = await makeEngine();
  const pair = await openPolling(other);
  await probe(other, pair.client.sid);
  expect(await pollPackets(pair.client)).toEqual(["6"]);
  expect(await pollPackets(pair.client)).toEqual(["6"]);
  session.send("no noop");
  expect(splitPayload((await poll.response).body)).toEqual(["4no noop"]);
});

test("closing the session during the probe closes the candidate (53)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const candidate = await probe(subject, client.sid);
  const poll = await subject.taken(() => client.startPoll());
  const closed = closureOf(session);
  session.close();
  expect((await poll.response).body).toBe("1");
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
  await expectBareClose(candidate);
});

test(
  "a ping that is outstanding at the upgrade and stays unanswered closes the session (54)",
  fix("no timeout and no ping ever again", async () => {
    const subject = await makeEngine({ pingInterval: 50, pingTimeout: 1000 });
    const { client, session } = await openPolling(subject);
    const closed = closureOf(session);
    expect(await pollPackets(client)).toEqual(["2"]);
    const candidate = await openCandidate(subject, client.sid);
    await complete(candidate, session);
    expect(await closed).toEqual({ reason: "ping timeout", detail: undefined });
    await candidate.closed;
  }),
);

test("a ping that is outstanding at the upgrade may be answered on the new transport (54)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  const { client, session } = await openPolling(subject);
  expect(await pollPackets(client)).toEqual(["2"]);
  const candidate = await openCandidate(subject, client.sid);
  await complete(candidate, session);
  candidate.send("3");
  expect(await candidate.nextText()).toBe("2");
  candidate.send("3");
  expect(await candidate.nextText()).toBe("2");
});

test("a ping that nobody polled for is delivered on the new transport (54)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  const pinged = new Promise((resolve) => {
    subject.engine.once("connection", (opened: SessionUnderTest) => {
      opened.once("packetCreate", ({ type }: { type: string }) => resolve(type));
    });
  });
  const { client, session } = await openPolling(subject);
  expect(await pinged).toBe("ping");
  const candidate = await openCandidate(subject, client.sid);
  await complete(candidate, session);
  expect(await candidate.nextText()).toBe("2");
});

test("an upgraded session whose client falls silent is closed (54)", async () => {
  const subject = await makeEngine({ pingInterval: 600, pingTimeout: 100 });
  const { client, session } = await openUpgraded(subject);
  const closed = closureOf(session);
  expect(await client.nextText()).toBe("2");
  expect(await closed).toEqual({ reason: "ping timeout", detail: undefined });
  await expectBareClose(client);
});

test("a session that was closing at the upgrade is closed over the new transport (55)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const candidate = await probe(subject, client.sid);
  session.close();
  expect(session.readyState).toBe("closing");
  candidate.send("5");
  await expectBareClose(candidate);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("a session that was closing at the upgrade delivers first what waits (55)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const candidate = await probe(subject, client.sid);
  session.send("a");
  session.send("b");
  session.close();
  expect(session.readyState).toBe("closing");
  candidate.send("5");
  expect(await candidate.nextText()).toBe("4a");
  expect(await candidate.nextText()).toBe("4b");
  await expectBareClose(candidate);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("the upgrade event comes when the session already has its new transport (56)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const names: string[] = [session.transport.name];
  session.once("upgrade", () => names.push(session.transport.name));
  const candidate = await probe(subject, client.sid);
  names.push(session.transport.name);
  await complete(candidate, session);
  expect(names).toEqual(["polling", "polling", "websocket"]);
});
