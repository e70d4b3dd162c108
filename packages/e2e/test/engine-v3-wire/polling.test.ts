/* oxlint-disable vitest/expect-expect -- some assertions are in the expect… functions */
import { once } from "node:events";
import { gunzipSync, inflateSync } from "node:zlib";
import { rawRequest } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { closureOf, messagesOf } from "../engine-wire/subject.js";
import {
  binaryPayloadV3,
  expectAliveV3,
  makeEngineV3,
  openPollingV3,
  payloadV3,
} from "./client.js";

test("packets of text leave in one payload, each after its length (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  for (const text of ["one", "", "\u{1f600}", "a:b", "é\u2028"]) session.send(text);
  const response = await client.poll();
  const { body } = response;
  expect(body).toBe("4:4one1:43:4\u{1f600}4:4a:b3:4é\u2028");
  expect(response.header("Content-Type")).toBe("text/plain; charset=UTF-8");
});

test("a payload with bytes is binary as a whole (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  session.send("é");
  session.send(Buffer.from([0, 255, 4]));
  session.send(Buffer.alloc(0));
  session.send(Buffer.alloc(123, 7));
  const response = await client.poll();
  const { bytes } = response;
  expect(bytes.toString("hex")).toBe(
    ["0003ff34c3a9", "0104ff0400ff04", "0101ff04", `01010204ff04${"07".repeat(123)}`].join(""),
  );
  expect(response.header("Content-Type")).toBe("application/octet-stream");
  expect(response.header("Content-Length")).toBe(String(bytes.length));
});

test("without bytes the next payload is text again (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  session.send(Buffer.from("a"));
  await client.poll();
  session.send("b");
  const response = await client.poll();
  const { body } = response;
  expect([body, response.header("Content-Type")]).toEqual(["2:4b", "text/plain; charset=UTF-8"]);
});

test("a client that asks for base64 gets bytes as text (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3(), "&b64=1");
  session.send("one");
  session.send(Buffer.from([0, 255, 4]));
  session.send(Buffer.alloc(0));
  const response = await client.poll();
  const { body } = response;
  expect(body).toBe("4:4one6:b4AP8E2:b4");
  expect(response.header("Content-Type")).toBe("text/plain; charset=UTF-8");
});

test("a payload of text is taken apart by its lengths (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const received = messagesOf(session);
  const response = await client.post(payloadV3("4one", "4", "4\u{1f600}é", "4a:b", "b4AP8E", "b4"));
  const { status, body } = response;
  expect({ status, body, type: response.header("Content-Type") }).toEqual({
    status: 200,
    body: "ok",
    type: "text/html",
  });
  expect(received.map((data) => data ?? "")).toEqual([
    "one",
    "",
    "\u{1f600}é",
    "a:b",
    Buffer.from([0, 255, 4]),
    Buffer.alloc(0),
  ]);
});

test("a binary payload is taken apart by its lengths in bytes (34)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const received = messagesOf(session);
  const { status, body } = await client.post(
    binaryPayloadV3("4é\u{1f600}", Buffer.from([4, 0, 255]), Buffer.from([4]), "4end", "b4AP8E"),
  );
  expect([status, body]).toEqual([200, "ok"]);
  expect(received).toEqual([
    "é\u{1f600}",
    Buffer.from([0, 255]),
    Buffer.alloc(0),
    "end",
    Buffer.from([0, 255, 4]),
  ]);
});

test("the content type has to be exact for a payload to be binary (34)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const received = messagesOf(session);
  await client.post("3:4ab", "application/octet-stream; charset=x");
  expect(received).toEqual(["ab"]);
});

test("a long payload of 5000 packets arrives whole (37)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const received = messagesOf(session);
  const texts = Array.from({ length: 5000 }, (...[, index]) => `message ${index}`);
  await client.post(payloadV3(...texts.map((text) => `4${text}`)));
  expect(received).toEqual(texts);
  for (const text of texts) session.send(text);
  expect((await client.poll()).body).toBe(payloadV3(...texts.map((text) => `4${text}`)));
});

test.each([
  ["no packet at all", ""],
  ["no length", ":4a"],
  ["no number as its length", "x:4a"],
  ["a negative length", "-1:4"],
  ["a length and nothing more", "3"],
  ["a length beyond its end", "9:4abc"],
  ["an unknown type", "2:9a"],
  ["a letter for a type", "2:xa"],
])("a payload with %s is answered with ok and closes the session (31)", async (_what, payload) => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const received = messagesOf(session);
  const closed = closureOf(session);
  const { status, body } = await client.post(payload);
  expect([status, body]).toEqual([200, "ok"]);
  expect((await closed).reason).toBe("parse error");
  expect([received, subject.engine.clientsCount]).toEqual([[], 0]);
});

test("packets before a bad one are delivered, those behind it are not (32)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const received = messagesOf(session);
  const closed = closureOf(session);
  await client.post("2:4a2:4b2:9x2:4c");
  expect((await closed).reason).toBe("parse error");
  expect(received).toEqual(["a", "b"]);
});

test("a packet of length 0 is none (32)", async () => {
  const pair = await openPollingV3(await makeEngineV3());
  const received = messagesOf(pair.session);
  expect((await pair.client.post("0:2:4a0:")).body).toBe("ok");
  expect(received).toEqual(["a"]);
  await expectAliveV3(pair);
});

test("a close packet ends the session, and its poll with a noop (33)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const received = messagesOf(session);
  const closed = closureOf(session);
  const { response } = await subject.taken(() => client.startPoll());
  expect((await client.post("2:4a1:12:4b")).body).toBe("ok");
  expect((await response).body).toBe("1:6");
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
  expect(received).toEqual(["a"]);
});

test("a session that the server closes answers its pending poll with a close packet (38)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const { response } = await subject.taken(() => client.startPoll());
  session.close();
  expect((await response).body).toBe("1:1");
});

test("a session that the server closes delivers first what waits (38)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  session.send("a");
  session.close();
  expect((await client.poll()).body).toBe("2:4a");
  expect((await client.poll()).body).toBe("1:61:1");
});

test("overlapping polls close the session (28)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const closed = closureOf(session);
  const { response } = await subject.taken(() => client.startPoll());
  expect(await client.poll()).toMatchObject({ status: 400, body: "" });
  expect((await response).body).toBe("1:1");
  expect(await closed).toEqual({ reason: "transport error", detail: "overlap from client" });
});

test("a payload that is too big is refused, and the session lives on (35)", async () => {
  const pair = await openPollingV3(await makeEngineV3({ maxHttpBufferSize: 10 }));
  expect(await pair.client.post(payloadV3("4too long"))).toMatchObject({ status: 413, body: "" });
  await expectAliveV3(pair);
});

test.each([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
] as const)("a payload above the threshold is compressed with %s (40)", async (coding, expand) => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const ask = { port: client.port, path: client.target, headers: { "Accept-Encoding": coding } };
  for (const data of ["text ".repeat(1000), Buffer.alloc(5000, "bytes")]) {
    session.send(data);
    const response = await rawRequest(ask);
    const { bytes } = response;
    const expected =
      typeof data === "string"
        ? Buffer.from(payloadV3(`4${data}`))
        : binaryPayloadV3(Buffer.concat([Buffer.from([4]), data]));
    expect(response.header("Content-Encoding")).toBe(coding);
    expect(expand(bytes)).toEqual(expected);
  }
});

test("a payload below the threshold, and one that asks for no compression, are left alone (40)", async () => {
  const { client, session } = await openPollingV3(await makeEngineV3());
  const ask = { port: client.port, path: client.target, headers: { "Accept-Encoding": "gzip" } };
  session.send("short");
  expect((await rawRequest(ask)).header("Content-Encoding")).toBeUndefined();
  session.send("long ".repeat(1000), { compress: false });
  expect((await rawRequest(ask)).header("Content-Encoding")).toBeUndefined();
});

test("a message that is sent when a poll is pending ends the poll (37)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject);
  const drained = once(session, "drain");
  const { response } = await subject.taken(() => client.startPoll());
  session.send("now");
  expect((await response).body).toBe("4:4now");
  await drained;
});
