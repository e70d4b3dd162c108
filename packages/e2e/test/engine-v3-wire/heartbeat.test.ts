/* oxlint-disable vitest/expect-expect -- some assertions are in the expect… functions */
import { once } from "node:events";
import type { RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";
import {
  closureOf,
  expectAliveOverWebSocket,
  expectBareClose,
  fix,
  type SessionClosure,
  type SessionUnderTest,
  type Subject,
} from "../engine-wire/subject.js";
import {
  expectAliveV3,
  makeEngineV3,
  openPollingV3,
  openUpgradedV3,
  openWebSocketV3,
  probeV3,
} from "./client.js";

/** Hooks into the next session before any of its timers can have run. */
function closureOfNext({ engine }: Subject): Promise<SessionClosure> {
  return new Promise((resolve) => {
    engine.once("connection", (session: SessionUnderTest) => resolve(closureOf(session)));
  });
}

/** Pings and waits for the answer, a number of times. */
async function beat(client: RawWebSocket, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    client.send("2");
    expect(await client.nextText()).toBe("3");
  }
}

const TIMED_OUT: SessionClosure = { reason: "ping timeout", detail: undefined };

test("the client pings and the server answers, over WebSocket (58)", async () => {
  const pair = await openWebSocketV3(await makeEngineV3());
  await beat(pair.client, 3);
  await expectAliveOverWebSocket(pair);
});

test("the client pings and the server answers, over polling (58)", async () => {
  const pair = await openPollingV3(await makeEngineV3());
  for (let round = 0; round < 3; round += 1) {
    expect((await pair.client.post("1:2")).body).toBe("ok");
    expect((await pair.client.poll()).body).toBe("1:3");
  }
  await expectAliveV3(pair);
});

test("a pending poll is answered with the pong (58)", async () => {
  const subject = await makeEngineV3();
  const { client } = await openPollingV3(subject);
  const { response } = await subject.taken(() => client.startPoll());
  await client.post("1:2");
  expect((await response).body).toBe("1:3");
});

test("only a candidate echoes the probe, a session answers it with a bare pong (58)", async () => {
  const subject = await makeEngineV3();
  const direct = await openWebSocketV3(subject);
  direct.client.send("2probe");
  expect(await direct.client.nextText()).toBe("3");
  const { client } = await openPollingV3(subject);
  // Asserts the echo.
  await probeV3(subject, client.sid);
});

test("the server never pings, over WebSocket (58)", async () => {
  const subject = await makeEngineV3({ pingInterval: 50, pingTimeout: 100 });
  const closed = closureOfNext(subject);
  const { client } = await openWebSocketV3(subject);
  // The close frame is the very next one.
  await expectBareClose(client);
  expect(await closed).toEqual(TIMED_OUT);
  expect(subject.engine.clientsCount).toBe(0);
});

test("the server never pings, over polling (58)", async () => {
  const subject = await makeEngineV3({ pingInterval: 100, pingTimeout: 300 });
  const closed = closureOfNext(subject);
  const { client } = await openPollingV3(subject);
  expect((await client.poll()).body).toBe("1:1");
  expect(await closed).toEqual(TIMED_OUT);
});

test("each ping begins the time anew, which is both times together (58)", async () => {
  const subject = await makeEngineV3({ pingInterval: 500, pingTimeout: 500 });
  const closed = closureOfNext(subject);
  const { client, session } = await openWebSocketV3(subject);
  const opened = performance.now();
  // Longer than the session would live without pings, by far less between two of them.
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      client.send("2");
      if (performance.now() - opened < 1500) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  expect(session.readyState).toBe("open");
  expect(await closed).toEqual(TIMED_OUT);
});

test("messages do not stand in for pings (58)", async () => {
  const subject = await makeEngineV3({ pingInterval: 100, pingTimeout: 200 });
  const closed = closureOfNext(subject);
  const { client } = await openWebSocketV3(subject);
  const timer = setInterval(() => client.send("4alive"), 20);
  try {
    expect(await closed).toEqual(TIMED_OUT);
  } finally {
    clearInterval(timer);
  }
});

test("a client must not answer pings that it never got, over WebSocket (59)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3());
  const closed = closureOf(session);
  client.send("3");
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "invalid heartbeat direction",
  });
  await expectBareClose(client);
});

test("a client must not answer pings that it never got, its POST is answered with ok (59)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const closed = closureOf(session);
  const { status, body } = await client.post("1:3");
  expect([status, body]).toEqual([200, "ok"]);
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "invalid heartbeat direction",
  });
});

test("every ping is announced as a heartbeat, and is no message (60)", async () => {
  const pair = await openWebSocketV3(await makeEngineV3());
  let beats = 0;
  pair.session.on("heartbeat", () => (beats += 1));
  await beat(pair.client, 3);
  await expectAliveOverWebSocket(pair);
  expect(beats).toBe(3);
});

test("an upgraded session is kept by its pings on the new transport (54)", async () => {
  const subject = await makeEngineV3({ pingInterval: 500, pingTimeout: 500 });
  const pair = await openUpgradedV3(subject);
  await beat(pair.client, 3);
  await expectAliveOverWebSocket(pair);
});

test(
  "a client that goes silent after an upgrade is found dead (138)",
  fix("such a session stays for ever", async () => {
    const subject = await makeEngineV3({ pingInterval: 300, pingTimeout: 500 });
    const closed = closureOfNext(subject);
    const { client } = await openUpgradedV3(subject);
    expect(await closed).toEqual(TIMED_OUT);
    await expectBareClose(client);
    expect(subject.engine.clientsCount).toBe(0);
  }),
);

test(
  "a client that pings after an upgrade and then goes silent is found dead (54)",
  fix("such a session stays for ever", async () => {
    const subject = await makeEngineV3({ pingInterval: 400, pingTimeout: 400 });
    const closed = closureOfNext(subject);
    const { client } = await openUpgradedV3(subject);
    await beat(client, 2);
    expect(await closed).toEqual(TIMED_OUT);
  }),
);

test("a client that goes silent in the middle of an upgrade is found dead (138)", async () => {
  const subject = await makeEngineV3({ pingInterval: 300, pingTimeout: 500 });
  const closed = closureOfNext(subject);
  const { client } = await openPollingV3(subject);
  const candidate = await probeV3(subject, client.sid);
  expect(await closed).toEqual(TIMED_OUT);
  await expectBareClose(candidate);
});

test("a ping over polling may be answered on the new transport (54)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const candidate = await probeV3(subject, client.sid);
  await client.post("1:2");
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
  expect(await candidate.nextText()).toBe("3");
});
