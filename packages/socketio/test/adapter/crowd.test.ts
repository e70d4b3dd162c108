import { expect, test } from "vitest";
import { Crowd } from "../../src/adapter/crowd.js";

interface Element {
  readonly hash: number;
}

/** Elements, of which so many have the same hash. */
function elements(size: number, alike: number): Element[] {
  return Array.from({ length: size }, (_, index) => ({
    hash: Math.imul(Math.floor(index / alike), 0x9e3779b1) >>> 2,
  }));
}

// Below and above what 16 bits can count.
test.each([
  [1, 1],
  [64, 64],
  [1000, 1],
  [1000, 10],
  [70_000, 2],
])("%d elements come, are found, and leave", (size, alike) => {
  const all = elements(size, alike);
  const crowd = new Crowd(all.slice(0, 1));
  const count = (ask: (element: Element) => boolean) => all.filter(ask).length;
  for (const element of all.slice(1)) crowd.append(element);
  expect(count((element) => crowd.includes(element))).toBe(size);
  expect(crowd.size).toBe(size);
  expect(crowd.toArray()).toEqual(all);
  expect(crowd.includes({ hash: 0 })).toBe(false);
  expect(crowd.remove({ hash: 0 })).toBe(false);
  expect(count((element) => crowd.remove(element) && !crowd.remove(element))).toBe(size);
  expect(crowd.size).toBe(0);
  expect(crowd.toArray()).toEqual([]);
});

test("it keeps the order in which elements came, while others leave and come back", () => {
  const all = elements(500, 3);
  const crowd = new Crowd<Element>([]);
  const expected = new Set<Element>();
  const differences: number[] = [];
  let seed = 1;
  for (let step = 0; step < 20_000; step += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    // Many elements at first, few later: it grows and shrinks.
    const element = all[seed % (step < 10_000 ? 500 : 30)] as Element;
    if (seed % 7 < 4) {
      if (!expected.has(element)) crowd.append(element);
      expected.add(element);
    } else if (crowd.remove(element) !== expected.delete(element)) differences.push(step);
    if (step % 100 === 0) {
      const order = [...expected];
      if (crowd.toArray().some((found, at) => found !== order[at])) differences.push(step);
    }
    if (crowd.size !== expected.size) differences.push(step);
  }
  expect(differences).toEqual([]);
  expect(crowd.toArray()).toEqual([...expected]);
});
