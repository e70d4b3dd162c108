/* oxlint-disable vitest/expect-expect -- some assertions are in the expect… functions */
import { once } from "node:events";
import { rawRequest, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";
import {
  expectRefusal,
  fix,
  makeEngine,
  openPolling,
  openWebSocket,
  PATH,
  type SessionUnderTest,
} from "../engine-wire/subject.js";
import {
  expectAliveV3,
  makeEngineV3,
  openPollingV3,
  openWebSocketV3,
  POLLING_V3,
  probeV3,
  WEBSOCKET_V3,
} from "./client.js";

test("the open packet has its length before it and is otherwise that of version 4 (19)", async () => {
  const subject = await makeEngineV3({ pingInterval: 1234, pingTimeout: 567 });
  const { client, session } = await openPollingV3(subject);
  const packet = `0${JSON.stringify({
    sid: session.id,
    upgrades: ["websocket"],
    pingInterval: 1234,
    pingTimeout: 567,
    maxPayload: 1_000_000,
  })}`;
  const response = client.handshake;
  const { status, body } = response;
  expect({
    status,
    body,
    type: response.header("Content-Type"),
    length: response.header("Content-Length"),
    cache: response.header("Cache-Control"),
  }).toEqual({
    status: 200,
    body: `${packet.length}:${packet}`,
    type: "text/plain; charset=UTF-8",
    length: String(body.length),
    cache: "no-store",
  });
  expect(session.protocol).toBe(3);
});

test("the length of a packet counts UTF-16 code units, not bytes (19)", async () => {
  const { client } = await openPollingV3(await makeEngineV3({ initialPacket: "\u{1f600}é" }));
  expect(client.handshake.body.endsWith("}4:4\u{1f600}é")).toBe(true);
});

test("a binary initial packet makes the payload of the handshake binary (19)", async () => {
  const { port } = await makeEngineV3({ initialPacket: Buffer.from([1, 2, 3]) });
  const response = await rawRequest({ port, path: POLLING_V3 });
  const { bytes } = response;
  expect(response.header("Content-Type")).toBe("application/octet-stream");
  expect(bytes[0]).toBe(0);
  expect(bytes.subarray(-7).toString("hex")).toBe("0104ff04010203");
});

test("over WebSocket the open packet is a frame without a length (19)", async () => {
  const { open, session } = await openWebSocketV3(await makeEngineV3());
  expect(open).toMatchObject({ sid: session.id, upgrades: [] });
  expect(session.protocol).toBe(3);
});

test.each(["", "&EIO=", "&EIO=3", "&EIO=2", "&EIO=5", "&EIO=04"])(
  'a handshake with "%s" is one in version 3 (26)',
  async (version) => {
    const { engine, port } = await makeEngineV3();
    const connected = once(engine, "connection");
    const path = `${PATH}?transport=polling${version}`;
    const response = await rawRequest({ port, path });
    expect(response.body).toMatch(/^\d+:0\{/);
    const [session] = (await connected) as [SessionUnderTest];
    expect(session.protocol).toBe(3);
  },
);

test("clients of both versions share a server (26)", async () => {
  const subject = await makeEngineV3();
  const polling = await openPollingV3(subject);
  const newer = await openPolling(subject);
  const websocket = await openWebSocket(subject);
  expect([polling, newer, websocket].map(({ session }) => session.protocol)).toEqual([3, 4, 4]);
  await expectAliveV3(polling);
});

test("a session of version 3 takes no requests of version 4 (5)", async () => {
  const subject = await makeEngineV3();
  const pair = await openPollingV3(subject);
  const path = pair.client.target.replace("EIO=3", "EIO=4");
  expectRefusal(await rawRequest({ port: subject.port, path }), 3, "Bad request");
  const upgrade = await RawWebSocket.attempt({
    port: subject.port,
    path: `${PATH}?EIO=4&transport=websocket&sid=${pair.client.sid}`,
  });
  expect([upgrade.name, "response" in upgrade && upgrade.response.body]).toEqual([
    "refused",
    "Bad request",
  ]);
  await expectAliveV3(pair);
});

test("version 3 is refused unless it is allowed, and the operator is told (26)", async () => {
  const { port, refusals } = await makeEngine();
  expectRefusal(await rawRequest({ port, path: POLLING_V3 }), 5, "Unsupported protocol version");
  expect(refusals).toMatchObject([{ code: 5, context: { protocol: 3 } }]);
});

test(
  "an upgrade in version 3 that is not allowed is refused before the 101 (13)",
  fix("101 comes first, then HTTP text as if it were a frame", async () => {
    const { engine, port } = await makeEngine();
    const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET_V3 });
    expect(outcome).toMatchObject({
      name: "refused",
      response: { status: 400, body: "Unsupported protocol version" },
    });
    expect(engine.clientsCount).toBe(0);
  }),
);

test(
  "an upgrade in version 3 without an id is refused before the 101 (13)",
  fix("101 comes first, then HTTP text as if it were a frame", async () => {
    const { engine, port } = await makeEngineV3();
    engine.generateId = () => Promise.reject(new Error("no id"));
    const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET_V3 });
    expect(outcome).toMatchObject({
      name: "refused",
      response: { status: 400, body: "Bad request" },
    });
  }),
);

test("a probe is answered, polls are let go and messages change over as in version 4 (49)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const candidate = await probeV3(subject, client.sid);
  expect((await client.poll()).body).toBe("1:6");
  session.send("still polling");
  expect((await client.poll()).body).toBe("14:4still polling");
  session.send("waits");
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
  expect(await candidate.nextText()).toBe("4waits");
  candidate.send("4there");
  expect(await once(session, "message")).toEqual(["there"]);
});

test("a poll that is pending at the upgrade is closed, the session is not (52)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const candidate = await probeV3(subject, client.sid);
  const { response } = await subject.taken(() => client.startPoll());
  candidate.send("5");
  expect(["1:1", "1:6"]).toContain((await response).body);
  session.send("there");
  expect(await candidate.nextText()).toBe("4there");
});
