import { expect, test } from "vitest";
import type { Adapter, AdapterPacket, BroadcastOptions } from "../src/adapter/contract.js";
import type { RemoteSocket } from "../src/api.js";
import { Harness, settled } from "./harness.js";

const DETAILS = {
  id: "remote-id",
  handshake: { url: "/x" },
  rooms: ["remote-id", "room"],
  data: { name: "far" },
};

async function remote(): Promise<{
  harness: Harness;
  adapter: Adapter;
  socket: RemoteSocket<never, { name: string }>;
}> {
  const harness = new Harness();
  const { adapter } = harness.io.sockets;
  adapter.fetchSockets = () => Promise.resolve([DETAILS]);
  const [socket] = (await harness.io.fetchSockets()) as unknown as RemoteSocket<
    never,
    { name: string }
  >[];
  if (socket === undefined) throw new Error("no socket");
  return { harness, adapter, socket };
}

test("it has what the other server tells of the socket (B10)", async () => {
  const { socket } = await remote();
  expect(socket.id).toBe("remote-id");
  expect(socket.handshake).toBe(DETAILS.handshake);
  expect(socket.rooms).toEqual(new Set(DETAILS.rooms));
  expect(socket.data).toEqual({ name: "far" });
});

test("what it does is a broadcast to the room of its id (B10)", async () => {
  const { adapter, socket } = await remote();
  const calls: unknown[] = [];
  adapter.broadcast = ({ data }, options) => void calls.push(["emit", data, roomsOf(options)]);
  adapter.addSockets = (options, joined) => void calls.push(["join", joined, roomsOf(options)]);
  adapter.delSockets = (options, left) => void calls.push(["leave", left, roomsOf(options)]);
  adapter.disconnectSockets = (options, close) => void calls.push(["end", close, roomsOf(options)]);
  expect((socket as RemoteSocket<Record<string, (n: number) => void>, unknown>).emit("a", 1)).toBe(
    true,
  );
  socket.join(["r1", "r2"]);
  socket.leave("r1");
  expect(socket.disconnect(true)).toBe(socket);
  const target = ["remote-id"];
  expect(calls).toEqual([
    ["emit", ["a", 1], target],
    ["join", ["r1", "r2"], target],
    ["leave", ["r1"], target],
    ["end", true, target],
  ]);
});

test("its acknowledgement is one response, not an array", async () => {
  const { harness, adapter, socket } = await remote();
  const seen: unknown[][] = [];
  let respond: ((...args: unknown[]) => void) | undefined;
  adapter.broadcastWithAck = (packet: AdapterPacket, _options, onClientCount, onAck) => {
    packet.id = 1;
    respond = onAck;
    onClientCount(1);
  };
  const emit = (): void => {
    const timed = socket.timeout(100) as unknown as { emit(...args: unknown[]): void };
    timed.emit("q", (...args: unknown[]) => seen.push(args));
  };
  emit();
  respond?.("answer");
  await settled();
  emit();
  harness.clock.advance(100);
  expect(seen).toEqual([
    [null, "answer"],
    [expect.objectContaining({ code: "ERR_ACK_TIMEOUT" }), null],
  ]);
});

function roomsOf({ rooms }: BroadcastOptions): string[] {
  return [...rooms];
}
