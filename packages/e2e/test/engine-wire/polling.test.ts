/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { once } from "node:events";
import type { Socket } from "node:net";

import { joinPayload, pollingHandshake, RawConnection, splitPayload } from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  closureOf,
  expectAlive,
  expectAliveOverWebSocket,
  expectBareClose,
  expectRefusal,
  makeEngine,
  messagesOf,
  openPolling,
  openUpgraded,
  openWebSocket,
  pollPackets,
} from "./subject.js";

const TEXT = { "Content-Type": "text/plain;charset=UTF-8" };

test("a second poll is refused with 400 and closes the session (28)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const first = await subject.taken(() => client.startPoll());
  const second = await client.poll();
  expect(second.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(second.body).toBe("");
  expect(await closed).toEqual({ reason: "transport error", detail: "overlap from client" });
  const answer = await first.response;
  expect(answer.status).toBe(200);
  expect(answer.body).toBe("1");
  expectRefusal(await client.poll(), 1, "Session ID unknown");
});

test("a second POST is refused with 400, closes the session and cuts the first (29)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const messages = messagesOf(session);
  const closed = closureOf(session);
  const first = await subject.taken(() =>
    client.start({ method: "POST", headers: TEXT, body: "4unfinished", contentLength: 100 }),
  );
  const second = await client.post("4second");
  expect(second.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(second.body).toBe("");
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "data request overlap from client",
  });
  expect(await first.connection.closed).toHaveLength(0);
  expect(messages).toEqual([]);
});

test("a second POST closes the pending poll with a close packet (29)", async () => {
  const subject = await makeEngine();
  const { client } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  await subject.taken(() =>
    client.start({ method: "POST", headers: TEXT, body: "4", contentLength: 100 }),
  );
  expect((await client.post("4second")).status).toBe(400);
  expect((await poll.response).body).toBe("1");
});

test("a poll and a POST at the same time are no overlap (29)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  session.on("message", (message: string) => session.send(`echo of ${message}`));
  expect((await client.post("4x")).body).toBe("ok");
  expect((await poll.response).body).toBe("4echo of x");
});

test("a POST is answered with ok (30)", async () => {
  const { client } = await openPolling(await makeEngine());
  const response = await client.post("4x");
  expect(response.statusLine).toBe("HTTP/1.1 200 OK");
  expect(response.headers.slice(0, 3)).toEqual([
    ["Content-Type", "text/html"],
    ["Content-Length", "2"],
    ["cache-control", "no-store"],
  ]);
  expect(response.body).toBe("ok");
});

test("a POST is answered after its packets have been dealt with (30)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const order: unknown[] = [];
  session.on("message", (message: unknown) => order.push(message));
  subject.engine.on("headers", () => order.push("response"));
  await client.post(joinPayload("4a", "4b"));
  expect(order).toEqual(["a", "b", "response"]);
});

test("a payload may come in pieces that cut through a character (30)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const received = once(session, "message");
  const [before, after] = [Buffer.from("4€").subarray(0, 2), Buffer.from("4€").subarray(2)];
  const { connection, response } = await subject.taken(() =>
    client.start({ method: "POST", headers: TEXT, body: before, contentLength: 4 }),
  );
  connection.write(after);
  expect((await response).body).toBe("ok");
  expect(await received).toEqual(["€"]);
});

test("a payload may come in chunks of unknown total length (30)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const received = once(session, "message");
  const connection = new RawConnection(client.port);
  connection.write(
    `POST ${client.target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  connection.write("3\r\n4ab\r\n1\r\nc\r\n0\r\n\r\n");
  expect((await connection.nextResponse()).body).toBe("ok");
  expect(await received).toEqual(["abc"]);
  connection.destroy();
});

test("binary data comes in base64 among the packets of a payload (30)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  await client.post(joinPayload("4before", "bAQID", "4after"));
  expect(messages).toEqual(["before", Buffer.from([1, 2, 3]), "after"]);
});

test.each([
  ["an unknown packet type", "x"],
  ["a packet type out of range", "7"],
  ["no packet at all", ""],
  ["an empty packet among others", joinPayload("", "4x")],
  ["text that is not a packet", "hello"],
])("%s is answered with ok and closes the session (31)", async (_what, payload) => {
  const { client, session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  const messages = messagesOf(session);
  const response = await client.post(payload);
  expect({ status: response.status, body: response.body }).toEqual({ status: 200, body: "ok" });
  expect(await closed).toMatchObject({ reason: "parse error" });
  expect(messages).toEqual([]);
});

test("a bad payload ends the pending poll with a close packet (31)", async () => {
  const subject = await makeEngine();
  const { client } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  expect((await client.post("x")).body).toBe("ok");
  expect((await poll.response).body).toBe("1");
});

test("packets before a bad one are delivered, those after it are not (32)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  const closed = closureOf(session);
  await client.post(joinPayload("4a", "4b", "x", "4c"));
  expect(await closed).toMatchObject({ reason: "parse error" });
  expect(messages).toEqual(["a", "b"]);
});

test("packets after a close packet are not delivered (32)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  const closed = closureOf(session);
  expect((await client.post(joinPayload("4a", "1", "4b"))).body).toBe("ok");
  expect(await closed).toMatchObject({ reason: "transport close" });
  expect(messages).toEqual(["a"]);
});

test("a close packet is answered with ok and lets the poll go with a noop (33)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const poll = await subject.taken(() => client.startPoll());
  const response = await client.post("1");
  expect({ status: response.status, body: response.body }).toEqual({ status: 200, body: "ok" });
  expect((await poll.response).body).toBe("6");
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
  expectRefusal(await client.poll(), 1, "Session ID unknown");
});

test("a close packet without a pending poll closes the session just so (33)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  expect((await client.post("1")).body).toBe("ok");
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
});

test("a binary POST is refused with 400 and closes the session (34)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  const closed = closureOf(session);
  const response = await client.post("4x", { "Content-Type": "application/octet-stream" });
  expect({ status: response.status, body: response.body }).toEqual({ status: 400, body: "" });
  expect(await closed).toEqual({ reason: "transport error", detail: "invalid content" });
  expect(messages).toEqual([]);
});

test.each([
  "text/plain;charset=UTF-8",
  "text/plain",
  "application/x-www-form-urlencoded",
  "application/json",
  "application/octet-stream; charset=binary",
  "Application/Octet-Stream",
])("a POST of type %s is text (34)", async (type) => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  expect((await client.post("4x", { "Content-Type": type })).body).toBe("ok");
  expect(messages).toEqual(["x"]);
});

test("a POST without a content type is text (34)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  expect((await client.post("4x", {})).body).toBe("ok");
  expect(messages).toEqual(["x"]);
});

test("a POST that is too big is refused with 413 and leaves the session alone (35)", async () => {
  const pair = await openPolling(await makeEngine({ maxHttpBufferSize: 50 }));
  const messages = messagesOf(pair.session);
  const response = await pair.client.post(`4${"x".repeat(50)}`);
  expect(response.statusLine).toBe("HTTP/1.1 413 Payload Too Large");
  expect(response.body).toBe("");
  expect(messages).toEqual([]);
  await expectAlive(pair);
});

test("a POST of exactly maxHttpBufferSize is accepted (35)", async () => {
  const { client, session } = await openPolling(await makeEngine({ maxHttpBufferSize: 50 }));
  const messages = messagesOf(session);
  expect((await client.post(`4${"x".repeat(49)}`)).body).toBe("ok");
  expect(messages).toEqual(["x".repeat(49)]);
});

test("the size of a POST is counted in bytes, not in characters (35)", async () => {
  const pair = await openPolling(await makeEngine({ maxHttpBufferSize: 50 }));
  const messages = messagesOf(pair.session);
  expect((await pair.client.post(`4${"é".repeat(25)}`)).status).toBe(413);
  expect((await pair.client.post(`4${"é".repeat(24)}`)).status).toBe(200);
  expect(messages).toEqual(["é".repeat(24)]);
});

test("a POST is refused as soon as it is too big, not when it is complete (35)", async () => {
  const pair = await openPolling(await makeEngine({ maxHttpBufferSize: 50 }));
  const unfinished = pair.client.start({
    method: "POST",
    headers: TEXT,
    body: "x".repeat(51),
    contentLength: 1_000_000,
  });
  expect((await unfinished.response).status).toBe(413);
  await expectAlive(pair);
  unfinished.connection.destroy();
});

test("a POST in chunks is refused when their sum is too big (35)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 50 });
  const pair = await openPolling(subject);
  const connection = new RawConnection(subject.port);
  connection.write(
    `POST ${pair.client.target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = `1e\r\n${"x".repeat(30)}\r\n`;
  connection.write(chunk + chunk);
  expect((await connection.nextResponse()).status).toBe(413);
  connection.destroy();
  await expectAlive(pair);
});

test("a pending poll outlives a POST that is too big (35)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 50 });
  const { client, session } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  expect((await client.post("x".repeat(51))).status).toBe(413);
  session.send("still there");
  expect((await poll.response).body).toBe("4still there");
});

test("a client that drops its poll closes the session (36)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const poll = await subject.taken(() => client.startPoll());
  poll.connection.destroy();
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "poll connection closed prematurely",
  });
});

test("a client that drops a POST closes the session (36)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const messages = messagesOf(session);
  const closed = closureOf(session);
  const post = await subject.taken(() =>
    client.start({ method: "POST", headers: TEXT, body: "4x", contentLength: 100 }),
  );
  post.connection.destroy();
  expect(await closed).toEqual({
    reason: "transport error",
    detail: "data request connection closed prematurely",
  });
  expect(messages).toEqual([]);
});

test("dropping the connection of an answered poll means nothing (36)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const connected = once(subject.server, "connection");
  const poll = await subject.taken(() => pair.client.startPoll());
  const [serverSide] = (await connected) as [Socket];
  pair.session.send("x");
  await poll.response;
  const gone = once(serverSide, "close");
  poll.connection.destroy();
  await gone;
  await expectAlive(pair);
});

test("dropping the connection of an answered poll means nothing to the next poll (36)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const connected = once(subject.server, "connection");
  const first = await subject.taken(() => client.startPoll());
  const [serverSide] = (await connected) as [Socket];
  session.send("x");
  await first.response;
  const second = await subject.taken(() => client.startPoll());
  const gone = once(serverSide, "close");
  first.connection.destroy();
  await gone;
  session.send("y");
  expect((await second.response).body).toBe("4y");
});

test("polls and POSTs may share one connection (36)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  const connection = new RawConnection(client.port);
  for (const text of ["a", "b", "c"]) {
    session.send(text);
    // oxlint-disable-next-line no-await-in-loop -- one connection carries one request at a time
    expect((await connection.request({ path: client.target })).body).toBe(`4${text}`);
    const post = { method: "POST", path: client.target, headers: TEXT, body: `4${text}` };
    // oxlint-disable-next-line no-await-in-loop -- as above
    expect((await connection.request(post)).body).toBe("ok");
  }
  expect(messages).toEqual(["a", "b", "c"]);
  connection.destroy();
});

test("what has been sent waits for the poll and leaves in one payload (37)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  session.send("a");
  session.send(Buffer.from([1, 2, 3]));
  session.send("");
  session.send("é");
  session.send(new Uint8Array([4, 5]));
  session.send(new Uint8Array([6, 7]).buffer);
  const response = await client.poll();
  const expected = joinPayload("4a", "bAQID", "4", "4é", "bBAU=", "bBgc=");
  expect(response.body).toBe(expected);
  expect(response.headers.slice(0, 3)).toEqual([
    ["Content-Type", "text/plain; charset=UTF-8"],
    ["Content-Length", String(Buffer.byteLength(expected))],
    ["cache-control", "no-store"],
  ]);
});

test("a pending poll is answered with the first packet that is sent (37)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const poll = await subject.taken(() => client.startPoll());
  expect(session.transport.writable).toBe(true);
  session.send("a");
  expect((await poll.response).body).toBe("4a");
  expect(session.transport.writable).toBe(false);
});

test("binary data alone is still text over polling (37)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  session.send(Buffer.from([0xff]));
  const response = await client.poll();
  expect(response.body).toBe("b/w==");
  expect(response.header("content-type")).toBe("text/plain; charset=UTF-8");
});

test("a session that the server closes answers its pending poll with a close packet (38)", async () => {
  const subject = await makeEngine();
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  const poll = await subject.taken(() => client.startPoll());
  session.close();
  expect((await poll.response).body).toBe("1");
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("a session that the server closes says so to the next poll (38)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  session.close();
  expect(session.readyState).toBe("closing");
  expect(await pollPackets(client)).toEqual(["6", "1"]);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
  expect(session.readyState).toBe("closed");
  expectRefusal(await client.poll(), 1, "Session ID unknown");
});

test("a session that the server closes delivers first what waits (38)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  session.send("a");
  session.send("b");
  session.close();
  session.send("too late");
  expect(await pollPackets(client)).toEqual(["4a", "4b"]);
  expect(await pollPackets(client)).toEqual(["6", "1"]);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("a closing session takes no more messages (38)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const messages = messagesOf(session);
  session.close();
  expect((await client.post("4x")).body).toBe("ok");
  expect(messages).toEqual([]);
});

test("a session whose client never polls again closes after closeTimeout (38)", async () => {
  const { session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  session.transport.closeTimeout = 20;
  session.close();
  expect(session.readyState).toBe("closing");
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("closing the engine closes every session at once (39)", async () => {
  const subject = await makeEngine();
  const pending = await openPolling(subject);
  const silent = await openPolling(subject);
  const webSocket = await openWebSocket(subject);
  const poll = await subject.taken(() => pending.client.startPoll());
  silent.session.send("never read");
  const sessions = [pending.session, silent.session, webSocket.session];
  const closures = Promise.all(sessions.map(closureOf));
  subject.engine.close();
  expect(subject.engine.clientsCount).toBe(0);
  const closure = { reason: "forced close", detail: undefined };
  expect(await closures).toEqual([closure, closure, closure]);
  expect((await poll.response).body).toBe("1");
  await expectBareClose(webSocket.client);
  expectRefusal(await silent.client.poll(), 1, "Session ID unknown");
});

test("a discarded session does not wait for its buffer (39)", async () => {
  const { client, session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  session.send("never read");
  session.close(true);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
  expectRefusal(await client.poll(), 1, "Session ID unknown");
});

// Without the close packet: clients of today would keep the message for when they are back.
test("what the tick has sent leaves before the engine closes (39)", async () => {
  const subject = await makeEngine();
  const polling = await openPolling(subject);
  const webSocket = await openWebSocket(subject);
  const poll = await subject.taken(() => polling.client.startPoll());
  polling.session.send("last");
  webSocket.session.send("last");
  subject.engine.close();
  expect((await poll.response).body).toBe("4last");
  expectRefusal(await polling.client.poll(), 1, "Session ID unknown");
  expect(await webSocket.client.nextText()).toBe("4last");
  await expectBareClose(webSocket.client);
});

test("a closing session can still be discarded (39)", async () => {
  const { session } = await openPolling(await makeEngine());
  const closed = closureOf(session);
  session.send("never read");
  session.close();
  expect(session.readyState).toBe("closing");
  session.close(true);
  expect(await closed).toEqual({ reason: "forced close", detail: undefined });
});

test("the request that a session keeps does not keep its response (41)", async () => {
  const { session } = await openPolling(await makeEngine());
  expect(session.request?.url).toContain("transport=polling");
  expect(session.request?.res ?? null).toBeNull();
});

test("a session does without its first request (42)", async () => {
  const subject = await makeEngine();
  const polling = await openPolling(subject);
  delete polling.session.request;
  await expectAlive(polling);
  const upgraded = await openUpgraded(subject);
  delete upgraded.session.request;
  await expectAliveOverWebSocket(upgraded);
});

test("a client that sends more than fits sends it in several payloads (142)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 20 });
  const { client, session } = await openPolling(subject);
  expect(client.open.maxPayload).toBe(20);
  const messages = messagesOf(session);
  const packets = ["4aaaaaaaa", "4bbbbbbbb", "4cccccccc"];
  expect((await client.post(joinPayload(...packets))).status).toBe(413);
  expect((await client.post(joinPayload(...packets.slice(0, 2)))).body).toBe("ok");
  expect((await client.post(joinPayload(...packets.slice(2)))).body).toBe("ok");
  expect(messages).toEqual(["aaaaaaaa", "bbbbbbbb", "cccccccc"]);
});

test("a client that gives up after a payload that is too big leaves by transport close (134)", async () => {
  const subject = await makeEngine({ maxHttpBufferSize: 20 });
  const { client, session } = await openPolling(subject);
  const closed = closureOf(session);
  expect((await client.post("x".repeat(21))).status).toBe(413);
  // What the official client does when a request of its fails: it says that it goes.
  expect((await client.post("1")).body).toBe("ok");
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
});

test("what is smaller than the limit is delivered whole (142)", async () => {
  const subject = await makeEngine();
  const client = await pollingHandshake(subject.port);
  const session = subject.engine.clients[client.sid];
  const text = "x".repeat(999_999);
  const received = session === undefined ? undefined : once(session, "message");
  expect((await client.post(`4${text}`)).body).toBe("ok");
  expect(await received).toEqual([text]);
  session?.send(text);
  const [packet = ""] = splitPayload((await client.poll()).body);
  expect(packet).toHaveLength(1_000_000);
});
