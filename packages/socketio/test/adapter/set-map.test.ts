import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { Member } from "../../src/adapter/member.js";
import { SetMap } from "../../src/adapter/set-map.js";

function makeRooms(onLoss = () => {}): SetMap {
  return new SetMap({ isOwnFirst: false, onLoss });
}

function makeSids(onLoss = () => {}): SetMap {
  return new SetMap({ isOwnFirst: true, onLoss });
}

/** A map in which `key` has these partners. */
function roomsWith(key: string, ...names: string[]): SetMap {
  const map = makeRooms();
  for (const name of names) map.memberOf(key).append(new Member(name, 0));
  return map;
}

test("what has itself alone is kept as the key", () => {
  const map = makeRooms();
  expect(map.addOwn("key")).toBe(true);
  expect(map.addOwn("key")).toBe(false);
  expect(map.peek("key")).toBe("key");
  expect(map.get("key")).toEqual(new Set(["key"]));
  expect(map.addOwn("key")).toBe(false);
  map.get("key")?.delete("key");
  expect(map.addOwn("key")).toBe(true);
});

test("a socket is in its own room before any other", () => {
  const map = makeSids();
  map.addOwn("s");
  map.memberOf("s").append(new Member("r", 0));
  expect(map.addOwn("s")).toBe(false);
  expect(map.memberOf("s").names).toBeUndefined();
  expect([...(map.get("s") ?? [])]).toEqual(["s", "r"]);
});

test("a socket that was in another room first is kept by name", () => {
  const map = makeSids();
  map.memberOf("s").names?.add("r");
  expect(map.addOwn("s")).toBe(true);
  expect([...(map.get("s") ?? [])]).toEqual(["r", "s"]);
});

test("a room that is a socket's own is kept by name when others join", () => {
  const map = makeRooms();
  map.addOwn("s");
  expect(map.memberOf("s").names).toEqual(new Set(["s"]));
  const others = roomsWith("s", "other");
  expect(others.addOwn("s")).toBe(true);
  expect([...(others.get("s") ?? [])]).toEqual(["other", "s"]);
});

test("from outside it is a map of live sets", () => {
  const map = roomsWith("key", "a");
  const set = map.get("key");
  map.memberOf("key").names?.add("b");
  expect(set).toEqual(new Set(["a", "b"]));
  expect(map.get("key")).toBe(set);
  expect(map).toBeInstanceOf(Map);
  expect(map.size).toBe(1);
  expect(map.get("other")).toBeUndefined();
  expect(map.set("other", new Set())).toBe(map);
  expect(map.delete("other")).toBe(true);
  expect(map.delete("other")).toBe(false);
});

test("every way to walk it shows sets", () => {
  const expected = [["x", new Set(["a"])]];
  expect([...roomsWith("x", "a")]).toEqual(expected);
  expect([...roomsWith("x", "a").values()]).toEqual([new Set(["a"])]);
  const walked: unknown[] = [];
  const map = roomsWith("x", "a");
  map.forEach((elements, key) => walked.push([key, elements]));
  expect(walked).toEqual(expected);
  expect(new Map(map)).toEqual(new Map(expected as [string, Set<string>][]));
});

test("it is printed as a map of sets", () => {
  expect(inspect(roomsWith("x", "a"))).toBe("Map(1) { 'x' => Set(1) { 'a' } }");
});

test("once plain, it keeps sets", () => {
  const map = roomsWith("x", "a");
  map.makePlain();
  expect(map.memberOf("x").names).toEqual(new Set(["a"]));
  expect(map.memberOf("y").names).toEqual(new Set());
});

test.each(["delete", "clear", "set"] as const)(
  "it tells when %s() takes away what others refer to",
  (method) => {
    const onLoss = vi.fn<() => void>();
    const map = makeRooms(onLoss);
    const take = (key: string) => {
      if (method === "set") map.set(key, new Set());
      else map[method](key);
    };
    map.memberOf("a");
    take("a");
    expect(onLoss).not.toHaveBeenCalled();
    new Member("socket", 0).append(map.memberOf("b"));
    take("b");
    expect(onLoss).toHaveBeenCalledOnce();
  },
);
