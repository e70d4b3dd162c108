import { expect, test } from "vitest";
import type { FaultyBroker } from "../adapters/brokers.js";
import type { Contender } from "./contenders.js";
import { faultSuite, of, OTHER } from "./faults.js";
import { flawless } from "./ledger.js";

/** Tests a broker that stands still for a while, and goes on. */
export function pauseSuite(broker: FaultyBroker, contenders: readonly Contender[]): void {
  const survivorOf = faultSuite(broker, contenders, "pause");

  test.each(contenders)("$name: nothing that is sent during a pause is lost", (contender) => {
    const { pair, phases } = survivorOf(contender);
    for (const [origin, home] of OTHER) {
      const { during } = of(phases, origin);
      expect(pair.tallyOf(origin, home, during)).toEqual(flawless(during));
    }
  });

  test.each(contenders)("$name: the operators are told of a pause, once", (contender) => {
    const stalled = { source: "adapter", error: expect.objectContaining(STALLED) as unknown };
    expect(survivorOf(contender).pair.reports).toEqual([[stalled], [stalled]]);
  });
}

const STALLED = {
  code: "ERR_CLUSTER_TIMEOUT",
  message: "the broker has not answered for 5000 ms",
} as const;
