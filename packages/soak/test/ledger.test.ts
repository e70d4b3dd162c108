import { expect, test } from "vitest";
// @ts-expect-error -- plain JavaScript, which has a configuration of its own
import { Ledger } from "../src/ledger.mjs";

test("both ends of a stream are brought together, whoever speaks first", () => {
  const ledger = new Ledger();
  ledger.fromServer({
    sid: "a",
    expected: [1, 2],
    received: new Map([[1, [7]]]),
    isFinished: true,
  });
  expect(ledger.onesided).toBe(1);
  ledger.fromClient({ sid: "a", received: [1, 2], sent: new Map([[1, [7]]]) });
  ledger.fromClient({ sid: "b", received: [], sent: new Map([[1, [8]]]) });
  ledger.fromServer({ sid: "b", expected: [], received: new Map(), isFinished: true });
  expect(ledger).toMatchObject({ streams: 2, onesided: 0 });
  expect(ledger.downwards).toMatchObject({ sent: 2, received: 2, lost: 0 });
  expect(ledger.upwards).toMatchObject({ sent: 2, received: 1, lost: 1 });
  expect(ledger.findings).toEqual([expect.stringContaining("upwards b")]);
});

test("only the last connection of a stream has to be complete", () => {
  const ledger = new Ledger();
  const sent = new Map([
    [1, [1, 2, 3]],
    [2, [4, 5]],
  ]);
  const received = new Map([
    [1, [1]],
    [2, [4, 5]],
  ]);
  ledger.fromServer({ sid: "a", expected: [], received, isFinished: true });
  ledger.fromClient({ sid: "a", received: [], sent });
  expect(ledger.upwards).toMatchObject({ sent: 5, received: 3, cut: 2, lost: 0 });
});

test("what nobody else speaks of is one-sided", () => {
  const ledger = new Ledger();
  ledger.fromClient({ sid: "a", received: [], sent: new Map() });
  expect(ledger.leftovers()).toEqual({ server: [], client: ["a"] });
});
