/* oxlint-disable vitest/expect-expect -- some assertions are in the expect… functions */
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import { expect, test } from "vitest";
import {
  closureOf,
  expectAliveOverWebSocket,
  messagesOf,
  nextMessage,
  type SessionUnderTest,
} from "../engine-wire/subject.js";
import {
  makeEngineV3,
  nextBytes,
  openPollingV3,
  openUpgradedV3,
  openWebSocketV3,
  probeV3,
  WEBSOCKET_V3,
} from "./client.js";

const HOSTS = [
  ["opened directly", openWebSocketV3],
  ["upgraded", openUpgradedV3],
] as const;

test.each(HOSTS)(
  "text is a type and its data, on a WebSocket that was %s (62)",
  async (_, open) => {
    const { client, session } = await open(await makeEngineV3());
    for (const text of ["one", "", "\u{1f600}é\u2028"]) {
      session.send(text);
      expect(await client.nextText()).toBe(`4${text}`);
      const received = nextMessage(session);
      client.send(`4${text}`);
      expect((await received) ?? "").toBe(text);
    }
  },
);

test.each(HOSTS)(
  "bytes follow the byte of their type, on a WebSocket that was %s (62)",
  async (_, open) => {
    const { client, session } = await open(await makeEngineV3());
    for (const bytes of [Buffer.from([0, 4, 255]), Buffer.alloc(0), Buffer.alloc(70_000, 3)]) {
      const framed = Buffer.concat([Buffer.from([4]), bytes]);
      session.send(bytes);
      expect((await nextBytes(client)).equals(framed)).toBe(true);
      const received = nextMessage(session);
      client.send(framed);
      expect(bytes.equals((await received) as Buffer)).toBe(true);
    }
  },
);

test("every kind of binary data is sent behind the byte of its type (62)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3());
  const { buffer } = Uint8Array.from([9, 1, 2, 3, 9]);
  for (const data of [
    Buffer.from([9, 1, 2, 3, 9]).subarray(1, 4),
    new Uint8Array(buffer, 1, 3),
    buffer.slice(1, 4),
  ]) {
    session.send(data);
    expect(await nextBytes(client)).toEqual(Buffer.from([4, 1, 2, 3]));
  }
});

test("packets sent together are frames of their own, in the order of sending (62)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3());
  session.send("a");
  session.send(Buffer.from([1]));
  session.send("b");
  expect(await client.nextText()).toBe("4a");
  expect(await nextBytes(client)).toEqual(Buffer.from([4, 1]));
  expect(await client.nextText()).toBe("4b");
});

test("a client that asks for base64 gets bytes as text (62)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3(), "&b64=1");
  session.send(Buffer.from([0, 255, 4]));
  session.send(Buffer.alloc(0));
  expect([await client.nextText(), await client.nextText()]).toEqual(["b4AP8E", "b4"]);
});

test("bytes may come as base64 in a text frame (62)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3());
  const received = nextMessage(session);
  client.send("b4AP8E");
  expect(await received).toEqual(Buffer.from([0, 255, 4]));
});

test("a client that asks for base64 over polling alone gets bytes after the upgrade (62)", async () => {
  const subject = await makeEngineV3();
  const { client, session } = await openPollingV3(subject, "&b64=1");
  const candidate = await probeV3(subject, client.sid);
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
  session.send(Buffer.from([1]));
  expect(await nextBytes(candidate)).toEqual(Buffer.from([4, 1]));
});

test.each(["x", "9", ""])(
  'a frame with "%s" closes the session by parse error (63)',
  async (text) => {
    const { client, session } = await openWebSocketV3(await makeEngineV3());
    const closed = closureOf(session);
    client.send(text);
    expect((await closed).reason).toBe("parse error");
  },
);

test("a frame of text that comes with a packet reaches version 3 as the packet (67)", async () => {
  const { client, session } = await openWebSocketV3(await makeEngineV3());
  session.send("text", { wsPreEncodedFrame: [Buffer.from([0x81, 5]), Buffer.from("4text")] });
  expect(await client.nextText()).toBe("4text");
  await expectAliveOverWebSocket({ client, session });
});

/** Opens a WebSocket with the client of `ws`, which offers permessage-deflate. */
async function openDeflating(port: number, path: string): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(client, "message");
  return client;
}

test.each([
  ["3", WEBSOCKET_V3],
  ["4", WEBSOCKET_V3.replace("EIO=3", "EIO=4")],
])("messages are compressed where it is negotiated, in version %s (66)", async (version, path) => {
  const { engine, port } = await makeEngineV3({ perMessageDeflate: { threshold: 100 } });
  const connected = once(engine, "connection");
  const client = await openDeflating(port, path);
  const [session] = (await connected) as [SessionUnderTest];
  expect(client.extensions).toBe("permessage-deflate");
  const received = messagesOf(session);
  const answers: Buffer[] = [];
  const all = new Promise<void>((resolve) => {
    client.on("message", (data: Buffer) => {
      answers.push(data);
      if (answers.length === 4) resolve();
    });
  });
  const long = "long ".repeat(1000);
  const prefix = version === "3" ? Buffer.from([4]) : Buffer.alloc(0);
  session.send("short");
  session.send(long);
  session.send(long, { compress: false });
  session.send(Buffer.from(long));
  await all;
  const texts = ["4short", `4${long}`, `4${long}`].map((text) => Buffer.from(text));
  expect(answers).toEqual([...texts, Buffer.concat([prefix, Buffer.from(long)])]);
  client.send(`4${long}`);
  expect(await once(session, "message")).toEqual([long]);
  expect(received).toEqual([long]);
  client.close();
});

test("without the option nothing is compressed (66)", async () => {
  const { port } = await makeEngineV3();
  const client = await openDeflating(port, WEBSOCKET_V3);
  expect(client.extensions).toBe("");
  client.close();
});

test("a foreign WebSocket server gets the options, and needs no events (68)", async () => {
  const given: object[] = [];
  /** Has what is needed and nothing else: no `on`. */
  class Foreign {
    readonly #server: WebSocketServer;
    constructor(options: { noServer: true }) {
      given.push(options);
      this.#server = new WebSocketServer(options);
    }
    handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
      this.#server.handleUpgrade(...args);
    }
    close(): void {
      this.#server.close();
    }
  }
  const subject = await makeEngineV3({ wsEngine: Foreign, maxHttpBufferSize: 1234 });
  expect(given[0]).toMatchObject({ noServer: true, clientTracking: false, maxPayload: 1234 });
  const direct = await openWebSocketV3(subject);
  await expectAliveOverWebSocket(direct);
  direct.session.send(Buffer.from([1, 2]));
  expect(await nextBytes(direct.client)).toEqual(Buffer.from([4, 1, 2]));
  const upgraded = await openUpgradedV3(subject);
  await expectAliveOverWebSocket(upgraded);
  const closed = closureOf(upgraded.session);
  upgraded.client.close();
  expect(await closed).toEqual({ reason: "transport close", detail: undefined });
});
