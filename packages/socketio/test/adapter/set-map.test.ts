import { inspect } from "node:util";
import { expect, test } from "vitest";
import { SetMap } from "../../src/adapter/set-map.js";

test("a set of one element is kept as the element", () => {
  const map = new SetMap();
  expect(map.add("key", "a")).toBe(true);
  expect(map.add("key", "a")).toBe(false);
  expect(map.peek("key")).toBe("a");
  expect(map.add("key", "b")).toBe(true);
  expect(map.add("key", "b")).toBe(false);
  expect(map.peek("key")).toEqual(new Set(["a", "b"]));
});

test("from outside it is a map of live sets", () => {
  const map = new SetMap();
  map.add("key", "a");
  const set = map.get("key");
  map.add("key", "b");
  expect(set).toEqual(new Set(["a", "b"]));
  expect(map).toBeInstanceOf(Map);
  expect(map.size).toBe(1);
  expect(map.get("other")).toBeUndefined();
});

test("every way to walk it shows sets", () => {
  const map = new SetMap();
  map.add("x", "a");
  const expected = [["x", new Set(["a"])]];
  expect([...map]).toEqual(expected);
  map.clear();
  map.add("x", "a");
  expect([...map.values()]).toEqual([new Set(["a"])]);
  map.clear();
  map.add("x", "a");
  const walked: unknown[] = [];
  map.forEach((elements, key) => walked.push([key, elements]));
  expect(walked).toEqual(expected);
  expect(new Map(map)).toEqual(new Map(expected as [string, Set<string>][]));
});

test("it is printed as a map of sets", () => {
  const map = new SetMap();
  map.add("x", "a");
  expect(inspect(map)).toBe("Map(1) { 'x' => Set(1) { 'a' } }");
});

test("removing leaves an empty set", () => {
  const map = new SetMap();
  map.add("x", "a");
  expect(map.remove("x", "b")).toBe(false);
  expect(map.remove("x", "a")).toBe(true);
  expect(map.remove("x", "a")).toBe(false);
  expect(map.remove("y", "a")).toBe(false);
  expect(map.get("x")).toEqual(new Set());
});
