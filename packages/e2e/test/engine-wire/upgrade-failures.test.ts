/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { once } from "node:events";
import type { Socket } from "node:net";

import { formatRequest, pollingHandshake, RawConnection, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  expectAlive,
  expectAliveOverWebSocket,
  expectBareClose,
  fix,
  makeEngine,
  openCandidate,
  openPolling,
  openUpgraded,
  openWebSocket,
  PATH,
  POLLING,
  probe,
  type Subject,
  WEBSOCKET,
} from "./subject.js";

type Decide = (error: unknown, ok: boolean) => void;

function refusalText(message: string): string {
  return [
    "HTTP/1.1 400 Bad Request",
    "Connection: close",
    "Content-type: text/html",
    `Content-Length: ${Buffer.byteLength(message)}`,
    "",
    message,
  ].join("\r\n");
}

async function expectRefusedUpgrade(port: number, path: string, message: string): Promise<void> {
  const outcome = await RawWebSocket.attempt({ port, path });
  expect(outcome.name).toBe("refused");
  expect(outcome.name === "refused" && outcome.received.toString()).toBe(refusalText(message));
}

const UPGRADE_HEADERS = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

/** Asks for an upgrade and resolves with both ends once the server has seen it. */
async function askUpgrade(
  { port, nextUpgrade }: Subject,
  path: string,
  connection = new RawConnection(port),
): Promise<{ connection: RawConnection; serverSide: Socket }> {
  const upgrade = nextUpgrade();
  connection.write(formatRequest({ path, headers: UPGRADE_HEADERS }));
  return { connection, serverSide: await upgrade };
}

test.each([
  ["an unknown transport", `${PATH}?EIO=4&transport=foo`, "Transport unknown"],
  ["no transport", PATH, "Transport unknown"],
  ["an unknown sid", `${WEBSOCKET}&sid=unknown`, "Session ID unknown"],
  ["a sid that every object has", `${WEBSOCKET}&sid=__proto__`, "Session ID unknown"],
])(
  "an upgrade with %s gets a bare 400 with the message as text (12)",
  async (_case, path, message) => {
    const { port, refusals } = await makeEngine();
    await expectRefusedUpgrade(port, path, message);
    expect(refusals).toMatchObject([{ message }]);
  },
);

test("an upgrade for a session of another protocol version gets a bare 400 (12)", async () => {
  const subject = await makeEngine({ allowEIO3: true });
  const pair = await openPolling(subject);
  const path = `${PATH}?EIO=3&transport=websocket&sid=${pair.client.sid}`;
  await expectRefusedUpgrade(subject.port, path, "Bad request");
  expect(subject.refusals).toMatchObject([{ code: 3, context: { name: "PROTOCOL_MISMATCH" } }]);
  await expectAlive(pair);
});

test("an upgrade that allowRequest refuses gets 400, not 403 (12)", async () => {
  const { port } = await makeEngine({
    allowRequest: (_request: unknown, decide: Decide) => decide(null, false),
  });
  await expectRefusedUpgrade(port, WEBSOCKET, "Forbidden");
});

test("the message of allowRequest is the text of the refused upgrade, its length in bytes (12)", async () => {
  const { port } = await makeEngine({
    allowRequest: (_request: unknown, decide: Decide) => decide("niño ✗", false),
  });
  await expectRefusedUpgrade(port, WEBSOCKET, "niño ✗");
});

test("an upgrade by another method than GET is no WebSocket (12)", async () => {
  const { engine, port } = await makeEngine();
  const connection = new RawConnection(port);
  const response = await connection.request({
    method: "POST",
    path: WEBSOCKET,
    headers: UPGRADE_HEADERS,
  });
  expect(response.raw.toString()).toBe(refusalText("Bad handshake method"));
  await connection.closed;
  expect(engine.clientsCount).toBe(0);
});

test("a disabled websocket transport refuses nothing and answers nothing (12)", async () => {
  // Without an upgrade listener Node treats the request as a plain one.
  const { port } = await makeEngine({ transports: ["polling"] });
  const outcome = await RawWebSocket.attempt({
    port,
    path: WEBSOCKET,
    headers: { Connection: "close" },
  });
  expect(outcome).toMatchObject({ name: "refused", response: { status: 400 } });
  expect(outcome.name === "refused" && outcome.response.body).toBe(
    '{"code":0,"message":"Transport unknown"}',
  );
});

test(
  "an upgrade in a version that is not allowed is refused before the 101 (13)",
  fix("101 comes first, then HTTP text as if it were a frame", async () => {
    const { engine, port, refusals } = await makeEngine();
    const message = "Unsupported protocol version";
    await expectRefusedUpgrade(port, `${PATH}?EIO=3&transport=websocket`, message);
    await expectRefusedUpgrade(port, `${PATH}?transport=websocket`, message);
    const expected = { code: 5, message, context: { protocol: 3 } };
    expect(refusals).toMatchObject([expected, expected]);
    expect(engine.clientsCount).toBe(0);
  }),
);

test("an upgrade in a version that is not allowed opens no session (13)", async () => {
  const { engine, port, refusals } = await makeEngine();
  const path = `${PATH}?EIO=3&transport=websocket`;
  const outcome = await RawWebSocket.attempt({ port, path });
  if (outcome.name === "accepted") {
    await outcome.socket.closed;
  }
  expect(engine.clientsCount).toBe(0);
  expect(refusals).toMatchObject([{ code: 5, context: { protocol: 3 } }]);
});

test(
  "an upgrade for which no id can be generated is refused before the 101 (13)",
  fix("101 comes first, then HTTP text as if it were a frame", async () => {
    const { engine, port, refusals } = await makeEngine();
    engine.generateId = () => Promise.reject(new Error("no id"));
    await expectRefusedUpgrade(port, WEBSOCKET, "Bad request");
    expect(refusals).toMatchObject([{ code: 3, context: { name: "ID_GENERATION_ERROR" } }]);
    expect(engine.clientsCount).toBe(0);
  }),
);

test("an upgrade that says it is polling is closed without a code right after the 101 (14)", async () => {
  const { engine, port } = await makeEngine();
  const socket = await RawWebSocket.connect({ port, path: POLLING });
  await expectBareClose(socket);
  expect(engine.clientsCount).toBe(0);
});

test("an upgrade that says it is polling does no harm to its session (14)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const path = `${POLLING}&sid=${pair.client.sid}`;
  await expectBareClose(await RawWebSocket.connect({ port: subject.port, path }));
  await expectAlive(pair);
});

test("an upgrade for another path is ended after destroyUpgradeTimeout without a word (15)", async () => {
  const subject = await makeEngine({}, { attach: { destroyUpgradeTimeout: 20 } });
  const { connection, serverSide } = await askUpgrade(subject, "/other/");
  expect(serverSide.writable).toBe(true);
  expect(await connection.closed).toHaveLength(0);
});

test("an upgrade for another path that somebody has answered is left alone (15)", async () => {
  const subject = await makeEngine({}, { attach: { destroyUpgradeTimeout: 20 } });
  const answered = await askUpgrade(subject, "/other/");
  answered.serverSide.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  const unanswered = await askUpgrade(subject, "/other/");
  // The second one came later and so would be ended later.
  await unanswered.connection.closed;
  expect(answered.serverSide.writable).toBe(true);
  expect(answered.connection.isClosed).toBe(false);
});

test(
  "an upgrade for another path is ended on a connection that has served requests, too (15)",
  fix("the connection stays open for ever", async () => {
    const subject = await makeEngine({}, { attach: { destroyUpgradeTimeout: 20 } });
    const connection = new RawConnection(subject.port);
    const { raw } = await connection.request({ path: POLLING });
    await askUpgrade(subject, "/other/", connection);
    expect(await connection.closed).toEqual(raw);
  }),
);

test("with destroyUpgrade false an upgrade for another path is left alone (15)", async () => {
  const patient = await makeEngine(
    {},
    { attach: { destroyUpgrade: false, destroyUpgradeTimeout: 20 } },
  );
  const impatient = await makeEngine({}, { attach: { destroyUpgradeTimeout: 20 } });
  const kept = await askUpgrade(patient, "/other/");
  const ended = await askUpgrade(impatient, "/other/");
  await ended.connection.closed;
  expect(kept.serverSide.writable).toBe(true);
  expect(kept.connection.isClosed).toBe(false);
});

test(
  "destroyUpgradeTimeout 0 is at once (15)",
  fix("0 means the default, 1000 ms", async () => {
    const quick = await makeEngine({}, { attach: { destroyUpgradeTimeout: 0 } });
    const slow = await makeEngine({}, { attach: { destroyUpgradeTimeout: 300 } });
    const endsLater = await askUpgrade(slow, "/other/");
    const endsFirst = await askUpgrade(quick, "/other/");
    const order: string[] = [];
    await Promise.all([
      endsFirst.connection.closed.then(() => order.push("at once")),
      endsLater.connection.closed.then(() => order.push("after 300 ms")),
    ]);
    expect(order).toEqual(["at once", "after 300 ms"]);
  }),
);

test("a connection that is gone before destroyUpgradeTimeout does no harm (15)", async () => {
  const subject = await makeEngine({}, { attach: { destroyUpgradeTimeout: 20 } });
  const gone = await askUpgrade(subject, "/other/");
  const closed = once(gone.serverSide, "close");
  gone.connection.destroy();
  await closed;
  const other = await askUpgrade(subject, "/other/");
  await other.connection.closed;
  await expectAlive(await openPolling(subject));
});

test("a second WebSocket for a session that is upgrading is closed without a code (16)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const first = await probe(subject, client.sid);
  await expectBareClose(await openCandidate(subject, client.sid));
  const upgraded = once(session, "upgrade");
  first.send("5");
  await upgraded;
  await expectAliveOverWebSocket({ client: first, session });
});

test("a second WebSocket is closed without a code before the first has probed (16)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const first = await openCandidate(subject, pair.client.sid);
  await expectBareClose(await openCandidate(subject, pair.client.sid));
  first.send("2probe");
  expect(await first.nextText()).toBe("3probe");
});

test("a second WebSocket for an upgraded session is closed without a code (16)", async () => {
  const subject = await makeEngine();
  const pair = await openUpgraded(subject);
  await expectBareClose(await openCandidate(subject, pair.session.id));
  await expectAliveOverWebSocket(pair);
});

test("a WebSocket for a session that has closed is refused before the 101 (16)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  session.close(true);
  await expectRefusedUpgrade(subject.port, `${WEBSOCKET}&sid=${client.sid}`, "Session ID unknown");
});

test("an upgrade with a foreign Origin is accepted, cors or not (17)", async () => {
  const subject = await makeEngine({ cors: { origin: "http://home.example" } });
  const headers = { Origin: "http://foreign.example" };
  await expectAliveOverWebSocket(await openWebSocket(subject, { headers }));
});

test("polling with a foreign Origin is answered, cors or not (17)", async () => {
  const { port } = await makeEngine({ cors: { origin: "http://home.example" } });
  const headers = { Origin: "http://foreign.example" };
  const { handshake } = await pollingHandshake(port, { headers });
  expect(handshake.header("access-control-allow-origin")).toBe("http://home.example");
});
