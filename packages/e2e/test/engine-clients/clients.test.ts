import type { Socket as Session } from "engine.io";
import { describe, expect, test } from "vitest";
import { collect } from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { range } from "../support/range.js";
import { startEngine } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";
import { type Cell, CELLS, connect, hex, idOf, messages, pair, settled } from "./clients.js";

const ALLOWED = { allowEIO3: true };

const TEXTS = [
  "text",
  "",
  "\u{1f600} \u{10ffff} \u{1f468}\u200d\u{1f469}",
  "line\u2028paragraph\u2029\r\n\t\0",
  "é\u007f\u0080\u00ff€",
  "\ufefforder mark",
  "3:4xy",
  "6",
  "bAQID",
  "\\n\\\\n\n",
  // Between the packets of protocol 4 over polling, so that it cannot be in them.
  "\u001e",
  "x".repeat(100_000),
];

/** What the protocol, and the client, can carry over the transport of the cell. */
function textsOf(cell: Cell): string[] {
  if (cell.transport !== "polling") return TEXTS;
  if (cell.protocol === 4) return TEXTS.filter((text) => !text.includes("\u001e"));
  // Version 1 encodes polling payloads to UTF-8 twice (behaviour 141).
  return isDoubleEncoding(cell) ? TEXTS.filter((text) => /^\p{ASCII}*$/u.test(text)) : TEXTS;
}

function isDoubleEncoding({ client, transport }: Cell): boolean {
  return client.startsWith("1.") && transport === "polling";
}

const BINARIES = [
  Buffer.from(range(256)),
  Buffer.alloc(0),
  Buffer.from([4]),
  Buffer.from("6"),
  Buffer.from(range(100_000)),
];

describe.each(CELLS)("$name", (cell) => {
  test("text of every kind arrives in both directions", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    const texts = textsOf(cell);
    for (const text of texts) {
      both.client.send(text);
      both.session.send(text);
    }
    await settled(both);
    expect(onServer()).toEqual(texts);
    expect(onClient()).toEqual(texts);
  });

  test("bytes of every kind arrive in both directions", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    for (const bytes of BINARIES) {
      both.client.send(bytes);
      both.session.send(bytes);
    }
    await settled(both);
    expect(onServer()).toEqual(BINARIES.map(hex));
    expect(onClient()).toEqual(BINARIES.map(hex));
  });

  test("500 messages, text and bytes mixed, keep their order in both directions", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    for (const value of range(500)) {
      const data = value % 3 === 0 ? Buffer.from([value & 0xff]) : String(value);
      both.client.send(data);
      both.session.send(data);
    }
    await settled(both);
    const expected = range(500).map((value) =>
      value % 3 === 0 ? hex(Buffer.from([value & 0xff])) : String(value),
    );
    expect(onServer()).toEqual(expected);
    expect(onClient()).toEqual(expected);
  });

  test("a client that wants base64 gets and sends the same bytes", async () => {
    const both = await pair(await startEngine(ALLOWED), cell, { forceBase64: true });
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    for (const bytes of BINARIES) {
      both.client.send(bytes);
      both.session.send(bytes);
    }
    await settled(both);
    expect(onServer()).toEqual(BINARIES.map(hex));
    expect(onClient()).toEqual(BINARIES.map(hex));
  });

  test("messages above and below the threshold of compression arrive whole", async () => {
    const perMessageDeflate = { threshold: 100 };
    const server = await startEngine({ ...ALLOWED, perMessageDeflate });
    const both = await pair(server, cell, { perMessageDeflate });
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    const sent = ["short", "long ".repeat(1000), Buffer.alloc(5000, "ab"), Buffer.from("ab")];
    for (const data of sent) {
      both.client.send(data);
      both.session.send(data);
    }
    await settled(both);
    const expected = sent.map((data) => (typeof data === "string" ? data : hex(data)));
    expect(onServer()).toEqual(expected);
    expect(onClient()).toEqual(expected);
  });

  test("the handshake is what the options say", async () => {
    const times = { pingInterval: 12_345, pingTimeout: 6789 };
    const server = await startEngine({ ...ALLOWED, ...times });
    const connection = first<Session>(server.engine, "connection");
    const client = connect(server.port, cell, { query: { key: "a b" } });
    const handshake = await first(client, "handshake");
    const session = await connection;
    expect(handshake).toEqual({
      ...times,
      sid: idOf(session),
      upgrades: cell.transport === "websocket" ? [] : ["websocket"],
      maxPayload: 1_000_000,
    });
    expect(session.protocol).toBe(cell.protocol);
    expect(new URL(session.request.url ?? "", "http://host").searchParams.get("key")).toBe("a b");
  });

  test("the initial packet comes first", async () => {
    const server = await startEngine({ ...ALLOWED, initialPacket: "welcome" });
    server.engine.on("connection", (session: Session) => session.send("second"));
    const got = collect(connect(server.port, cell), "data");
    await until(() => got.length === 2);
    expect(got).toEqual([["welcome"], ["second"]]);
  });

  test("the callbacks of send are called in order, with the transport, and drain follows", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    const called: [number, string][] = [];
    const last = new Promise<void>((resolve) => {
      for (const value of range(20)) {
        both.session.send(String(value), {}, (transport) => {
          called.push([value, transport.name]);
          if (value === 19) resolve();
        });
      }
    });
    const drained = received(both.session, "drain");
    await last;
    await drained;
    const name = cell.transport === "polling" ? "polling" : "websocket";
    expect(called).toEqual(range(20).map((value) => [value, name]));
  });

  test("heartbeats go round for as long as the connection lives", async () => {
    const server = await startEngine({ ...ALLOWED, pingInterval: 20, pingTimeout: 5000 });
    const { client, session } = await pair(server, cell);
    const beats = collect(session, "heartbeat");
    const packets = collect(client, "packet");
    const sign = cell.protocol === 4 ? "ping" : "pong";
    const signs = (): unknown[] =>
      packets.filter(([packet]) => (packet as { type: string }).type === sign);
    await until(() => beats.length >= 5 && signs().length >= 5);
    await settled({ client, session });
    expect([client.readyState, session.readyState]).toEqual(["open", "open"]);
  });

  test("a client that closes is a transport close on the server", async () => {
    const server = await startEngine(ALLOWED);
    const both = await pair(server, cell);
    await settled(both);
    const closed = [first(both.session, "close"), first(both.client, "close")];
    both.client.close();
    expect(await Promise.all(closed)).toEqual(["transport close", "forced close"]);
    expect(both.session.readyState).toBe("closed");
    expect(server.engine.clientsCount).toBe(0);
  });

  test("what a client sends before it closes arrives", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    const onServer = messages(both.session);
    const closed = received(both.session, "close");
    both.client.send("one");
    both.client.send(Buffer.from("two"));
    both.client.send("three");
    both.client.close();
    await closed;
    expect(onServer()).toEqual(["one", hex(Buffer.from("two")), "three"]);
  });

  test("a session that the server closes sends what waits, and is a transport close", async () => {
    const both = await pair(await startEngine(ALLOWED), cell);
    await settled(both);
    const onClient = messages(both.client);
    const closed = [first(both.session, "close"), first(both.client, "close")];
    both.session.send("one");
    both.session.send(Buffer.from("two"));
    both.session.close();
    expect(await Promise.all(closed)).toEqual(["forced close", "transport close"]);
    expect(onClient()).toEqual(["one", hex(Buffer.from("two"))]);
  });

  test("50 clients at once each get what is theirs", async () => {
    const server = await startEngine(ALLOWED);
    server.engine.on("connection", (session: Session) => {
      session.on("data", (data: string) => session.send(`echo ${data}`));
    });
    const answers = range(50).map((number) => {
      const client = connect(server.port, cell);
      client.once("open", () => client.send(String(number)));
      return first(client, "data");
    });
    expect(await Promise.all(answers)).toEqual(range(50).map((number) => `echo ${number}`));
    expect(server.engine.clientsCount).toBe(50);
  });
});

/** The official server never finds out that an upgraded client of protocol 3 is dead (138). */
const MORTAL =
  process.env["SUBJECT"] === "official"
    ? CELLS.filter(({ protocol, transport }) => protocol === 4 || transport !== "upgrade")
    : CELLS;

test("a client that falls silent is a ping timeout", async () => {
  // Together, because all of them only wait.
  await Promise.all(
    MORTAL.map(async (cell) => {
      const server = await startEngine({ ...ALLOWED, pingInterval: 300, pingTimeout: 500 });
      const proxy = await startProxy(server.port);
      const { session } = await pair({ engine: server.engine, port: proxy.port }, cell);
      const closed = first(session, "close");
      proxy.stall();
      expect([cell.name, await closed]).toEqual([cell.name, "ping timeout"]);
      expect(server.engine.clientsCount).toBe(0);
    }),
  );
});

test.each(CELLS.filter(isDoubleEncoding))(
  "text of $name arrives as it was encoded, which is once too often (141)",
  async (cell) => {
    const { client, session } = await pair(await startEngine(ALLOWED), cell);
    const texts = ["é€\u{1f600}", "plain"];
    const onServer = messages(session);
    for (const text of texts) client.send(text);
    await until(() => onServer().length === 2);
    expect(onServer()).toEqual([Buffer.from("é€\u{1f600}").toString("latin1"), "plain"]);
  },
);

describe.each(CELLS.filter(({ protocol }) => protocol === 3))("$name, not allowed", (cell) => {
  test("a client of protocol 3 is refused with code 5", async () => {
    const { engine, port } = await startEngine();
    const refused = first(engine, "connection_error");
    const client = connect(port, cell);
    const failed = received(client, "error");
    expect(await refused).toMatchObject({ code: 5, message: "Unsupported protocol version" });
    await failed;
    expect(engine.clientsCount).toBe(0);
  });
});

describe.each(CELLS.filter(({ protocol }) => protocol === 4))("$name, not allowed", (cell) => {
  test("a client of protocol 4 needs no permission", async () => {
    const both = await pair(await startEngine({ allowEIO3: false }), cell);
    await settled(both);
    expect(both.session.protocol).toBe(4);
  });
});

describe.each(CELLS.filter(({ transport }) => transport === "upgrade"))("$name", (cell) => {
  test("500 messages sent through the upgrade arrive once and in order, in both directions", async () => {
    const { engine, port } = await startEngine(ALLOWED);
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const session = await connection;
    const onClient = messages(client);
    const onServer = messages(session);
    let sent = 0;
    const burst = (count: number): void => {
      for (let left = count; left > 0 && sent < 500; left -= 1) {
        const data = sent % 7 === 0 ? Buffer.from([sent & 0xff]) : String(sent);
        client.send(data);
        session.send(data);
        sent += 1;
      }
    };
    for (const end of [client, session]) {
      (end as typeof client).on("upgrading", () => burst(20));
      (end as typeof client).on("upgrade", () => burst(20));
    }
    const timer = setInterval(() => burst(1), 1);
    await until(() => client.transport.name === "websocket" && session.upgraded);
    clearInterval(timer);
    burst(500);
    await settled({ client, session });
    const expected = range(500).map((value) =>
      value % 7 === 0 ? hex(Buffer.from([value & 0xff])) : String(value),
    );
    expect(onServer()).toEqual(expected);
    expect(onClient()).toEqual(expected);
  });

  test("both sides tell of the upgrade, and the session keeps its id", async () => {
    const { engine, port } = await startEngine(ALLOWED);
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const session = await connection;
    const id = idOf(session);
    expect([session.transport.name, session.upgraded]).toEqual(["polling", false]);
    const told = [
      first<{ name: string }>(session, "upgrading"),
      first<{ name: string }>(session, "upgrade"),
      first<{ name: string }>(client, "upgrading"),
      first<{ name: string }>(client, "upgrade"),
    ];
    for (const { name } of await Promise.all(told)) expect(name).toBe("websocket");
    expect([session.transport.name, session.upgraded, client.id]).toEqual(["websocket", true, id]);
    expect(engine.clientsCount).toBe(1);
  });

  test("a client stays on polling when upgrades are not allowed", async () => {
    const { engine, port } = await startEngine({ ...ALLOWED, allowUpgrades: false });
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const handshake = first(client, "handshake");
    const session = await connection;
    expect(await handshake).toMatchObject({ upgrades: [] });
    await settled({ client, session });
    expect(client.transport.name).toBe("polling");
  });
});
