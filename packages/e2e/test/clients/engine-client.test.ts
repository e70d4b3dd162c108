import type { Socket as Session } from "engine.io";
import { Socket as EngineClient, type SocketOptions } from "engine.io-client";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { collect, transportsOf } from "../support/clients.js";
import { startProxy } from "../support/proxy.js";
import { range } from "../support/range.js";
import { type RunningEngine, startEngine } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";

const CELLS = (["polling", "websocket", "upgrade"] as const).map((transport) => ({
  name: `engine.io-client, ${transport}`,
  transport,
}));
type Cell = (typeof CELLS)[number];

/** Makes a client, which is closed after the test. */
function connect(port: number, cell: Cell, options: Partial<SocketOptions> = {}): EngineClient {
  const client = new EngineClient(`http://127.0.0.1:${port}`, {
    transports: transportsOf(cell.transport),
    ...options,
  });
  client.binaryType = "arraybuffer";
  onCleanup(() => client.close());
  return client;
}

/** What client and session have in common. */
interface End {
  on(event: string, listener: (data?: unknown) => void): unknown;
  off(event: string, listener: (data?: unknown) => void): unknown;
  send(data: unknown): unknown;
}

interface Pair {
  readonly client: EngineClient;
  readonly session: Session;
}

/** Connects a client and waits until it is on the transport of the cell. */
async function pair(
  { engine, port }: Pick<RunningEngine, "engine" | "port">,
  cell: Cell,
  options: Partial<SocketOptions> = {},
): Promise<Pair> {
  const connection = first<Session>(engine, "connection");
  const client = connect(port, cell, options);
  const opened = received(client, "open");
  const session = await connection;
  await opened;
  if (cell.transport === "upgrade") {
    await until(() => client.transport.name === "websocket" && session.upgraded);
  }
  return { client, session };
}

/** Resolves when both sides have got a message that was sent last. */
async function settled({ client, session }: Pair): Promise<void> {
  const ends = ([client, session] as End[]).map(
    (end) =>
      new Promise<void>((resolve) => {
        const look = (data?: unknown): void => {
          if (data === "settled") {
            end.off("data", look);
            resolve();
          }
        };
        end.on("data", look);
      }),
  );
  client.send("settled");
  session.send("settled");
  await Promise.all(ends);
}

/** What came in, with binary as hex, without the messages of `settled`. */
function messages(end: EngineClient | Session): () => unknown[] {
  const got = collect(end, "data");
  return () =>
    got
      // An empty message has no data for the official packages.
      .map(([data]) => data ?? "")
      .filter((data) => data !== "settled")
      .map((data) =>
        typeof data === "string" ? data : Buffer.from(data as ArrayBuffer).toString("hex"),
      );
}

describe.each(CELLS)("$name", (cell) => {
  test("text and binary arrive in order in both directions", async () => {
    const both = await pair(await startEngine(), cell);
    const { client, session } = both;
    const onClient = messages(client);
    const onServer = messages(session);
    for (const end of [client, session]) {
      end.send("text");
      end.send(Buffer.from([0, 1, 255]));
      end.send("more text");
      end.send(Uint8Array.from([7]).buffer);
      end.send("");
      end.send(new DataView(Uint8Array.from([1, 2, 3, 4]).buffer, 1, 2));
    }
    await settled(both);
    const expected = ["text", "0001ff", "more text", "07", "", "0203"];
    expect(onServer()).toEqual(expected);
    expect(onClient()).toEqual(expected);
  });

  test("the server's message event and write() are the same as data and send()", async () => {
    const both = await pair(await startEngine(), cell);
    const onMessage = collect(both.session, "message");
    const onClient = messages(both.client);
    both.client.send("to the server");
    both.session.write("to the client");
    await settled(both);
    expect(onMessage[0]).toEqual(["to the server"]);
    expect(onClient()).toEqual(["to the client"]);
  });

  test("text of every kind arrives in both directions", async () => {
    const both = await pair(await startEngine(), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    const texts = [
      "\u{1f600} \u{10ffff}",
      "line\u2028paragraph\u2029\r\n\t\0",
      "é\u007f\u0080\u00ff",
      "\ufefforder mark",
      "6",
      "\\n",
    ];
    for (const text of texts) {
      both.client.send(text);
      both.session.send(text);
    }
    await settled(both);
    expect(onServer()).toEqual(texts);
    expect(onClient()).toEqual(texts);
  });

  test("a lone surrogate arrives as a replacement character", async () => {
    const both = await pair(await startEngine(), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    both.client.send("<\ud800>");
    both.session.send("<\udc00>");
    await settled(both);
    expect(onServer()).toEqual(["<\ufffd>"]);
    expect(onClient()).toEqual(["<\ufffd>"]);
  });

  test("large messages arrive whole in both directions", async () => {
    const both = await pair(await startEngine(), cell);
    const text = "aé".repeat(150_000);
    const bytes = Buffer.alloc(500_000, "0123456789");
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    for (const end of [both.client, both.session]) {
      end.send(text);
      end.send(bytes);
    }
    await settled(both);
    const expected = [text, bytes.toString("hex")];
    expect(onServer().map((data, index) => data === expected[index])).toEqual([true, true]);
    expect(onClient().map((data, index) => data === expected[index])).toEqual([true, true]);
  });

  test("a burst of 1000 messages keeps its order in both directions", async () => {
    const both = await pair(await startEngine(), cell);
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    for (const value of range(1000)) {
      both.client.send(String(value));
      both.session.send(String(value));
    }
    await settled(both);
    expect(onServer()).toEqual(range(1000).map(String));
    expect(onClient()).toEqual(range(1000).map(String));
  });

  test("send callbacks are called in order and drain follows", async () => {
    const server = await startEngine();
    const both = await pair(server, cell);
    const called: number[] = [];
    const last = new Promise<void>((resolve) => {
      for (const value of range(10)) {
        both.session.send(String(value), {}, () => {
          called.push(value);
          if (value === 9) {
            resolve();
          }
        });
      }
    });
    const drained = received(both.session, "drain");
    await last;
    expect(called).toEqual(range(10));
    await drained;
    await settled(both);
    expect(both.session["writeBuffer"]).toEqual([]);
  });

  test("the handshake is what the options say", async () => {
    const server = await startEngine({
      pingInterval: 12_345,
      pingTimeout: 6789,
      maxHttpBufferSize: 1234,
    });
    const connection = first<Session>(server.engine, "connection");
    const client = connect(server.port, cell, { query: { key: "a b" } });
    const handshake = await first<Record<string, unknown>>(client, "handshake");
    const session = await connection;
    const { id } = session as unknown as { id: string };
    expect(handshake).toEqual({
      sid: id,
      upgrades: cell.transport === "websocket" ? [] : ["websocket"],
      pingInterval: 12_345,
      pingTimeout: 6789,
      maxPayload: 1234,
    });
    expect(session.protocol).toBe(4);
    expect(new URL(session.request.url ?? "", "http://host").searchParams.get("key")).toBe("a b");
    expect(session.remoteAddress).toMatch(/127\.0\.0\.1$/);
  });

  test("initialPacket comes first", async () => {
    const server = await startEngine({ initialPacket: "welcome" });
    server.engine.on("connection", (session: Session) => session.send("second"));
    const client = connect(server.port, cell);
    const got = collect(client, "data");
    await until(() => got.length === 2);
    expect(got).toEqual([["welcome"], ["second"]]);
  });

  test("pings are answered for as long as the connection lives", async () => {
    const server = await startEngine({ pingInterval: 20, pingTimeout: 5000 });
    const { client, session } = await pair(server, cell);
    const pings = collect(client, "ping");
    const beats = collect(session, "heartbeat");
    await until(() => pings.length >= 3 && beats.length >= 3);
    expect(session.readyState).toBe("open");
  });

  test("a silent network is a ping timeout on both sides", async () => {
    const server = await startEngine({ pingInterval: 200, pingTimeout: 300 });
    const proxy = await startProxy(server.port);
    const { client, session } = await pair({ engine: server.engine, port: proxy.port }, cell);
    const closed = [first(session, "close"), first(client, "close")];
    proxy.stall();
    expect(await Promise.all(closed)).toEqual(["ping timeout", "ping timeout"]);
  });

  test("a client that closes is a transport close on the server", async () => {
    const server = await startEngine();
    const both = await pair(server, cell);
    await settled(both);
    const closed = [first(both.session, "close"), first(both.client, "close")];
    both.client.close();
    expect(await Promise.all(closed)).toEqual(["transport close", "forced close"]);
    expect(both.session.readyState).toBe("closed");
    expect(server.engine.clientsCount).toBe(0);
  });

  test("what a client sends before it closes arrives", async () => {
    const both = await pair(await startEngine(), cell);
    const onServer = messages(both.session);
    const closed = received(both.session, "close");
    both.client.send("one");
    both.client.send("two");
    both.client.close();
    await closed;
    expect(onServer()).toEqual(["one", "two"]);
  });

  test("a session that the server closes sends what waits, and is a transport close", async () => {
    const both = await pair(await startEngine(), cell);
    await settled(both);
    const onClient = messages(both.client);
    const closed = [first(both.session, "close"), first(both.client, "close")];
    both.session.send("one");
    both.session.send("two");
    both.session.close();
    expect(await Promise.all(closed)).toEqual(["forced close", "transport close"]);
    expect(onClient()).toEqual(["one", "two"]);
  });

  test("engine.close() closes every session", async () => {
    const server = await startEngine();
    const sessions = [await pair(server, cell), await pair(server, cell)];
    const closed = sessions.map(({ client }) => received(client, "close"));
    await server.close();
    await Promise.all(closed);
    expect(server.engine.clientsCount).toBe(0);
    expect(sessions.map(({ session }) => session.readyState)).toEqual(["closed", "closed"]);
  });

  test("100 clients at once each get what is theirs", async () => {
    const server = await startEngine();
    server.engine.on("connection", (session: Session) => {
      session.on("data", (data: string) => session.send(`echo ${data}`));
    });
    const clients = range(100).map(() => connect(server.port, cell));
    const answers = clients.map((client) => first(client, "data"));
    for (const [number, client] of clients.entries()) {
      client.send(String(number));
    }
    expect(await Promise.all(answers)).toEqual(range(100).map((number) => `echo ${number}`));
    expect(server.engine.clientsCount).toBe(100);
    expect(Object.keys(server.engine["clients"])).toHaveLength(100);
  });

  test("a client with base64 only gets and sends the same bytes", async () => {
    const both = await pair(await startEngine(), cell, { forceBase64: true });
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    const bytes = Buffer.from([0, 250, 251, 252, 253, 254, 255]);
    both.client.send(bytes);
    both.session.send(bytes);
    await settled(both);
    expect(onServer()).toEqual([bytes.toString("hex")]);
    expect(onClient()).toEqual([bytes.toString("hex")]);
  });
});

describe("an upgrade", () => {
  const cell: Cell = { name: "upgrade", transport: "upgrade" };

  test("both sides tell of it, and the session keeps its id", async () => {
    const { engine, port } = await startEngine();
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const session = await connection;
    const { id } = session as unknown as { id: string };
    expect([session.transport.name, session.upgraded]).toEqual(["polling", false]);
    const told: [string, Promise<{ name: string }>][] = [
      ["server upgrading", first(session, "upgrading")],
      ["server upgrade", first(session, "upgrade")],
      ["client upgrading", first(client, "upgrading")],
      ["client upgrade", first(client, "upgrade")],
    ];
    for (const [what, transport] of told) {
      expect([what, (await transport).name]).toEqual([what, "websocket"]);
    }
    expect([session.transport.name, session.upgraded, client.id]).toEqual(["websocket", true, id]);
    expect(engine.clientsCount).toBe(1);
  });

  test("nothing is lost, doubled or swapped while both sides send through it", async () => {
    const { engine, port } = await startEngine();
    for (const round of range(5)) {
      const connection = first<Session>(engine, "connection");
      const client = connect(port, cell);
      const session = await connection;
      const both = { client, session };
      const onClient = messages(client);
      const onServer = messages(session);
      let sent = 0;
      const burst = (): void => {
        for (const end of [client, session]) {
          end.send(sent % 5 === 0 ? Buffer.from([sent & 0xff]) : String(sent));
        }
        sent++;
      };
      for (const end of [client, session] as End[]) {
        end.on("upgrading", burst);
        end.on("upgrade", burst);
      }
      const timer = setInterval(burst, 1);
      await until(() => client.transport.name === "websocket" && session.upgraded);
      burst();
      clearInterval(timer);
      await settled(both);
      const expected = range(sent).map((value) =>
        value % 5 === 0 ? Buffer.from([value & 0xff]).toString("hex") : String(value),
      );
      expect([round, onServer()]).toEqual([round, expected]);
      expect([round, onClient()]).toEqual([round, expected]);
      client.close();
    }
  });

  test("a client stays on polling when upgrades are not allowed", async () => {
    const { engine, port } = await startEngine({ allowUpgrades: false });
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const handshake = await first<{ upgrades: string[] }>(client, "handshake");
    const session = await connection;
    await settled({ client, session });
    expect(handshake.upgrades).toEqual([]);
    expect(client.transport.name).toBe("polling");
  });

  test("a client falls back to polling when the server has no WebSocket", async () => {
    const { engine, port } = await startEngine({ transports: ["polling"] });
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const session = await connection;
    await settled({ client, session });
    expect(client.transport.name).toBe("polling");
    const refused = connect(port, { name: "websocket", transport: "websocket" });
    await received(refused, "error");
    expect(engine.clientsCount).toBe(1);
  });

  test("a session with data under way is closed after the upgrade without losing it", async () => {
    const { engine, port } = await startEngine();
    const connection = first<Session>(engine, "connection");
    const client = connect(port, cell);
    const session = await connection;
    const got = collect(client, "data");
    const closed = received(client, "close");
    await received(session, "upgrading");
    for (const value of range(20)) {
      session.send(String(value));
    }
    session.close();
    await closed;
    expect(got).toEqual(range(20).map((value) => [String(value)]));
  });
});
