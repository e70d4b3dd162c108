// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
import { InMemoryStore, instrument, RedisStore } from "@socket.io/admin-ui";
import type { Server } from "socket.io";
import type { Socket } from "socket.io-client";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  answerRoundTrips,
  type Cell,
  CELLS,
  collect,
  connect,
  pair,
  ready,
  roundTrip,
} from "../support/clients.js";
import { fix, type RunningServer, startServer } from "../support/subject.js";
import { first, until } from "../support/wait.js";

/** "changeit", with as little work as bcrypt allows. */
const PASSWORD_HASH = "$2a$04$aMZsnhF0spU/nZZuZDXFO.1ggnbiDxZJM03X8C3aO4aiNFzlRDLce";
const BASIC = { type: "basic", username: "admin", password: PASSWORD_HASH } as const;
const CREDENTIALS = { username: "admin", password: "changeit" };
const COMMANDS = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"];
const SOCKET_ID = /^[\w-]{20}$/;

const cellOf = (transport: Cell["transport"]): Cell =>
  CELLS.find((cell) => cell.transport === transport && cell.modern) as Cell;

const WEBSOCKET = cellOf("websocket");
const MODERN_CELLS = CELLS.filter(({ modern }) => modern);

type InstrumentOptions = Parameters<typeof instrument>[1];
type Options = Partial<InstrumentOptions>;

interface AggregatedEvent {
  readonly type: string;
  readonly subType?: string;
  readonly count: number;
}

/** Starts a server that the admin UI may look at. */
async function startInstrumented(options: Options = {}): Promise<RunningServer> {
  const server = await startServer();
  prepare(server.io, options);
  return server;
}

/** What an application does to be looked at. */
function prepare(io: Server, options: Options = {}): void {
  instrument(io, { auth: false, mode: "development", serverId: "node-1", ...options });
  io.of(options.namespaceName ?? "/admin").on("connection", answerRoundTrips);
}

/** The browser's part of the admin UI, by hand: it keeps every event of the server. */
class AdminUi {
  readonly client: Socket;
  readonly #events: [name: string, ...args: unknown[]][] = [];

  private constructor(client: Socket) {
    this.client = client;
    client.onAny((...event: [string, ...unknown[]]) => this.#events.push(event));
  }

  /** Logs in, and resolves when the server has told what it can do. */
  static async open(
    { port }: RunningServer,
    auth: Record<string, string> = {},
    nsp = "/admin",
  ): Promise<AdminUi> {
    const ui = new AdminUi(connect(port, WEBSOCKET, { nsp, auth }));
    await ready(ui.client, WEBSOCKET);
    await ui.next("config");
    return ui;
  }

  /** The arguments of the first event of the name, of those that match; waits for it if need be. */
  async next<Args extends unknown[]>(
    name: string,
    matches: (...args: Args) => boolean = () => true,
  ): Promise<Args> {
    const find = (): unknown[] | undefined => this.all<Args>(name).find((args) => matches(...args));
    await until(() => find() !== undefined);
    return find() as Args;
  }

  /** The arguments of all events of the name until now. */
  all<Args extends unknown[]>(name: string): Args[] {
    return this.#events.flatMap(([event, ...args]) => (event === name ? [args as Args] : []));
  }

  /** The features that the server has announced. */
  get features(): string[] {
    const [[config] = []] = this.all<[{ supportedFeatures: string[] }]>("config");
    return config?.supportedFeatures ?? [];
  }

  /** Sends a command; resolves when the server has carried it out. */
  async command(...command: [name: string, ...args: unknown[]]): Promise<void> {
    this.client.emit(...command);
    await roundTrip(this.client);
  }
}

/** What the UI gets of a socket. */
interface SerializedSocket {
  readonly id: string;
  readonly clientId: string;
  readonly transport: string;
  readonly nsp: string;
  readonly rooms: string[];
  readonly data: unknown;
  readonly handshake: Record<string, unknown>;
}

/** What the package keeps with a socket for itself. */
function adminDataOf(socket: { readonly data: Record<string, unknown> }): { transport: string } {
  return socket.data["_admin"] as { transport: string };
}

/** Resolves with the message of the error that ends the attempt to log in. */
async function refusal({ port }: RunningServer, auth: Record<string, string>): Promise<string> {
  const error = await first<Error>(
    connect(port, WEBSOCKET, { nsp: "/admin", auth }),
    "connect_error",
  );
  return error.message;
}

describe("login", () => {
  test("instrument() insists on a decision about authentication", async () => {
    const { io } = await startServer();
    expect(() => instrument(io, {})).toThrow("the `auth` option must be specified");
  });

  test("without authentication everybody gets in and is told what the server can do", async () => {
    const ui = await AdminUi.open(await startInstrumented());
    expect(ui.features).toEqual([...COMMANDS, "AGGREGATED_EVENTS", "ALL_EVENTS"]);
    expect(ui.all("session")).toEqual([]);
  });

  test("credentials are checked, and the session they give is enough the next time", async () => {
    const server = await startInstrumented({ auth: BASIC });
    expect(await refusal(server, {})).toBe("invalid credentials");
    expect(await refusal(server, { ...CREDENTIALS, password: "wrong" })).toBe(
      "invalid credentials",
    );
    expect(await refusal(server, { sessionId: "guessed" })).toBe("invalid credentials");
    const ui = await AdminUi.open(server, CREDENTIALS);
    const [sessionId] = await ui.next<[string]>("session");
    expect(sessionId).toMatch(/^[0-9a-f]{16}$/);
    const again = await AdminUi.open(server, { sessionId });
    expect(again.features).toContain("EMIT");
    expect(again.all("session")).toEqual([]);
  });

  test("the session comes before the connection: a middleware has emitted it", async () => {
    const { port } = await startInstrumented({ auth: BASIC });
    const client = connect(port, WEBSOCKET, { nsp: "/admin", auth: CREDENTIALS });
    const order: string[] = [];
    client.on("connect", () => order.push("connect"));
    client.onAny((name: string) => order.push(name));
    await first(client, "config");
    // The room of its own is joined before the client knows that it is connected.
    expect(order.filter((name) => name !== "room_joined").slice(0, 2)).toEqual([
      "session",
      "connect",
    ]);
  });

  fix("the session arrives with connection state recovery, too", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    prepare(server.io, { auth: BASIC });
    const ui = await AdminUi.open(server, CREDENTIALS);
    const [sessionId] = await ui.next<[string]>("session");
    expect((await AdminUi.open(server, { sessionId })).features).toContain("EMIT");
  });

  test("servers that share a store know each other's sessions", async () => {
    const store = new InMemoryStore();
    const [one, other] = await Promise.all([
      startInstrumented({ auth: BASIC, store }),
      startInstrumented({ auth: BASIC, store }),
    ]);
    const ui = await AdminUi.open(one, CREDENTIALS);
    const [sessionId] = await ui.next<[string]>("session");
    expect((await AdminUi.open(other, { sessionId })).client.connected).toBe(true);
  });

  test("sessions can be kept in Redis", async () => {
    const redis = new FakeRedis();
    const server = await startInstrumented({ auth: BASIC, store: new RedisStore(redis) });
    const ui = await AdminUi.open(server, CREDENTIALS);
    const [sessionId] = await ui.next<[string]>("session");
    expect(redis.expiries).toEqual(new Map([[`socket.io-admin#${sessionId}`, 86_400]]));
    expect((await AdminUi.open(server, { sessionId })).client.connected).toBe(true);
    expect(await refusal(server, { sessionId: "guessed" })).toBe("invalid credentials");
  });

  test("the namespace can have another name", async () => {
    const server = await startInstrumented({ namespaceName: "/control" });
    const ui = await AdminUi.open(server, {}, "/control");
    expect(ui.features).toContain("EMIT");
    expect(await refusal(server, {})).toBe("Invalid namespace");
  });
});

/** As much of a Redis client as the store needs. */
class FakeRedis {
  readonly expiries = new Map<string, number>();

  exists(key: string, callback: (error: null, count: number) => void): void {
    callback(null, this.expiries.has(key) ? 1 : 0);
  }

  multi(): object {
    const commands = {
      set: () => commands,
      expire: (key: string, seconds: number) => {
        this.expiries.set(key, seconds);
        return commands;
      },
      exec: () => commands,
    };
    return commands;
  }
}

describe.each(MODERN_CELLS)("what a socket does over $name", (cell) => {
  const lastTransport = cell.transport === "polling" ? "polling" : "websocket";

  test("the UI is told of its way from the connection to the end", async () => {
    const server = await startInstrumented();
    const ui = await AdminUi.open(server);
    const { client, socket } = await pair(server, cell, { query: { lang: "en" } });
    const isIt = (id: unknown): boolean => id === socket.id;

    const [connected] = await ui.next<[SerializedSocket]>("socket_connected", ({ id }) => isIt(id));
    expect(connected).toEqual({
      id: socket.id,
      clientId: (socket.client as unknown as { id: string }).id.slice(0, 12),
      transport: cell.transport === "websocket" ? "websocket" : "polling",
      nsp: "/",
      data: {},
      rooms: [socket.id],
      handshake: {
        address: "127.0.0.1",
        headers: expect.objectContaining({ host: `127.0.0.1:${server.port}` }) as unknown,
        query: expect.objectContaining({ EIO: "4", lang: "en" }) as unknown,
        issued: socket.handshake.issued,
        secure: false,
        time: socket.handshake.time,
        url: expect.stringMatching(/^\/socket\.io\/\?/) as unknown,
        xdomain: false,
      },
    });
    // The server hears of the end of an upgrade after the client.
    await until(() => adminDataOf(socket).transport === lastTransport);

    socket.data.user = { name: "ada" };
    const [updated] = await ui.next<[{ data?: unknown }]>("socket_updated", ({ data }) =>
      Object.hasOwn(data ?? {}, "user"),
    );
    expect(updated).toEqual({ id: socket.id, nsp: "/", data: { user: { name: "ada" } } });
    socket.data.user.name = "grace";
    await ui.next<[{ data?: unknown }]>("socket_updated", ({ data }) =>
      JSON.stringify(data ?? {}).includes("grace"),
    );

    await socket.join(["a", "b"]);
    await socket.leave("a");
    expect((await ui.next("room_joined", (...[, room]) => room === "b")).slice(0, 3)).toEqual([
      "/",
      "b",
      socket.id,
    ]);
    expect((await ui.next("room_left")).slice(0, 3)).toEqual(["/", "a", socket.id]);

    client.disconnect();
    expect(await ui.next("socket_disconnected")).toEqual([
      "/",
      socket.id,
      "client namespace disconnect",
      expect.any(String),
    ]);
    await ui.next("room_left", (...[, room]) => room === "b");
  });

  test("the UI is told of an upgrade", async ({ skip }) => {
    skip(cell.transport !== "upgrade", "nothing is upgraded");
    const server = await startInstrumented();
    const ui = await AdminUi.open(server);
    const { socket } = await pair(server, cell);
    const [update] = await ui.next<[{ transport?: string }]>(
      "socket_updated",
      ({ transport }) => transport !== undefined,
    );
    expect(update).toEqual({ id: socket.id, nsp: "/", transport: "websocket" });
  });

  test("the UI is told of events in both directions, without functions", async () => {
    const server = await startInstrumented();
    const ui = await AdminUi.open(server);
    const { client, socket } = await pair(server, cell);
    socket.on("add", (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
    expect(await client.emitWithAck("add", 1, 2)).toBe(3);
    expect(await ui.next("event_received")).toEqual([
      "/",
      socket.id,
      ["add", 1, 2],
      expect.any(String),
    ]);
    socket.emit("direct", { deep: [1] }, Buffer.from("x"));
    server.io.emit("broadcast", 1);
    await roundTrip(client);
    await ui.next("event_sent", (...[, , args]) => (args as unknown[])[0] === "broadcast");
    expect(ui.all("event_sent").filter(([nsp]) => nsp === "/")).toEqual([
      ["/", socket.id, ["direct", { deep: [1] }, expect.anything()], expect.any(String)],
      ["/", socket.id, ["broadcast", 1], expect.any(String)],
    ]);
  });
});

describe("overview", () => {
  test("whoever logs in gets all sockets of all namespaces", async () => {
    const server = await startInstrumented();
    server.io.of("/chat");
    server.io.of(/^\/room-\d+$/);
    const pairs = await Promise.all(
      ["/", "/chat", "/room-1"].map((nsp) => pair(server, WEBSOCKET, { nsp })),
    );
    for (const { socket } of pairs) {
      socket.data.nsp = socket.nsp.name;
      await socket.join("everybody");
    }
    const ui = await AdminUi.open(server);
    const [sockets] = await ui.next<[SerializedSocket[]]>("all_sockets");
    const seen = sockets.map(({ id, nsp, transport, rooms, data }) => ({
      id,
      nsp,
      transport,
      rooms,
      data,
    }));
    const { id } = ui.client;
    expect(seen).toHaveLength(4);
    expect(seen).toEqual(
      expect.arrayContaining([
        ...pairs.map(({ socket }) => ({
          id: socket.id,
          nsp: socket.nsp.name,
          transport: "websocket",
          rooms: [socket.id, "everybody"],
          data: { nsp: socket.nsp.name },
        })),
        { id, nsp: "/admin", transport: "websocket", rooms: [id], data: {} },
      ]),
    );
  });

  test("namespaces that are made later are watched as well", async () => {
    const server = await startInstrumented();
    const ui = await AdminUi.open(server);
    server.io.of("/late");
    const { socket } = await pair(server, WEBSOCKET, { nsp: "/late" });
    const [connected] = await ui.next<[SerializedSocket]>(
      "socket_connected",
      ({ nsp }) => nsp === "/late",
    );
    expect(connected.id).toBe(socket.id);
  });

  test("in production, single events are not told", async () => {
    const server = await startInstrumented({ mode: "production" });
    const ui = await AdminUi.open(server);
    expect(ui.features).toEqual([...COMMANDS, "AGGREGATED_EVENTS"]);
    const { client, socket } = await pair(server, WEBSOCKET);
    await roundTrip(client);
    expect(socket.data).toEqual({});
    await roundTrip(ui.client);
    const silent = ["all_sockets", "socket_connected", "event_received", "room_joined"];
    expect(silent.flatMap((name) => ui.all(name))).toEqual([]);
  });
});

describe("statistics", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  interface Stats {
    readonly clientsCount: number;
    readonly pollingClientsCount: number;
    readonly namespaces: unknown[];
    readonly aggregatedEvents: AggregatedEvent[];
  }

  /** The numbers of the events by their type, over all seconds. */
  function totals(stats: readonly Stats[]): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { type, subType, count } of stats.flatMap((one) => one.aggregatedEvents)) {
      const key = subType === undefined ? type : `${type}: ${subType}`;
      sums[key] = (sums[key] ?? 0) + count;
    }
    return sums;
  }

  /** Starts a server whose statistics are sent when the test says so. */
  async function startWithStats(): Promise<{
    server: RunningServer;
    ui: AdminUi;
    /** The next statistics, and all until then. */
    readonly next: () => Promise<{ last: Stats; all: Stats[] }>;
  }> {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const server = await startInstrumented();
    const ui = await AdminUi.open(server);
    return {
      server,
      ui,
      async next() {
        const count = ui.all("server_stats").length;
        vi.advanceTimersByTime(2000);
        await until(() => ui.all("server_stats").length > count);
        const all = ui.all<[Stats]>("server_stats").map(([stats]) => stats);
        return { last: all.at(-1) as Stats, all };
      },
    };
  }

  test("clients are counted, those that poll apart, and sockets by namespace", async () => {
    const { server, next } = await startWithStats();
    server.io.of("/chat");
    const polling = await pair(server, cellOf("polling"));
    await pair(server, cellOf("upgrade"));
    await pair(server, WEBSOCKET, { nsp: "/chat" });
    const { last } = await next();
    expect(last).toMatchObject({
      serverId: "node-1",
      hostname: expect.any(String) as unknown,
      pid: process.pid,
      uptime: expect.any(Number) as unknown,
      clientsCount: 4,
      pollingClientsCount: 1,
    });
    expect(last.namespaces).toEqual([
      { name: "/", socketsCount: 2 },
      { name: "/admin", socketsCount: 1 },
      { name: "/chat", socketsCount: 1 },
    ]);
    const gone = first(polling.socket, "disconnect");
    polling.client.io.engine.close();
    await gone;
    expect((await next()).last).toMatchObject({ clientsCount: 3, pollingClientsCount: 0 });
  });

  test("packets and bytes are counted, of direct messages and of broadcasts", async () => {
    const { server, next } = await startWithStats();
    const pairs = await Promise.all([1, 2, 3].map(() => pair(server, WEBSOCKET)));
    const before = totals((await next()).all);
    expect(before["rawConnection"]).toBe(4);
    // The UI is a client like the others, so what it gets counts as well.
    const packets = { in: 0, out: 0 };
    const bytes = { in: 0, out: 0 };
    for (const { socket } of pairs) {
      socket.conn.on("packet", ({ data }: { data?: string }) => {
        if (data !== undefined && data !== "") {
          packets.in += 1;
          bytes.in += Buffer.byteLength(data);
        }
      });
      socket.conn.on("packetCreate", ({ data }: { data?: string }) => {
        if (data !== undefined) {
          packets.out += 1;
          bytes.out += Buffer.byteLength(data);
        }
      });
    }
    server.io.emit("broadcast", "é".repeat(10));
    server.io.emit("broadcast", Buffer.alloc(100));
    for (const { client, socket } of pairs) {
      socket.emit("direct", 1);
      await roundTrip(client);
    }
    const sent = [
      `2["broadcast","${"é".repeat(10)}"]`,
      '51-["broadcast",{"_placeholder":true,"num":0}]',
      Buffer.alloc(100),
      '2["direct",1]',
      "30[]",
    ];
    expect(packets).toEqual({ in: 3, out: 3 * sent.length });
    expect(bytes.out).toBe(3 * Buffer.concat(sent.map((data) => Buffer.from(data))).length);
    expect(bytes.in).toBe(3 * '20["round trip"]'.length);
    const after = totals((await next()).all);
    expect((after["packetsOut"] ?? 0) - (before["packetsOut"] ?? 0)).toBeGreaterThanOrEqual(15);
    expect((after["bytesOut"] ?? 0) - (before["bytesOut"] ?? 0)).toBeGreaterThanOrEqual(bytes.out);
    expect((after["packetsIn"] ?? 0) - (before["packetsIn"] ?? 0)).toBe(3);
    expect((after["bytesIn"] ?? 0) - (before["bytesIn"] ?? 0)).toBe(bytes.in);
  });

  test("the ends of connections are counted by their reasons", async () => {
    const { server, next } = await startWithStats();
    const [one, other] = await Promise.all([pair(server, WEBSOCKET), pair(server, WEBSOCKET)]);
    const gone = Promise.all([first(one.socket, "disconnect"), first(other.socket, "disconnect")]);
    one.client.io.engine.close();
    other.socket.disconnect(true);
    await gone;
    await until(() => server.io.engine.clientsCount === 1);
    expect(totals((await next()).all)).toMatchObject({
      "rawDisconnection: transport close": 1,
      "rawDisconnection: forced close": 1,
    });
  });
});

describe("commands", () => {
  const NSPS = ["/", "/chat"];

  test.each(NSPS)("emit reaches everybody, a room, or one socket of %s", async (nsp) => {
    const server = await startInstrumented();
    server.io.of("/chat");
    const one = await pair(server, WEBSOCKET, { nsp });
    const other = await pair(server, WEBSOCKET, { nsp });
    await one.socket.join("a");
    const got = [one, other].map(({ client }) => collect(client, "news"));
    const ui = await AdminUi.open(server);
    await ui.command("emit", nsp, undefined, "news", "all", { x: 1 });
    await ui.command("emit", nsp, "a", "news", "room");
    await ui.command("emit", nsp, other.socket.id, "news", Buffer.from("one"));
    await Promise.all([roundTrip(one.client), roundTrip(other.client)]);
    expect(got).toEqual([
      [["all", { x: 1 }], ["room"]],
      [["all", { x: 1 }], [Buffer.from("one")]],
    ]);
  });

  test.each(NSPS)("join and leave move everybody, a room, or one socket of %s", async (nsp) => {
    const server = await startInstrumented();
    server.io.of("/chat");
    const one = await pair(server, WEBSOCKET, { nsp });
    const other = await pair(server, WEBSOCKET, { nsp });
    const rooms = (): string[][] =>
      [one, other].map(({ socket }) => [...socket.rooms].filter((room) => !SOCKET_ID.test(room)));
    const ui = await AdminUi.open(server);
    await ui.command("join", nsp, "a", one.socket.id);
    expect(rooms()).toEqual([["a"], []]);
    await ui.command("join", nsp, "b");
    await ui.command("join", nsp, "c", "a");
    expect(rooms()).toEqual([["a", "b", "c"], ["b"]]);
    await ui.command("leave", nsp, "b", "c");
    expect(rooms()).toEqual([["a", "c"], ["b"]]);
    await ui.command("leave", nsp, "b");
    await ui.command("leave", nsp, "a", one.socket.id);
    expect(rooms()).toEqual([["c"], []]);
    const moves = (name: string): unknown[] =>
      ui
        .all(name)
        .filter(([where, room]) => where === nsp && !SOCKET_ID.test(String(room)))
        .map((args) => args.slice(1, 3));
    expect(moves("room_joined")).toEqual([
      ["a", one.socket.id],
      ["b", one.socket.id],
      ["b", other.socket.id],
      ["c", one.socket.id],
    ]);
    expect(moves("room_left")).toEqual([
      ["b", one.socket.id],
      ["b", other.socket.id],
      ["a", one.socket.id],
    ]);
  });

  test.each(NSPS)(
    "_disconnect ends sockets of %s, with the connection if asked to",
    async (nsp) => {
      const server = await startInstrumented();
      server.io.of("/chat");
      server.io.of("/other");
      const pairs = await Promise.all([1, 2, 3].map(() => pair(server, WEBSOCKET, { nsp })));
      // Without another namespace, the client itself would end the connection.
      const other = pairs[0]?.client.io.socket("/other");
      await until(() => other?.connected === true);
      const ui = await AdminUi.open(server);
      const ends = pairs.map(({ client }) => first<string>(client, "disconnect"));
      await ui.command("_disconnect", nsp, false, pairs[0]?.socket.id);
      expect(await ends[0]).toBe("io server disconnect");
      expect(pairs[0]?.socket.conn.readyState).toBe("open");
      await ui.command("_disconnect", nsp, true);
      expect(await Promise.all(ends.slice(1))).toEqual([
        "io server disconnect",
        "io server disconnect",
      ]);
      await until(() => server.io.engine.clientsCount === 2);
      expect(server.io.of(nsp).sockets.size).toBe(0);
      expect(ui.client.connected).toBe(true);
      await until(() => ui.all("socket_disconnected").length === 3);
      expect(ui.all("socket_disconnected").map((args) => args[2])).toEqual([
        "server namespace disconnect",
        "server namespace disconnect",
        "server namespace disconnect",
      ]);
    },
  );

  test("a server that is read-only does not listen to them", async () => {
    const server = await startInstrumented({ readonly: true });
    const { client, socket } = await pair(server, WEBSOCKET);
    const got = collect(client, "news");
    const ui = await AdminUi.open(server);
    expect(ui.features).toEqual(["AGGREGATED_EVENTS", "ALL_EVENTS"]);
    await ui.command("emit", "/", undefined, "news");
    await ui.command("join", "/", "a");
    await ui.command("_disconnect", "/", true);
    await roundTrip(client);
    expect(got).toEqual([]);
    expect([...socket.rooms]).toEqual([socket.id]);
  });
});
