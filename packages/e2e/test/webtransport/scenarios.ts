import { deepEqual, equal, match } from "node:assert/strict";
import { once } from "node:events";
import type { Session } from "@jackfield/engine-core";
import { missingChromium } from "../support/chromium.js";
import {
  closureOf,
  closureOfPage,
  messagesOf,
  openClient,
  openPage,
  openRaw,
  startHost,
  type RawClient,
} from "./host.js";

/** One test, to be run where QUIC can be spoken. */
export interface Scenario {
  readonly usesEngineClient: boolean;
  /** Resolves with a reason if it cannot be run on this machine. */
  run(): Promise<string | undefined | void>;
}

const BIG = 100_000;
const big = Buffer.alloc(BIG, "0123456789");

/** What the Engine.IO client hands over, as Node.js has it. */
function asNodeData(data: unknown): unknown {
  return typeof data === "string" ? data : Buffer.from(data as ArrayBuffer);
}

const withEngineClient: Record<string, () => Promise<void>> = {
  async "a client connects over WebTransport alone"() {
    const host = await startHost();
    const opened = host.opened();
    const { socket } = await openClient(host, ["webtransport"]);
    const session = await opened;
    equal(socket.id, session.id);
    equal(session.transport.name, "webtransport");
    equal(host.engine.clientsCount, 1);
  },

  async "text and bytes arrive unchanged at the server, also none and many"() {
    const host = await startHost();
    const opened = host.opened();
    const { socket } = await openClient(host, ["webtransport"]);
    const messages = messagesOf(await opened, 5);
    socket.send("grüße");
    socket.send(Buffer.from([0, 1, 255]));
    socket.send(new ArrayBuffer(0));
    socket.send(big);
    socket.send(big.toString());
    deepEqual(await messages, [
      "grüße",
      Buffer.from([0, 1, 255]),
      Buffer.alloc(0),
      big,
      big.toString(),
    ]);
  },

  async "text and bytes arrive unchanged at the client, also none and many"() {
    const host = await startHost();
    const opened = host.opened();
    const { received } = await openClient(host, ["webtransport"]);
    const session = await opened;
    const messages = received(5);
    session.send("grüße");
    session.send(Buffer.from([0, 1, 255]));
    session.send(Buffer.alloc(0));
    session.send(big);
    session.send(big.toString());
    deepEqual((await messages).map(asNodeData), [
      "grüße",
      Buffer.from([0, 1, 255]),
      Buffer.alloc(0),
      big,
      big.toString(),
    ]);
  },

  async "a client upgrades from polling without losing a message"() {
    const host = await startHost();
    const opened = host.opened();
    const { socket, received } = await openClient(host, ["polling", "webtransport"]);
    const session = await opened;
    equal(session.transport.name, "polling");
    const upgraded = once(session, "upgrade");
    const count = 40;
    const atServer = messagesOf(session, count);
    const atClient = received(count);
    const texts = Array.from({ length: count }, (_value, index) => `message ${index}`);
    for (const text of texts.slice(0, count / 2)) {
      socket.send(text);
      session.send(text);
    }
    await upgraded;
    for (const text of texts.slice(count / 2)) {
      socket.send(text);
      session.send(text);
    }
    deepEqual(await atServer, texts);
    deepEqual(await atClient, texts);
    equal(session.transport.name, "webtransport");
    equal(socket.transport.name, "webtransport");
  },

  async "a client that closes is a transport close at the server"() {
    const host = await startHost();
    const opened = host.opened();
    const { socket } = await openClient(host, ["webtransport"]);
    const closed = closureOf(await opened);
    socket.close();
    equal(await closed, "transport close");
    equal(host.engine.clientsCount, 0);
  },

  async "what the server sends before it closes arrives"() {
    const host = await startHost();
    const opened = host.opened();
    const client = await openClient(host, ["webtransport"]);
    const session = await opened;
    const count = 20;
    const messages = client.received(count + 1);
    const closed = closureOf(session);
    for (let index = 0; index < count; index += 1) session.send(big);
    session.send("last");
    session.close();
    equal((await messages).at(-1), "last");
    equal(await client.closed, "transport close");
    equal(await closed, "forced close");
  },

  async "heartbeats keep a client"() {
    const host = await startHost({ pingInterval: 20, pingTimeout: 5000 });
    const opened = host.opened();
    await openClient(host, ["webtransport"]);
    const session = await opened;
    await once(session, "heartbeat");
    await once(session, "heartbeat");
    await once(session, "heartbeat");
    equal(session.readyState, "open");
  },

  async "a server that closes ends the clients"() {
    const host = await startHost();
    const client = await openClient(host, ["webtransport"]);
    host.engine.close();
    equal(await client.closed, "transport close");
  },
};

/** Gives the stream the time of some round trips to take what was sent. */
async function letWrite(client: RawClient, session: Session): Promise<void> {
  for (let trips = 0; trips < 100 && (trips === 0 || session.bufferedBytes > 0); trips += 1) {
    const arrived = once(session, "message");
    // oxlint-disable-next-line no-await-in-loop -- one round trip follows the other
    await client.send("4round trip");
    // oxlint-disable-next-line no-await-in-loop
    await arrived;
  }
}

const byHand: Record<string, () => Promise<void>> = {
  async "a client that answers no ping is closed"() {
    const host = await startHost({ pingInterval: 20, pingTimeout: 20 });
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    equal(await closureOf(await opened), "ping timeout");
    await client.closed;
  },

  async "a client that sends no packet within upgradeTimeout is closed"() {
    const host = await startHost({ upgradeTimeout: 50 });
    const client = await openRaw(host);
    await client.closed;
    equal(host.engine.clientsCount, 0);
  },

  async "garbage for a first packet closes the client and nobody else"() {
    const host = await startHost();
    const first = await openRaw(host);
    await first.send("0");
    match(String(await first.next()), /^0\{"sid"/);
    const other = await openRaw(host);
    await other.sendBytes(Buffer.from(`GET /${"x".repeat(200)} HTTP/1.1\r\n\r\n`));
    await other.closed;
    equal(host.engine.clientsCount, 1);
  },

  async "a client that names an unknown session is refused"() {
    const host = await startHost();
    const refused = host.refused();
    const client = await openRaw(host);
    await client.send('0{"sid":"nobody"}');
    const { code, context, req } = await refused;
    deepEqual({ code, context, req }, { code: 1, context: { sid: "nobody" }, req: undefined });
    await client.closed;
  },

  async "a frame above the limit is a parse error"() {
    const host = await startHost({ maxHttpBufferSize: 1000 });
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    const session = await opened;
    const closed = closureOf(session);
    const messages = messagesOf(session, 1);
    await client.send("4" + "x".repeat(999));
    equal((await messages)[0]?.length, 999);
    await client.send("4" + "x".repeat(1000));
    equal(await closed, "parse error");
    await client.closed;
  },

  async "a frame that is no packet is a parse error"() {
    const host = await startHost();
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    const closed = closureOf(await opened);
    await client.send("abc");
    equal(await closed, "parse error");
    await client.closed;
  },

  async "a client that leaves is a transport close"() {
    const host = await startHost();
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    const session = await opened;
    const closed = closureOf(session);
    session.send(big);
    client.close();
    equal(await closed, "transport close");
    equal(host.engine.clientsCount, 0);
  },

  async "a candidate that fails leaves the polling session as it was"() {
    const host = await startHost();
    const opened = host.opened();
    const polling = await fetch(`http://127.0.0.1:${host.port}/engine.io/?EIO=4&transport=polling`);
    match(await polling.text(), /"upgrades":\["websocket","webtransport"\]/);
    const session = await opened;
    const client = await openRaw(host);
    await client.send(`0{"sid":"${session.id}"}`, "2probe");
    equal(await client.next(), "3probe");
    await client.send("4too early");
    await client.closed;
    equal(session.readyState, "open");
    equal(session.transport.name, "polling");
    equal(session.upgrading, false);
  },

  async "a client that reads nothing blocks the session, and gets all of it later"() {
    const host = await startHost();
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    const session: Session = await opened;
    await letWrite(client, session);
    let sent = 0;
    while (session.bufferedBytes === 0) {
      session.send(big);
      sent += 1;
      // oxlint-disable-next-line no-await-in-loop -- one at a time is what it is about
      await letWrite(client, session);
    }
    equal(session.writable, false);
    const drained = once(session, "drain");
    session.send("end");
    let packets = 0;
    // oxlint-disable-next-line no-await-in-loop -- one packet comes after the other
    while ((await client.next()) !== "4end") packets += 1;
    equal(packets, sent + 1);
    await drained;
    equal(session.bufferedBytes, 0);
  },

  async "with a request, the application is asked as for any other client"() {
    const asked: unknown[] = [];
    const host = await startHost(
      {
        cors: { origin: "https://example.com" },
        allowRequest: (req, answer) => {
          asked.push(req.headers["x-told"]);
          answer(undefined, true);
        },
      },
      { tellsRequests: true },
    );
    host.engine.use((req, _res, next) => {
      asked.push(req.url);
      next();
    });
    host.engine.generateId = (req) => `from-${req.socket.remoteAddress}`;
    const opened = host.opened();
    const client = await openRaw(host);
    await client.send("0");
    match(String(await client.next()), /^0\{"sid":"from-192\.0\.2\.1"/);
    deepEqual(asked, ["/engine.io/", "yes"]);
    const session = await opened;
    equal(session.request.headers["x-told"], "yes");
    equal(session.remoteAddress, "192.0.2.1");
  },

  async "allowRequest refuses a client"() {
    const host = await startHost(
      { allowRequest: (_req, answer) => answer("not you", false) },
      { tellsRequests: true },
    );
    const refused = host.refused();
    const client = await openRaw(host);
    await client.send("0");
    equal((await refused).code, 4);
    await client.closed;
    equal(host.engine.clientsCount, 0);
  },

  async "a middleware refuses a client, by an error or by ending the response"() {
    const host = await startHost({}, { tellsRequests: true });
    let calls = 0;
    host.engine.use((_req, res, next) => {
      calls += 1;
      if (calls === 1) next(new Error("not you"));
      else res.end();
    });
    const refused = host.refused();
    const first = await openRaw(host);
    await first.send("0");
    equal((await refused).context["name"], "MIDDLEWARE_FAILURE");
    await first.closed;
    const second = await openRaw(host);
    await second.send("0");
    await second.closed;
    equal(calls, 2);
    equal(host.engine.clientsCount, 0);
  },

  async "an allowRequest that cannot be asked admits nobody"() {
    const host = await startHost({ allowRequest: (_req, answer) => answer(undefined, true) });
    const refused = host.refused();
    const client = await openRaw(host);
    await client.send("0");
    const { code, context } = await refused;
    deepEqual({ code, context }, { code: 4, context: { name: "REQUEST_MISSING" } });
    await client.closed;
  },

  async "with cors and without a request, clients are admitted"() {
    const host = await startHost({ cors: { origin: "https://example.com" } });
    const client = await openRaw(host);
    await client.send("0");
    match(String(await client.next()), /^0\{"sid"/);
  },
};

const inChromium: Record<string, () => Promise<void>> = {
  async "Chromium: text and bytes come back unchanged, also none and many"() {
    const host = await startHost();
    const opened = host.opened();
    await openPage(host, ["webtransport"]);
    const session = await opened;
    equal(session.transport.name, "webtransport");
    const echoes = messagesOf(session, 4);
    session.send("grüße");
    session.send(Buffer.from([0, 1, 255]));
    session.send(Buffer.alloc(0));
    session.send(big);
    deepEqual(await echoes, ["grüße", Buffer.from([0, 1, 255]), Buffer.alloc(0), big]);
  },

  async "Chromium: a client upgrades from polling"() {
    const host = await startHost();
    const opened = host.opened();
    await openPage(host, ["polling", "webtransport"]);
    const session = await opened;
    equal(session.transport.name, "polling");
    const echoes = messagesOf(session, 2);
    session.send("before");
    await once(session, "upgrade");
    equal(session.transport.name, "webtransport");
    session.send("after");
    deepEqual(await echoes, ["before", "after"]);
  },

  async "Chromium: what the server sends before it closes arrives"() {
    const host = await startHost();
    const opened = host.opened();
    const page = await openPage(host, ["webtransport"]);
    const session = await opened;
    const closed = closureOf(session);
    for (let index = 0; index < 10; index += 1) session.send(big);
    session.send("last");
    session.close();
    deepEqual(await closureOfPage(page), { reason: "transport close", last: "last" });
    equal(await closed, "forced close");
  },

  async "Chromium: a client that closes is a transport close at the server"() {
    const host = await startHost();
    const opened = host.opened();
    await openPage(host, ["webtransport"]);
    const session = await opened;
    const closed = closureOf(session);
    session.send("close");
    equal(await closed, "transport close");
  },

  async "Chromium: a page that is left leaves no session behind"() {
    const host = await startHost({ pingInterval: 100, pingTimeout: 1000 });
    const opened = host.opened();
    const page = await openPage(host, ["webtransport"]);
    const closed = closureOf(await opened);
    await page.close();
    // Chromium does not always tell the peer of a session that it drops: then the heartbeat does.
    await closed;
    equal(host.engine.clientsCount, 0);
  },
};

/** All scenarios, by what they show. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  ...collect(withEngineClient, true),
  ...collect(byHand, false),
  ...collect(inChromium, false, missingChromium),
};

function collect(
  runs: Record<string, () => Promise<void>>,
  usesEngineClient: boolean,
  missing: () => string | undefined = () => undefined,
): Record<string, Scenario> {
  const entries = Object.entries(runs).map(([name, run]): [string, Scenario] => [
    name,
    { usesEngineClient, run: async () => missing() ?? (await run()) },
  ]);
  return Object.fromEntries(entries);
}
