import { expect, test } from "vitest";
import type { AdapterNamespace, AdapterPacket } from "../../src/adapter/contract.js";
import { Adapter, type EncodedPacket } from "../../src/adapter/in-memory.js";
import { Harness } from "../harness.js";

/** What a crowd of sockets is like; by default, as on our server. */
interface TownInit {
  readonly hasOutgoingListeners?: boolean;
  readonly isForeign?: boolean;
  readonly adapter?: typeof Adapter;
}

/** Writes packets in its own way. */
class Unprepared extends Adapter {
  override encodeBroadcast(packet: AdapterPacket): EncodedPacket {
    const encoded = super.encodeBroadcast(packet, undefined);
    return { ...encoded, writeOptions: { preEncoded: true } };
  }
}

/** Sockets in the room "all", whose connections write down what they get. */
class Town {
  readonly sockets = new Map<string, object>();
  /** Who got something, in order. */
  readonly received: string[] = [];
  /** How often a socket was looked at. */
  looks = 0;
  /** Called for everybody who gets something. */
  onReceive: (id: string) => void = () => {};
  readonly adapter: Adapter;
  readonly #init: TownInit;

  constructor(size: number, init: TownInit = {}) {
    this.#init = init;
    const { hasOutgoingListeners = false } = init;
    const server = { encoder: { encode: () => ["first", "second"] } };
    const nsp = { name: "/", sockets: this.sockets, server, _ids: 0, hasOutgoingListeners };
    this.adapter = new (init.adapter ?? Adapter)(nsp as unknown as AdapterNamespace);
    for (let number = 0; number < size; number += 1) this.settle(`s${number}`);
  }

  /** A new socket, which is in the room. */
  settle(id: string): void {
    const receive = (): void => {
      // Two messages, one delivery.
      if (this.received.at(-1) === id) return;
      this.received.push(id);
      this.onReceive(id);
    };
    const look = (): boolean => {
      this.looks += 1;
      return true;
    };
    const socket = {
      id,
      get connected() {
        return look();
      },
      conn: { readyState: "open", sendPrepared: receive },
      client: { writeToEngine: receive },
      notifyOutgoingListeners: look,
    };
    this.sockets.set(id, this.#init.isForeign === true ? { ...socket, conn: {} } : socket);
    void this.adapter.addAll(id, new Set([id, "all"]));
  }

  /** Who gets a broadcast to the room, or to others as well. */
  broadcast(except: readonly string[] = [], flags = {}, others: readonly string[] = []): string[] {
    this.received.length = 0;
    const options = { rooms: new Set(["all", ...others]), except: new Set(except), flags };
    this.adapter.broadcast({ type: 2, data: ["event"] }, options);
    return [...this.received];
  }
}

/** `s0` and those behind, as many as are asked for. */
function ids(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `s${number}`);
}

test("from the second broadcast on, the sockets in a room are not looked at", () => {
  const town = new Town(20);
  expect(town.broadcast()).toEqual(ids(20));
  town.looks = 0;
  expect(town.broadcast()).toEqual(ids(20));
  expect(town.broadcast(["s3"])).toEqual(ids(20).filter((id) => id !== "s3"));
  expect(town.looks).toBe(0);
});

test.each<[string, number, TownInit, object]>([
  ["there are too few", 7, {}, {}],
  ["one of them had an outgoing listener", 20, { hasOutgoingListeners: true }, {}],
  ["the engine is not ours", 20, { isForeign: true }, {}],
  ["an adapter prepares nothing", 20, { adapter: Unprepared }, {}],
  ["the broadcast is volatile", 20, {}, { volatile: true }],
])("they are where %s", (_, size, init, flags) => {
  const town = new Town(size, init);
  town.broadcast([], flags);
  town.looks = 0;
  expect(town.broadcast([], flags)).toEqual(ids(size));
  expect(town.looks).toBeGreaterThanOrEqual(size);
});

test("a broadcast reaches those who are in the room by then", () => {
  const town = new Town(20);
  town.broadcast();
  void town.adapter.del("s4", "all");
  expect(town.broadcast()).toEqual(ids(20).filter((id) => id !== "s4"));
  town.settle("new");
  expect(town.broadcast()).toEqual([...ids(20).filter((id) => id !== "s4"), "new"]);
  town.adapter.delAll("s5");
  expect(town.broadcast()).not.toContain("s5");
  town.adapter.rooms.get("all")?.delete("s6");
  expect(town.broadcast()).toHaveLength(18);
  town.adapter.rooms.delete("all");
  expect(town.broadcast()).toEqual([]);
});

test("who joins before being connected is reached once connected", () => {
  const town = new Town(20);
  void town.adapter.addAll("late", new Set(["late", "all"]));
  expect(town.broadcast()).toEqual(ids(20));
  expect(town.broadcast()).toEqual(ids(20));
  town.settle("late");
  expect(town.broadcast()).toEqual([...ids(20), "late"]);
});

test("rooms are excepted, too", () => {
  const town = new Town(20);
  for (const id of ["s1", "s2"]) void town.adapter.add(id, "pair");
  void town.adapter.add("s3", "single");
  town.broadcast();
  expect(town.broadcast(["pair"])).toEqual(ids(20).filter((id) => id !== "s1" && id !== "s2"));
  expect(town.broadcast(["single"])).toEqual(ids(20).filter((id) => id !== "s3"));
  expect(town.broadcast(["s4", "s5"])).toEqual(ids(20).filter((id) => id !== "s4" && id !== "s5"));
  expect(town.broadcast(["unknown"])).toEqual(ids(20));
});

test("who comes and goes during a broadcast gets it, or not, as if each socket was visited", () => {
  const towns = [new Town(100), new Town(100, { hasOutgoingListeners: true })];
  const broadcasts = towns.map((town) => {
    let newcomers = 0;
    let turn = 0;
    town.broadcast();
    town.onReceive = () => {
      turn = (turn * 31 + 7) % 1009;
      if (turn % 3 === 0) void town.adapter.del(`s${turn % 100}`, "all");
      if (turn % 7 === 0) town.adapter.delAll(`s${turn % 100}`);
      if (turn % 5 === 0) town.settle(`new ${newcomers++}`);
    };
    return [town.broadcast(), town.broadcast(["s1"]), town.broadcast(["s2"])];
  });
  expect(broadcasts[0]).toEqual(broadcasts[1]);
  expect(broadcasts[0]?.[0]?.length).toBeLessThan(100);
  expect(broadcasts[0]?.[1]?.length).toBeGreaterThan(20);
});

test("a set of a room that is read and changed during a broadcast counts", () => {
  const town = new Town(20);
  town.broadcast();
  town.onReceive = (id) => {
    if (id === "s3") town.adapter.rooms.get("all")?.delete("s5");
  };
  expect(town.broadcast()).toEqual(ids(20).filter((id) => id !== "s5"));
});

test("a broadcast to several rooms reaches the sockets of all of them, once", () => {
  const town = new Town(20);
  void town.adapter.del("s4", "all");
  void town.adapter.addAll("s4", new Set(["other"]));
  void town.adapter.addAll("s5", new Set(["other"]));
  town.broadcast();
  const reached = town.broadcast([], {}, ["other"]);
  expect(reached.toSorted()).toEqual(ids(20).toSorted());
});

test.each(["onAnyOutgoing", "prependAnyOutgoing"] as const)(
  "listeners given to %s are told as soon as there are any (116)",
  (method) => {
    const harness = new Harness();
    const members = Array.from({ length: 10 }, () => harness.join());
    for (const { socket } of members) void socket.join("all");
    const told: unknown[][] = [];
    const broadcast = (): void => void harness.io.to("all").emit("event", 1);
    broadcast();
    broadcast();
    members[3]?.socket[method]((...args) => told.push(args));
    broadcast();
    expect(told).toEqual([["event", 1]]);
    for (const { peer } of members) expect(peer.take()).toHaveLength(3);
  },
);

test("who leaves the namespace, or loses the connection, gets nothing more of it", () => {
  const harness = new Harness();
  const members = Array.from({ length: 10 }, () => harness.join());
  for (const { socket } of members) void socket.join("all");
  const broadcast = (): void => void harness.io.to("all").emit("event", 1);
  broadcast();
  broadcast();
  for (const { peer } of members) peer.take();
  members[0]?.socket.disconnect();
  members[1]?.peer.close();
  members[0]?.peer.take();
  broadcast();
  expect(members.map(({ peer }) => peer.take().length)).toEqual([0, 0, ...Array(8).fill(1)]);
});
