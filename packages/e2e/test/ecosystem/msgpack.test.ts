import * as msgpack from "socket.io-msgpack-parser";
import type { Socket as ServerSocket } from "socket.io";
import { describe, expect, test } from "vitest";
import {
  CELLS,
  collect,
  connect,
  type ConnectOptions,
  type Cell,
  pair,
  type Pair,
  ready,
  roundTrip,
} from "../support/clients.js";
import { RawClient } from "../support/raw-clients.js";
import { type RunningServer, startServer } from "../support/subject.js";
import { first, received, rejection } from "../support/wait.js";

const OPTIONS = { parser: msgpack } as const;
const CLIENT: ConnectOptions = { parser: msgpack };

const VALUES = [
  null,
  true,
  -1,
  2 ** 40,
  1.5,
  "",
  "žluťoučký 🐎",
  [1, [2, [3]]],
  { a: { b: [{ c: null }] }, ключ: 1 },
];

const start = (): Promise<RunningServer> => startServer(OPTIONS);

const pairOf = (server: RunningServer, cell: Cell, options: ConnectOptions = {}): Promise<Pair> =>
  pair(server, cell, { ...CLIENT, ...options });

/** Binary data as the receiver has it, whatever class its end uses for it. */
const bytes = (data: unknown): string => Buffer.from(data as Uint8Array).toString("hex");

describe.each(CELLS)("$name", (cell) => {
  test("values of all kinds arrive in both directions, and come back as they were", async () => {
    const { client, socket } = await pairOf(await start(), cell);
    socket.on("echo", (...args: unknown[]) => {
      const answer = args.pop() as (...values: unknown[]) => void;
      socket.emit("echoed", ...args);
      answer(...args);
    });
    const echoed = received(client, "echoed");
    const answer = new Promise<unknown[]>((resolve) => {
      client.emit("echo", ...VALUES, (...values: unknown[]) => resolve(values));
    });
    expect(await echoed).toEqual(VALUES);
    expect(await answer).toEqual(VALUES);
  });

  test("binary data may stand anywhere, in both directions", async () => {
    const { client, socket } = await pairOf(await start(), cell);
    const data = Buffer.from([0, 1, 2, 253, 254, 255]);
    const atServer = received<[unknown, { deep: unknown[] }]>(socket, "binary");
    client.emit("binary", data, { deep: [data, "text"] });
    const [direct, { deep }] = await atServer;
    expect([direct, deep[0]].map(bytes)).toEqual([data.toString("hex"), data.toString("hex")]);
    expect(deep[1]).toBe("text");
    const atClient = received<[unknown, unknown]>(client, "binary");
    socket.emit("binary", data, Buffer.alloc(70_000, 7));
    const [small, large] = await atClient;
    expect(bytes(small)).toBe(data.toString("hex"));
    expect(bytes(large)).toBe("07".repeat(70_000));
  });

  test("the server is answered, and its acknowledgements can time out", async ({ skip }) => {
    const { client, socket } = await pairOf(await start(), cell);
    client.on("question", (value: number, answer: (value: number) => void) => answer(value * 2));
    expect(await socket.emitWithAck("question", 21)).toBe(42);
    skip(!cell.modern, "the client cannot wait with a limit");
    expect((await rejection(socket.timeout(1).emitWithAck("nobody listens"))).message).toBe(
      "operation has timed out",
    );
    expect((await rejection(client.timeout(1).emitWithAck("nobody listens"))).message).toBe(
      "operation has timed out",
    );
  });

  test("broadcasts, rooms, volatile and broadcast acknowledgements", async () => {
    const server = await start();
    const one = await pairOf(server, cell);
    const other = await pairOf(server, cell);
    await one.socket.join("a");
    const got = [one, other].map(({ client }) => collect(client, "news"));
    server.io.emit("news", "all", Buffer.from("x"));
    server.io.to("a").compress(false).emit("news", "a");
    one.socket.broadcast.emit("news", "from one");
    await Promise.all([roundTrip(one.client), roundTrip(other.client)]);
    expect(got.map((calls) => calls.map(([text]) => text))).toEqual([
      ["all", "a"],
      ["all", "from one"],
    ]);
    const volatile = received(other.client, "fleeting");
    const sendFleeting = (): void => {
      server.io.volatile.emit("fleeting", 1);
    };
    // While a client that polls has no request open, the event may be dropped.
    const again = setInterval(sendFleeting, 10);
    sendFleeting();
    expect(await volatile).toEqual([1]);
    clearInterval(again);
    for (const [index, { client }] of [one, other].entries()) {
      client.on("sum", (a: number, answer: (sum: number) => void) => answer(a + index));
    }
    const sums = (await server.io.timeout(10_000).emitWithAck("sum", 10)) as number[];
    expect(sums.toSorted((a, b) => a - b)).toEqual([10, 11]);
  });

  test("namespaces are joined with auth, refused with data, and left", async () => {
    const server = await start();
    const seen: unknown[] = [];
    server.io.of("/guarded").use((socket, next) => {
      seen.push(socket.handshake.auth);
      const error = new Error("who are you?") as Error & { data?: unknown };
      error.data = { code: 7 };
      next(socket.handshake.auth["token"] === "good" ? undefined : error);
    });
    const options = { ...CLIENT, nsp: "/guarded" };
    const refused = connect(server.port, cell, { ...options, auth: { token: "bad" } });
    const error = await first<Error & { data?: unknown }>(refused, "connect_error");
    expect([error.message, error.data]).toEqual(["who are you?", { code: 7 }]);
    const unknown = connect(server.port, cell, { ...CLIENT, nsp: "/unknown" });
    expect((await first<Error>(unknown, "connect_error")).message).toBe("Invalid namespace");
    const { client, socket } = await pairOf(server, cell, {
      nsp: "/guarded",
      auth: { token: "good" },
    });
    expect(seen).toEqual([{ token: "bad" }, { token: "good" }]);
    const gone = first(socket, "disconnect");
    client.disconnect();
    expect(await gone).toBe("client namespace disconnect");
    const kicked = await pairOf(server, cell);
    const end = first(kicked.client, "disconnect");
    kicked.socket.disconnect();
    expect(await end).toBe("io server disconnect");
  });
});

test("a client with the default parser cannot connect", async () => {
  const [cell] = CELLS.filter(({ transport }) => transport === "websocket") as [Cell];
  const { port, io } = await start();
  const client = connect(port, cell);
  const closed = first(client.io, "close");
  await closed;
  expect(client.connected).toBe(false);
  expect(io.of("/").sockets.size).toBe(0);
  // Others are not disturbed.
  await ready(connect(port, cell, CLIENT), cell);
});

// ── on the wire ──────────────────────────────────────────────────────────────

interface WirePacket {
  readonly type: number;
  readonly nsp: string;
  readonly data?: unknown;
  readonly id?: number;
}

const encoder = new msgpack.Encoder();

function encode(packet: unknown): Buffer {
  // One cast: the declared type is `ArrayBuffer`, which it is in browsers.
  const [data] = encoder.encode(packet) as unknown as [Buffer];
  return data;
}

/** The packet of a frame, which has to be binary. */
function decode(frame: string | Buffer): WirePacket {
  if (typeof frame === "string") throw new Error(`expected a binary frame, got ${frame}`);
  const decoder = new msgpack.Decoder() as unknown as {
    on(event: "decoded", listener: (packet: WirePacket) => void): void;
    add(data: Buffer): void;
  };
  const packets: WirePacket[] = [];
  decoder.on("decoded", (packet) => packets.push(packet));
  decoder.add(frame);
  return packets[0] as WirePacket;
}

/** A client by hand in the namespace `/`, and the server's socket of it. */
async function join(server: RunningServer): Promise<{ client: RawClient; socket: ServerSocket }> {
  const client = await RawClient.open(server.port);
  client.send(encode({ type: 0, nsp: "/" }));
  const { data } = decode(await client.next());
  const socket = server.io.of("/").sockets.get((data as { sid: string }).sid);
  return { client, socket: socket as ServerSocket };
}

describe("on the wire", () => {
  test("every packet is one binary message of type 0 to 4 that names its namespace", async () => {
    const server = await start();
    server.io.of("/shut").use((...[, next]) => next(new Error("shut")));
    const client = await RawClient.open(server.port);
    client.send(encode({ type: 0, nsp: "/shut", data: {} }));
    expect(decode(await client.next())).toEqual({
      type: 4,
      nsp: "/shut",
      data: { message: "shut" },
    });
    client.send(encode({ type: 0, nsp: "/" }));
    const answer = decode(await client.next());
    expect(answer).toEqual({
      type: 0,
      nsp: "/",
      data: { sid: expect.stringMatching(/^[\w-]{20}$/) as unknown },
    });
    const [socket] = [...server.io.of("/").sockets.values()] as [ServerSocket];
    socket.on("add", (a: number, b: Buffer, answerIt: (sum: number, data: Buffer) => void) =>
      answerIt(a + b.length, b),
    );
    const data = Buffer.from([1, 2, 3]);
    client.send(encode({ type: 2, nsp: "/", data: ["add", 4, data], id: 0 }));
    expect(decode(await client.next())).toEqual({ type: 3, nsp: "/", data: [7, data], id: 0 });
    socket.emit("direct", data);
    expect(decode(await client.next())).toEqual({ type: 2, nsp: "/", data: ["direct", data] });
    server.io.emit("broadcast", data, "text");
    expect(decode(await client.next())).toEqual({
      type: 2,
      nsp: "/",
      data: ["broadcast", data, "text"],
    });
    const answered = socket.emitWithAck("question");
    const question = decode(await client.next());
    expect(question).toMatchObject({ type: 2, nsp: "/", data: ["question"] });
    client.send(encode({ type: 3, nsp: "/", data: ["answer"], id: question.id }));
    expect(await answered).toBe("answer");
    socket.disconnect();
    expect(decode(await client.next())).toEqual({ type: 1, nsp: "/" });
  });

  test("a broadcast is one frame for each socket, the same for all", async () => {
    const server = await start();
    const all = await Promise.all([join(server), join(server), join(server)]);
    server.io.emit("news", { x: 1 });
    const frames = await Promise.all(all.map(({ client }) => client.next()));
    for (const frame of frames) expect(frame).toEqual(frames[0]);
    expect(decode(frames[0] as Buffer)).toEqual({ type: 2, nsp: "/", data: ["news", { x: 1 }] });
  });

  test.each([
    ["that is no msgpack", Buffer.from([0xc1])],
    ["that ends too early", encode({ type: 2, nsp: "/", data: ["abc"] }).subarray(0, -2)],
    ["that is empty", Buffer.alloc(0)],
    ["of text", '42["news"]'],
    ["of type 5", encode({ type: 5, nsp: "/", data: ["news"] })],
    ["of type -1", encode({ type: -1, nsp: "/", data: ["news"] })],
    ["without a namespace", encode({ type: 2, data: ["news"] })],
    ["with an event that is no array", encode({ type: 2, nsp: "/", data: { 0: "news" } })],
    ["with an id that is no integer", encode({ type: 2, nsp: "/", data: ["news"], id: "x" })],
    ["for a namespace that was not joined", encode({ type: 2, nsp: "/other", data: ["news"] })],
  ])("a packet %s ends the connection of its sender, and no other", async (_what, packet) => {
    const server = await start();
    const { client, socket } = await join(server);
    const other = await join(server);
    const events = collect(socket, "news");
    const gone = first(socket, "disconnect");
    client.send(packet);
    expect(["forced close", "forced server close"]).toContain(await gone);
    await client.closed;
    expect(events).toEqual([]);
    server.io.emit("still there");
    expect(decode(await other.client.next()).data).toEqual(["still there"]);
  });
});
