import { expect, test } from "vitest";
import type { ServerOptions } from "../../src/options.js";
import type { Session } from "../../src/adapter/contract.js";
import { settled } from "../harness.js";
import {
  type AdapterMaker,
  counted,
  CountedAdapter,
  delivered,
  type Mood,
  startCluster,
} from "./cluster-bus.js";

const RECOVERY: ServerOptions = { connectionStateRecovery: {} };

/** An adapter that can restore sessions, in principle. */
class RestoringAdapter extends CountedAdapter {
  override restoreSession(): Promise<Session | null> {
    return Promise.resolve(null);
  }
}

const restoring: AdapterMaker = (nsp, bus) => new RestoringAdapter(nsp, bus);

const BAD_MOODS: Mood[] = ["rejects", "throws", "is silent"];

test.each(BAD_MOODS)(
  "FIX 126: sockets of this node get everything when the broker %s",
  async (mood) => {
    const { bus, node } = await startCluster([counted, counted]);
    const { socket, peer } = node(0).join();
    bus.mood = mood;
    const { io } = node(0);
    io.emit("at once");
    expect(peer.take()).toEqual(['2["at once"]']);
    io.socketsJoin("room");
    expect(socket.rooms.has("room")).toBe(true);
    io.to("room").emit("question", () => {});
    expect(peer.take()).toEqual(['20["question"]']);
    io.socketsLeave("room");
    expect(socket.rooms.has("room")).toBe(false);
    io.serverSideEmit("note");
    io.disconnectSockets();
    expect(peer.take()).toEqual(["1"]);
    await delivered();
    // A broker that dies under load refuses thousands of messages: the first one is enough.
    expect(node(0).errors).toHaveLength(mood === "is silent" ? 0 : 1);
  },
);

test("FIX 126: a broker that fails again after it has worked is reported again", async () => {
  const { bus, node } = await startCluster([counted, counted]);
  for (const mood of ["rejects", "works", "rejects"] as const) {
    bus.mood = mood;
    node(0).io.emit("news");
    await delivered();
  }
  expect(node(0).errors).toMatchObject([
    { error: { message: "not published" }, context: { source: "adapter", nsp: "/" } },
    { error: { message: "not published" }, context: { source: "adapter", nsp: "/" } },
  ]);
});

test("FIX 126: plain broadcasts and those with acknowledgements keep their order", async () => {
  const { node } = await startCluster([counted, counted]);
  const { peer } = node(1).join();
  const { io } = node(0);
  io.emit("one");
  io.emit("two", () => {});
  io.emit("three");
  io.timeout(100).emit("four", () => {});
  await delivered();
  expect(peer.take()).toEqual(['2["one"]', '20["two"]', '2["three"]', '21["four"]']);
});

test("FIX 126: a request whose servers cannot be counted ends in time", async () => {
  const { bus, node } = await startCluster([counted, counted]);
  bus.mood = "is silent";
  const sockets = node(0).io.timeout(200).fetchSockets();
  const answers = node(0).io.serverSideEmitWithAck("who");
  await delivered();
  node(0).clock.advance(5000);
  const message = "timeout reached: the number of servers is not known";
  await expect(sockets).rejects.toMatchObject({ message });
  await expect(answers).rejects.toMatchObject({ message });
});

test("an event holds its offset, on the node that sends it, too (119)", async () => {
  const { node } = await startCluster([counted, counted], RECOVERY);
  const [near, far] = [node(0).join(), node(1).join()];
  node(0).io.emit("news", 1);
  node(0).io.emit("question", () => {});
  node(0).io.volatile.emit("volatile", 1);
  node(0).io.local.emit("local", 1);
  await delivered();
  const news = '2["news",1,"0-1"]';
  expect(far.peer.take()).toEqual([news, '20["question"]', '2["volatile",1]']);
  expect(near.peer.take()).toEqual([news, '20["question"]', '2["volatile",1]', '2["local",1]']);
});

test("FIX 119b: a text at the end of a volatile event is not taken for an offset", async () => {
  const { node } = await startCluster([counted, counted], RECOVERY);
  const members = [node(0).join(), node(1).join()];
  node(0).io.emit("news");
  node(0).io.volatile.emit("volatile", "text");
  await delivered();
  for (const { peer } of members) {
    expect(peer.take()).toEqual(['2["news","0-1"]', '2["volatile","text","0-1"]']);
  }
});

test("what follows an event that waits for its offset does not overtake it", async () => {
  const { bus, node } = await startCluster([counted, counted], RECOVERY);
  const { socket, peer } = node(0).join();
  void socket.join("room");
  bus.isSlow = true;
  const { io } = node(0);
  io.to("room").emit("last words");
  io.to("room").emit("question", () => {});
  io.socketsLeave("room");
  io.disconnectSockets();
  await settled();
  expect(peer.take()).toEqual([]);
  bus.answer();
  await settled();
  expect(peer.take()).toEqual(['2["last words","0-1"]', '20["question"]', "1"]);
  expect(node(0).errors).toEqual([]);
});

test("FIX 126: a broker that never tells an offset is waited for once", async () => {
  const { bus, node } = await startCluster([counted, counted], RECOVERY);
  const { peer } = node(0).join();
  bus.mood = "is silent";
  const { io, clock, errors } = node(0);
  io.emit("first");
  await settled();
  clock.advance(4999);
  io.emit("second");
  expect(peer.take()).toEqual([]);
  clock.advance(1);
  expect(peer.take()).toEqual(['2["first"]', '2["second"]']);
  expect(errors).toMatchObject([{ error: { code: "ERR_CLUSTER_TIMEOUT" } }]);
  io.emit("third");
  expect(peer.take()).toEqual(['2["third"]']);
  bus.mood = "works";
  io.emit("fourth");
  await delivered();
  expect(peer.take()).toEqual(['2["fourth"]']);
  io.emit("fifth");
  await delivered();
  expect(peer.take()).toEqual(['2["fifth","0-2"]']);
});

test("FIX 126: a broker that refuses gets in nobody's way while offsets are needed", async () => {
  const { bus, node } = await startCluster([counted, counted], RECOVERY);
  const { peer } = node(0).join();
  bus.mood = "throws";
  node(0).io.emit("news");
  await settled();
  expect(peer.take()).toEqual(['2["news"]']);
  expect(node(0).errors).toMatchObject([{ error: { message: "cannot publish" } }]);
});

test("no more than ten thousand deliveries wait", async () => {
  const { bus, node } = await startCluster([counted, counted], RECOVERY);
  const { peer } = node(0).join();
  bus.mood = "is silent";
  for (let index = 0; index <= 10_000; index++) node(0).io.emit("news", index);
  expect(peer.take()).toEqual(['2["news",0]']);
  await node(0).io.sockets.adapter.close();
  expect(peer.take()).toHaveLength(10_000);
  expect(node(0).clock.pending).toBe(0);
});

test("FIX 124: an event for one socket is not published where no session can be restored", async () => {
  const { bus, node } = await startCluster([counted, counted], RECOVERY);
  const { socket, peer } = node(0).join();
  void socket.leave(socket.id);
  socket.emit("direct", 1);
  expect(peer.take()).toEqual(['2["direct",1]']);
  await delivered();
  expect(bus.messages).toEqual([]);
});

test("FIX 124: an event for one socket is kept by the broker where sessions are restored", async () => {
  const { bus, node } = await startCluster([restoring, restoring], RECOVERY);
  const { socket, peer } = node(0).join();
  void socket.leave(socket.id);
  socket.emit("direct", 1);
  socket.emit("question", () => {});
  socket.volatile.emit("volatile", "text");
  await delivered();
  expect(peer.take()).toEqual([
    '2["direct",1,"0-1"]',
    '20["question"]',
    '2["volatile","text","0-1"]',
  ]);
  expect(bus.messages).toMatchObject([
    { type: 3, data: { packet: { data: ["direct", 1] }, opts: { rooms: [socket.id] } } },
    { type: 3, data: { packet: { data: ["volatile", "text"] } } },
  ]);
});
