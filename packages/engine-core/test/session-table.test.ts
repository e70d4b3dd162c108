import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionTable } from "../src/session-table.js";

type Change = readonly ["add" | "remove", id: string, entry: number];

/** Does the same to both; nothing is added under an id that is taken. */
function apply(table: SessionTable<number>, model: Map<string, number>, change: Change): void {
  const [kind, id, entry] = change;
  const isThere = kind === "remove" && model.get(id) === entry;
  expect(kind === "remove" && table.remove(id, entry)).toBe(isThere);
  if (isThere) model.delete(id);
  if (kind === "add" && !model.has(id)) {
    table.add(id, entry);
    model.set(id, entry);
  }
  expect(table.count).toBe(model.size);
}

const changes = fc.array(
  fc.tuple(
    fc.constantFrom("add" as const, "remove" as const),
    fc.constantFrom("a", "b", "__proto__", "constructor"),
    fc.nat(1),
  ),
);

describe("a table of sessions", () => {
  test("tells the same before and after somebody reads it as an object", () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const table = new SessionTable<number>();
        const model = new Map<string, number>();
        for (const change of before) apply(table, model, change);
        expect(table.all()).toEqual([...model.values()]);
        expect(table.get("a")).toBe(model.get("a"));
        const { record } = table;
        expect(Object.entries(record)).toEqual([...model]);
        for (const change of after) apply(table, model, change);
        expect(Object.entries(record)).toEqual([...model]);
        expect(table.all()).toEqual([...model.values()]);
        expect(table.get("a")).toBe(model.get("a"));
        expect(table.get("constructor")).toBe(model.get("constructor"));
      }),
    );
  });

  test("shows one object, without a prototype, which applications may change", () => {
    const table = new SessionTable<number>();
    table.add("a", 1);
    const { record } = table;
    expect(table.record).toBe(record);
    expect(Object.getPrototypeOf(record)).toBeNull();
    record["b"] = 2;
    delete record["a"];
    expect([table.get("a"), table.get("b"), table.all()]).toEqual([undefined, 2, [2]]);
    expect([table.remove("a", 1), table.count]).toEqual([false, 1]);
  });
});
