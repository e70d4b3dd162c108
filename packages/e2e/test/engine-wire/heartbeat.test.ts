/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import type { RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  closureOf,
  expectAlive,
  expectAliveOverWebSocket,
  expectBareClose,
  makeEngine,
  messagesOf,
  openPolling,
  openUpgraded,
  openWebSocket,
  pollPackets,
  type SessionClosure,
  type SessionUnderTest,
  type Subject,
} from "./subject.js";

/** Hooks into the next session before any of its timers can have run. */
function closureOfNext({ engine }: Subject): Promise<SessionClosure> {
  return new Promise((resolve) => {
    engine.once("connection", (session: SessionUnderTest) => resolve(closureOf(session)));
  });
}

const TIMED_OUT: SessionClosure = { reason: "ping timeout", detail: undefined };

test("the server pings over WebSocket, and again after every pong (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  const { client, session } = await openWebSocket(subject);
  for (let round = 0; round < 3; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    expect(await client.nextText()).toBe("2");
    client.send("3");
  }
  expect(session.readyState).toBe("open");
});

test("the server pings over polling, and again after every pong (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  const { client, session } = await openPolling(subject);
  for (let round = 0; round < 3; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    expect(await pollPackets(client)).toEqual(["2"]);
    // oxlint-disable-next-line no-await-in-loop -- as above
    expect((await client.post("3")).body).toBe("ok");
  }
  expect(session.readyState).toBe("open");
});

test("the server pings an upgraded session on its new transport (57)", async () => {
  const subject = await makeEngine({ pingInterval: 200, pingTimeout: 20_000 });
  const { client } = await openUpgraded(subject);
  expect(await client.nextText()).toBe("2");
});

test("a WebSocket session whose client leaves a ping unanswered is closed (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 50 });
  const closed = closureOfNext(subject);
  const { client } = await openWebSocket(subject);
  expect(await client.nextText()).toBe("2");
  // The close frame is the very next one: there is no second ping before the first is answered.
  await expectBareClose(client);
  expect(await closed).toEqual(TIMED_OUT);
  expect(subject.engine.clientsCount).toBe(0);
});

test("a polling session whose client leaves a ping unanswered is closed (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 500 });
  const closed = closureOfNext(subject);
  const { client } = await openPolling(subject);
  expect(await pollPackets(client)).toEqual(["2"]);
  // This poll is pending when the time is over.
  expect(await pollPackets(client)).toEqual(["1"]);
  expect(await closed).toEqual(TIMED_OUT);
});

test("a pong after each ping keeps a session longer than its timeout (57)", async () => {
  const patient = await makeEngine({ pingInterval: 100, pingTimeout: 1000 });
  const { client, session } = await openWebSocket(patient);
  const answers = answerPings(client);
  // A session that keeps silent on the same server is the clock of this test.
  const silent = await openWebSocket(patient);
  await silent.client.closed;
  expect(session.readyState).toBe("open");
  client.destroy();
  expect(await answers).toBeGreaterThan(1);
});

/** Answers every ping until the connection goes; resolves with their number. */
async function answerPings(client: RawWebSocket): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- pings come one after the other
      if ((await client.nextText()) === "2") {
        count += 1;
        client.send("3");
      }
    }
  } catch {
    return count;
  }
}

/** Sends messages to an echoing session, each after the echo of the one before, until something else comes. */
async function talkUntilInterrupted(client: RawWebSocket): Promise<string> {
  client.send("4x");
  const frame = await client.nextFrame();
  return frame.text === "4x" ? talkUntilInterrupted(client) : frame.text;
}

test("traffic does not put off the ping (57)", async () => {
  const subject = await makeEngine({ pingInterval: 200, pingTimeout: 20_000 });
  subject.engine.on("connection", (session: SessionUnderTest) => {
    session.on("message", (message: unknown) => session.send(message));
  });
  const { client } = await openWebSocket(subject);
  expect(await talkUntilInterrupted(client)).toBe("2");
});

test("traffic does not stand in for the pong (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 200 });
  subject.engine.on("connection", (session: SessionUnderTest) => {
    session.on("message", (message: unknown) => session.send(message));
  });
  const closed = closureOfNext(subject);
  const { client } = await openWebSocket(subject);
  expect(await client.nextText()).toBe("2");
  // The close frame interrupts: it has no text.
  expect(await talkUntilInterrupted(client)).toBe("");
  expect(await closed).toEqual(TIMED_OUT);
});

test("the first packet after a ping gives the pong its whole time once more (57)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 1000 });
  const clock = await makeEngine({ pingInterval: 50, pingTimeout: 200 });
  const order: string[] = [];
  const talker = await openWebSocket(subject);
  const talkerGone = closureOf(talker.session).then(() => order.push("talker"));
  const silent = await openWebSocket(subject);
  const silentGone = closureOf(silent.session).then(() => order.push("silent"));
  expect(await talker.client.nextText()).toBe("2");
  const ticking = await openWebSocket(clock);
  await ticking.client.closed;
  talker.client.send("4x");
  await Promise.all([talkerGone, silentGone]);
  // The talker was first to be pinged.
  expect(order).toEqual(["silent", "talker"]);
});

test("a client must not ping over WebSocket (59)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openWebSocket(subject);
  const closed = closureOf(session);
  client.send("2");
  await expectBareClose(client);
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "invalid heartbeat direction",
  });
});

test("a probe is a ping too where nothing is to be upgraded (59)", async () => {
  const { client, session } = await openWebSocket(await makeEngine());
  const closed = closureOf(session);
  client.send("2probe");
  await expectBareClose(client);
  expect(await closed).toMatchObject({ detail: "invalid heartbeat direction" });
});

test("a client must not ping over polling, its POST is answered with ok (59)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const messages = messagesOf(session);
  const closed = closureOf(session);
  const poll = await subject.taken(() => client.startPoll());
  const response = await client.post("4a\u001e2\u001e4b");
  expect({ status: response.status, body: response.body }).toEqual({ status: 200, body: "ok" });
  expect((await poll.response).body).toBe("1");
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "invalid heartbeat direction",
  });
  expect(messages).toEqual(["a"]);
});

test("every pong is announced as a heartbeat (60)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  let heartbeats = 0;
  subject.engine.on("connection", (session: SessionUnderTest) => {
    session.on("heartbeat", () => {
      heartbeats += 1;
    });
  });
  const webSocket = await openWebSocket(subject);
  expect(await webSocket.client.nextText()).toBe("2");
  expect(heartbeats).toBe(0);
  webSocket.client.send("3");
  // The second ping comes after the first pong has been dealt with.
  expect(await webSocket.client.nextText()).toBe("2");
  expect(heartbeats).toBe(1);
  const polling = await openPolling(subject);
  expect(await pollPackets(polling.client)).toEqual(["2"]);
  expect((await polling.client.post("3")).body).toBe("ok");
  expect(heartbeats).toBe(2);
});

test("a pong that nobody asked for is a heartbeat as well (60)", async () => {
  const pair = await openPolling(await makeEngine());
  let heartbeats = 0;
  pair.session.on("heartbeat", () => {
    heartbeats += 1;
  });
  expect((await pair.client.post("3")).body).toBe("ok");
  expect(heartbeats).toBe(1);
  await expectAlive(pair);
});

test("neither ping nor pong is a message (60)", async () => {
  const subject = await makeEngine({ pingInterval: 300, pingTimeout: 20_000 });
  const { client, session } = await openWebSocket(subject);
  const messages = messagesOf(session);
  expect(await client.nextText()).toBe("2");
  client.send("3");
  await expectAliveOverWebSocket({ client, session });
  expect(messages).toEqual(["to the server"]);
});

test("a ping that nobody polls for waits, and times out all the same (61)", async () => {
  const subject = await makeEngine({ pingInterval: 20, pingTimeout: 20 });
  const waiting = new Promise<unknown>((resolve) => {
    subject.engine.once("connection", (session: SessionUnderTest) => {
      session.once("close", () => resolve(session.writeBuffer.map(({ type }) => type)));
    });
  });
  const closed = closureOfNext(subject);
  await openPolling(subject);
  expect(await closed).toEqual(TIMED_OUT);
  expect(await waiting).toEqual(["ping"]);
});

test("a ping that waits for a poll can be answered in time (61)", async () => {
  const subject = await makeEngine({ pingInterval: 50, pingTimeout: 20_000 });
  const pinged = new Promise<void>((resolve) => {
    subject.engine.once("connection", (session: SessionUnderTest) => {
      session.once("packetCreate", () => resolve());
    });
  });
  const { client } = await openPolling(subject);
  await pinged;
  expect(await pollPackets(client)).toEqual(["2"]);
  expect((await client.post("3")).body).toBe("ok");
  expect(await pollPackets(client)).toEqual(["2"]);
});
