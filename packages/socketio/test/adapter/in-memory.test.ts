import { expect, test } from "vitest";
import { Adapter } from "../../src/adapter/in-memory.js";
import type { AdapterNamespace } from "../../src/adapter/contract.js";
import { record } from "../harness.js";

function makeAdapter(): Adapter {
  return new Adapter({ name: "/", sockets: new Map(), _ids: 0 } as unknown as AdapterNamespace);
}

test("rooms and sids are maps of sets (A1)", () => {
  const adapter = makeAdapter();
  void adapter.add("s1", "r1");
  void adapter.addAll("s1", new Set(["r1", "r2"]));
  void adapter.addAll("s2", new Set(["r1"]));
  expect(adapter.rooms).toBeInstanceOf(Map);
  expect(adapter.rooms.get("r1")).toEqual(new Set(["s1", "s2"]));
  expect(adapter.rooms.get("r2")?.size).toBe(1);
  expect([...adapter.sids]).toEqual([
    ["s1", new Set(["r1", "r2"])],
    ["s2", new Set(["r1"])],
  ]);
  expect(adapter.socketRooms("s2")).toEqual(new Set(["r1"]));
  expect(adapter.socketRooms("s3")).toBeUndefined();
});

test("rooms come and go with their sockets (A4)", () => {
  const adapter = makeAdapter();
  const seen = record(adapter, "create-room", "join-room", "leave-room", "delete-room");
  void adapter.add("s1", "r1");
  void adapter.addAll("s2", new Set(["r1"]));
  void adapter.add("s2", "r1");
  void adapter.del("s1", "r1");
  void adapter.del("s1", "r1");
  void adapter.del("s1", "unknown");
  adapter.delAll("s2");
  adapter.delAll("s2");
  expect(seen).toEqual([
    ["create-room", "r1"],
    ["join-room", "r1", "s1"],
    ["join-room", "r1", "s2"],
    ["leave-room", "r1", "s1"],
    ["leave-room", "r1", "s2"],
    ["delete-room", "r1"],
  ]);
  expect(adapter.rooms.size).toBe(0);
});

test("who is not in a room cannot be removed from it", () => {
  const adapter = makeAdapter();
  void adapter.add("s1", "r1");
  void adapter.del("s2", "r1");
  expect(adapter.rooms.get("r1")).toEqual(new Set(["s1"]));
  void adapter.add("s3", "r1");
  void adapter.del("s2", "r1");
  expect(adapter.rooms.get("r1")).toEqual(new Set(["s1", "s3"]));
});

test("a socket that has left all its rooms is known until it is deleted (behaviour 109)", () => {
  const adapter = makeAdapter();
  void adapter.add("s1", "s1");
  void adapter.del("s1", "s1");
  expect(adapter.sids.has("s1")).toBe(true);
  adapter.delAll("s1");
  expect(adapter.sids.has("s1")).toBe(false);
});

test("a listener that throws does not keep a socket in its other rooms", () => {
  const adapter = makeAdapter();
  void adapter.addAll("s1", new Set(["r1", "r2", "r3"]));
  adapter.on("leave-room", (room: string) => {
    throw new Error(room);
  });
  expect(() => adapter.delAll("s1")).toThrow("r1");
  expect(adapter.rooms.size).toBe(0);
  expect(adapter.sids.size).toBe(0);
});

test("an adapter that extends it hears of every join by addAll", () => {
  const joins: unknown[] = [];
  class Listening extends Adapter {
    override addAll(id: string, rooms: Set<string>): void {
      joins.push(id, rooms);
      void super.addAll(id, rooms);
    }
  }
  const adapter = new Listening({} as AdapterNamespace);
  void adapter.add("s1", "r1");
  expect(joins).toEqual(["s1", new Set(["r1"])]);
  expect(adapter.rooms.get("r1")).toEqual(new Set(["s1"]));
});

test("the maps can be replaced, as tests of adapters do", () => {
  const adapter = makeAdapter();
  adapter.rooms = new Map([["r1", new Set(["s1"])]]);
  adapter.sids = new Map([["s1", new Set(["r1"])]]);
  adapter.delAll("s1");
  expect(adapter.rooms.size).toBe(0);
});

test("alone it is the whole cluster, and keeps no sessions (A2, A10)", async () => {
  const adapter = makeAdapter();
  void adapter.init();
  expect(await adapter.serverCount()).toBe(1);
  adapter.persistSession({ sid: "s", pid: "p", rooms: [], data: {} });
  expect(adapter.restoreSession("p", "offset")).toBeNull();
  void adapter.close();
});

test("a server-side event has no responses (Q11)", () => {
  const adapter = makeAdapter();
  const seen: unknown[][] = [];
  adapter.serverSideEmit(["event"]);
  adapter.serverSideEmit(["event", (...args: unknown[]) => seen.push(args)]);
  expect(seen).toEqual([[null, []]]);
});

test("a room reaches the socket that has an id now, not one that had it", () => {
  const sockets = new Map<string, object>();
  const sent: string[] = [];
  const connect = (name: string): { connected: boolean } => {
    const client = { writeToEngine: () => sent.push(name) };
    const socket = { id: "s1", connected: true, client, notifyOutgoingListeners() {} };
    sockets.set("s1", socket);
    return socket;
  };
  const server = { encoder: { encode: () => ["message"] } };
  const nsp = { name: "/", sockets, server, _ids: 0 } as unknown as AdapterNamespace;
  const adapter = new Adapter(nsp);
  const broadcast = (): void =>
    adapter.broadcast({ type: 2, data: ["a"] }, { rooms: new Set(["r"]) });
  void adapter.addAll("s1", new Set(["s1", "r"]));
  void adapter.addAll("s2", new Set(["s2", "r"]));
  // Neither is connected yet.
  broadcast();
  const first = connect("first");
  broadcast();
  first.connected = false;
  sockets.delete("s1");
  broadcast();
  connect("second");
  broadcast();
  broadcast();
  expect(sent).toEqual(["first", "second", "second"]);
});
