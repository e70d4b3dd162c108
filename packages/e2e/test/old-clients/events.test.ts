import { describe, expect, test } from "vitest";
import { collect } from "../support/clients.js";
import { range } from "../support/range.js";
import { received } from "../support/wait.js";
import { CELLS, type OldClient, pair, roundTrip, startOld } from "./clients.js";

type Acknowledge = (...values: unknown[]) => void;

/** What both sides have in common, as far as these tests go. */
type Peer = Pick<OldClient, "on" | "once" | "emit">;

const SENT = [
  null,
  true,
  0,
  -1.5,
  "",
  "text",
  [],
  [1, [2, [3]]],
  {},
  { a: { b: [null, { c: "d" }] }, "key with space": 1 },
  undefined,
  Number.NaN,
  new Date(0),
  '42["not a packet"]',
  { _placeholder: true, num: 0 },
];

// What JSON makes of it.
const ARRIVED = [...SENT.slice(0, 10), null, null, "1970-01-01T00:00:00.000Z", ...SENT.slice(13)];

const BYTES = [
  Buffer.from([1, 2, 255]),
  { deep: [Buffer.from([3]), "text", { deeper: Buffer.alloc(0) }] },
  Buffer.alloc(1000, 7),
];

/** Makes a peer acknowledge `event` with what it got. */
function echo(peer: Peer, event: string): void {
  peer.on(event, (...args) => {
    const acknowledge = args.pop() as Acknowledge;
    acknowledge(...args);
  });
}

function ask(peer: Peer, event: string, args: readonly unknown[]): Promise<unknown[]> {
  return new Promise((resolve) => {
    peer.emit(event, ...args, (...values: unknown[]) => resolve(values));
  });
}

describe.each(CELLS)("$name", (cell) => {
  test("arguments of every kind arrive and are acknowledged, in both directions", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    for (const [from, to] of [
      [client, socket as unknown as Peer],
      [socket as unknown as Peer, client],
    ] as const) {
      const arrived = received(to, "kinds");
      echo(to, "kinds");
      const answer = await ask(from, "kinds", SENT);
      expect((await arrived).slice(0, -1)).toEqual(ARRIVED);
      expect(answer).toEqual(ARRIVED);
    }
  });

  test("bytes arrive and are acknowledged, in both directions", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    for (const [from, to] of [
      [client, socket as unknown as Peer],
      [socket as unknown as Peer, client],
    ] as const) {
      const arrived = received(to, "bytes");
      echo(to, "bytes");
      const answer = await ask(from, "bytes", ["first", ...BYTES, "last"]);
      expect((await arrived).slice(0, -1)).toEqual(["first", ...BYTES, "last"]);
      expect(answer).toEqual(["first", ...BYTES, "last"]);
    }
  });

  test("array buffers arrive as bytes, in both directions", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    const { buffer } = Uint8Array.from([4, 5, 6]);
    const onServer = received(socket, "bytes");
    client.emit("bytes", buffer);
    expect(await onServer).toEqual([Buffer.from([4, 5, 6])]);
    for (const bytes of [buffer, new Uint8Array(buffer), new DataView(buffer)]) {
      const onClient = received(client, "bytes");
      socket.emit("bytes", bytes);
      expect(await onClient).toEqual([Buffer.from([4, 5, 6])]);
    }
  });

  test("text and bytes keep their order, in both directions", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    const sent = range(40).map((index) => (index % 3 === 0 ? Buffer.from([index]) : index));
    const onServer = collect(socket, "mixed");
    const onClient = collect(client, "mixed");
    const ended = [received(socket, "end"), received(client, "end")];
    for (const peer of [client, socket]) {
      for (const value of sent) peer.emit("mixed", value);
      peer.emit("end");
    }
    await Promise.all(ended);
    expect(onServer.flat()).toEqual(sent);
    expect(onClient.flat()).toEqual(sent);
  });

  test("send() emits a message event in both directions", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    const onServer = collect(socket, "message");
    const onClient = collect(client, "message");
    client.send("from the client", 1);
    socket.send("from the server", 2);
    await roundTrip(client);
    expect(onServer).toEqual([["from the client", 1]]);
    expect(onClient).toEqual([["from the server", 2]]);
  });

  test("text beyond ASCII arrives, in both directions", async (context) => {
    // Clients of version 1 encode the text of their payloads twice (141).
    context.skip(
      cell.version === 1 && cell.transport === "polling",
      "clients of version 1 garble such text over polling (141)",
    );
    const { client, socket } = await pair(await startOld(), cell);
    const text = "é\u2028\u{1f600}漢";
    const [onServer, onClient] = [received(socket, "text"), received(client, "text")];
    client.emit("text", text);
    socket.emit("text", text);
    expect([await onServer, await onClient]).toEqual([[text], [text]]);
  });

  test("timeouts and promises of acknowledgements work", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    echo(client, "question");
    expect(await socket.timeout(60_000).emitWithAck("question", 1)).toBe(1);
    await expect(socket.timeout(20).emitWithAck("nobody listens")).rejects.toThrow(
      "operation has timed out",
    );
  });

  test("a socket middleware can refuse an event", async () => {
    const { client, socket } = await pair(await startOld(), cell);
    const seen = collect(socket, "event");
    socket.use(([event, value], next) => {
      next(event === "event" && value === "bad" ? new Error("bad value") : undefined);
    });
    const errors = collect(socket, "error");
    for (const value of ["good", "bad", "good"]) client.emit("event", value);
    await roundTrip(client);
    expect(seen).toEqual([["good"], ["good"]]);
    expect(errors).toEqual([[new Error("bad value")]]);
  });
});
