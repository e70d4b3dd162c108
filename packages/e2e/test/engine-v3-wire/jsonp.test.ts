/* oxlint-disable vitest/expect-expect -- some assertions are in the expect… functions */
import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { rawRequest, type RawResponse, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";
import {
  closureOf,
  fix,
  messagesOf,
  type SessionUnderTest,
  type Subject,
} from "../engine-wire/subject.js";
import { makeEngineV3, payloadV3, POLLING_V3, WEBSOCKET_V3 } from "./client.js";

const SEPARATOR = "\x1e";
const POLLING_V4 = POLLING_V3.replace("EIO=3", "EIO=4");

/** What a page would do with a response: run the script and see what its function is called with. */
function run(script: string): { index: string; payload: string } {
  const [, index = "", literal = ""] = /^___eio\[(\d*)\]\((".*")\);$/s.exec(script) ?? [];
  return { index, payload: JSON.parse(literal) as string };
}

interface Jsonp {
  readonly handshake: RawResponse;
  readonly session: SessionUnderTest;
  readonly poll: (query?: string) => Promise<RawResponse>;
  /** Posts a form with these fields. */
  readonly post: (fields: string) => Promise<RawResponse>;
}

async function openJsonp({ engine, port }: Subject, target = `${POLLING_V3}&j=0`): Promise<Jsonp> {
  const connected = once(engine, "connection");
  const handshake = await rawRequest({ port, path: target });
  const [session] = (await connected) as [SessionUnderTest];
  const path = `${target}&sid=${session.id}`;
  return {
    handshake,
    session,
    poll: (query = "") => rawRequest({ port, path: path + query }),
    post: (fields) =>
      rawRequest({
        port,
        method: "POST",
        path,
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: fields,
      }),
  };
}

function field(payload: string): string {
  return new URLSearchParams({ d: payload }).toString();
}

test("a handshake with j is answered with a script, which is called text (46)", async () => {
  const { handshake, session } = await openJsonp(await makeEngineV3(), `${POLLING_V3}&j=7`);
  const { index, payload } = run(handshake.body);
  expect(index).toBe("7");
  expect(payload).toMatch(new RegExp(`^\\d+:0{"sid":"${session.id}"`));
  expect(handshake.header("Content-Type")).toBe("text/plain; charset=UTF-8");
  expect(handshake.header("X-Content-Type-Options")).toBeUndefined();
  expect(handshake.header("Content-Length")).toBe(String(handshake.bytes.length));
});

test("version 4 has JSONP as well (46)", async () => {
  const { handshake, poll, post, session } = await openJsonp(
    await makeEngineV3(),
    `${POLLING_V4}&j=1`,
  );
  expect(run(handshake.body)).toMatchObject({ index: "1" });
  session.send("a");
  session.send(Buffer.from([0, 255]));
  expect((await poll()).body).toBe(`___eio[1]("4a\\u001ebAP8=");`);
  const received = messagesOf(session);
  await post(field(["4x", "bAP8="].join(SEPARATOR)));
  expect(received).toEqual(["x", Buffer.from([0, 255])]);
});

test("what is no digit in j does not get into the script (45)", async () => {
  const attack = encodeURIComponent("1];alert(2)//");
  const { handshake } = await openJsonp(await makeEngineV3(), `${POLLING_V3}&j=${attack}`);
  expect(run(handshake.body).index).toBe("12");
});

test("an empty j is JSONP too (45)", async () => {
  const { handshake } = await openJsonp(await makeEngineV3(), `${POLLING_V3}&j=`);
  expect(run(handshake.body).index).toBe("");
});

test("a session keeps the number of its handshake, whatever later requests say (45)", async () => {
  const subject = await makeEngineV3();
  const jsonp = await openJsonp(subject, `${POLLING_V3}&j=3`);
  jsonp.session.send("a");
  const path = `${POLLING_V3}&sid=${jsonp.session.id}`;
  expect(run((await rawRequest({ port: subject.port, path })).body)).toEqual({
    index: "3",
    payload: "2:4a",
  });
  jsonp.session.send("b");
  const other = await rawRequest({ port: subject.port, path: `${path}&j=9` });
  expect(run(other.body).index).toBe("3");
});

test("a session without j at its handshake is never JSONP (45)", async () => {
  const subject = await makeEngineV3();
  const plain = await openJsonp(subject, POLLING_V3);
  plain.session.send("a");
  expect((await plain.poll("&j=1")).body).toBe("2:4a");
});

test("line separators, which scripts could not have in strings, are escaped (46)", async () => {
  const { poll, session } = await openJsonp(await makeEngineV3());
  session.send('\u2028\u2029\n\r"\\</script>é');
  const { body } = await poll();
  expect(body).toBe(String.raw`___eio[0]("17:4\u2028\u2029\n\r\"\\</script>é");`);
});

test("bytes are base64 (46)", async () => {
  // Clients always say so.
  const { poll, session } = await openJsonp(await makeEngineV3(), `${POLLING_V3}&j=0&b64=1`);
  session.send(Buffer.from([0, 255, 4]));
  session.send(Buffer.alloc(0));
  expect(run((await poll()).body).payload).toBe("6:b4AP8E2:b4");
});

test(
  "bytes are base64 even if the client forgot to say so (46)",
  fix("the script calls with a description of a Buffer", async () => {
    const { poll, session } = await openJsonp(await makeEngineV3());
    session.send(Buffer.from([0, 255, 4]));
    expect(run((await poll()).body).payload).toBe("6:b4AP8E");
  }),
);

test("a form is answered with ok like any other payload (47)", async () => {
  const { post, session } = await openJsonp(await makeEngineV3());
  const received = messagesOf(session);
  const response = await post(field(payloadV3("4é+ &=%20", "b4AP8E")));
  const { status, body } = response;
  expect({ status, body, type: response.header("Content-Type") }).toEqual({
    status: 200,
    body: "ok",
    type: "text/html",
  });
  expect(received).toEqual(["é+ &=%20", Buffer.from([0, 255, 4])]);
});

test.each([
  ["a newline", String.raw`a\nb`, "a\nb"],
  ["a backslash and an n", String.raw`a\\nb`, String.raw`a\nb`],
  ["two backslashes and an n", String.raw`a\\\nb`, String.raw`a\\nb`],
  ["a backslash alone", String.raw`a\b\\c\ n`, String.raw`a\b\\c\ n`],
  ["newlines in a row", String.raw`\n\n`, "\n\n"],
  ["both in a row", String.raw`\n\\n\n`, "\n\\n\n"],
])("%s comes back as it was before the client escaped it (47)", async (_what, escaped, text) => {
  const { post, session } = await openJsonp(await makeEngineV3(), `${POLLING_V4}&j=0`);
  const received = messagesOf(session);
  expect((await post(field(`4${escaped}`))).body).toBe("ok");
  expect(received).toEqual([text]);
});

test("the lengths of a form's packets are those before the escaping (47)", async () => {
  const { post, session } = await openJsonp(await makeEngineV3());
  const received = messagesOf(session);
  await post(field(String.raw`4:4a\nb5:4a\\nb2:4c`));
  expect(received).toEqual(["a\nb", String.raw`a\nb`, "c"]);
});

test.each(["", "x=1", "d=1:4a&d=1:4b", "%"])(
  'a form with "%s", which has no single d, is ignored (47)',
  async (fields) => {
    const { poll, post, session } = await openJsonp(await makeEngineV3());
    const received = messagesOf(session);
    expect(await post(fields)).toMatchObject({ status: 200, body: "ok" });
    session.send("alive");
    expect(run((await poll()).body).payload).toBe("6:4alive");
    expect(received).toEqual([]);
  },
);

test("an empty d is a bad payload (47)", async () => {
  const { post, session } = await openJsonp(await makeEngineV3());
  const closed = closureOf(session);
  expect(await post("d=")).toMatchObject({ status: 200, body: "ok" });
  expect((await closed).reason).toBe("parse error");
});

test("of a form with very many fields only the first thousand are read (48)", async () => {
  const { post, session } = await openJsonp(await makeEngineV3());
  const received = messagesOf(session);
  const padding = "x=&".repeat(999);
  await post(`${padding}${field("2:4a")}`);
  await post(`x=&${padding}${field("2:4b")}`);
  expect(received).toEqual(["a"]);
});

test("a form that is too big is refused (35)", async () => {
  const { post, poll, session } = await openJsonp(await makeEngineV3({ maxHttpBufferSize: 20 }));
  expect(await post(field(payloadV3("4much too long")))).toMatchObject({ status: 413, body: "" });
  session.send("a");
  expect(run((await poll()).body).payload).toBe("2:4a");
});

test("scripts are compressed like other answers (40)", async () => {
  const subject = await makeEngineV3();
  const { session } = await openJsonp(subject);
  session.send("x".repeat(5000));
  const response = await rawRequest({
    port: subject.port,
    path: `${POLLING_V3}&j=0&sid=${session.id}`,
    headers: { "Accept-Encoding": "gzip" },
  });
  const { bytes } = response;
  expect(response.header("Content-Encoding")).toBe("gzip");
  expect(run(gunzipSync(bytes).toString()).payload).toBe(`5001:4${"x".repeat(5000)}`);
});

test("a JSONP session may upgrade, and then gets bytes (45)", async () => {
  const { engine, port } = await makeEngineV3();
  const connected = once(engine, "connection");
  await rawRequest({ port, path: `${POLLING_V3}&j=0` });
  const [session] = (await connected) as [SessionUnderTest];
  const socket = await RawWebSocket.connect({ port, path: `${WEBSOCKET_V3}&sid=${session.id}` });
  socket.send("2probe");
  expect(await socket.nextText()).toBe("3probe");
  const upgraded = once(session, "upgrade");
  socket.send("5");
  await upgraded;
  session.send(Buffer.from([1]));
  expect((await socket.nextFrame()).payload).toEqual(Buffer.from([4, 1]));
});

test("a session that the server closes says so in a script (38)", async () => {
  const { poll, session } = await openJsonp(await makeEngineV3());
  session.close();
  expect(run((await poll()).body).payload).toBe("1:61:1");
});
