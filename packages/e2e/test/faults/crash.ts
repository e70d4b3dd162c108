import { expect, test } from "vitest";
import type { FaultyBroker } from "../adapters/brokers.js";
import type { Contender } from "./contenders.js";
import { faultSuite, of, OTHER } from "./faults.js";

/** Tests a broker that stalls under load, is killed, and started again. */
export function crashSuite(broker: FaultyBroker, contenders: readonly Contender[]): void {
  const survivorOf = faultSuite(broker, contenders, "crash");

  test.each(contenders)("$name: the application is told by the broker's client", (contender) => {
    const messages = survivorOf(contender).pair.brokerErrors.map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining("ECONNREFUSED"));
  });

  const open = contenders.filter(({ isSecretive }) => !isSecretive);
  test.skipIf(open.length === 0).each(open)(
    "$name: the operators are told of a crash",
    (contender) => {
      for (const reports of survivorOf(contender).pair.reports) {
        expect(reports).toContainEqual({ source: "adapter", error: expect.any(Error) as unknown });
        // Once, until something works again, and not once for each of hundreds of messages.
        expect(reports.length).toBeLessThan(5);
      }
    },
  );

  const single = contenders.filter(({ isResending }) => !isResending);
  test.each(single)("$name: nothing comes twice that is sent during a crash", (contender) => {
    const { pair, phases } = survivorOf(contender);
    for (const [origin, home] of OTHER) {
      expect(pair.tallyOf(origin, home, of(phases, origin).during).duplicated).toEqual([]);
    }
  });

  const ordered = single.filter(({ hasOneWriter }) => hasOneWriter);
  test.skipIf(ordered.length === 0).each(ordered)(
    "$name: nothing comes out of order that is sent during a crash",
    (contender) => {
      const { pair, phases } = survivorOf(contender);
      for (const [origin, home] of OTHER) {
        expect(pair.tallyOf(origin, home, of(phases, origin).during).reordered).toEqual([]);
      }
    },
  );

  const durable = contenders.filter(({ isDurable }) => isDurable);
  test.skipIf(durable.length === 0).each(durable)(
    "$name: nothing is lost but what the adapter was told may be lost",
    (contender) => {
      const { pair, phases } = survivorOf(contender);
      for (const [origin, home] of OTHER) {
        const { lost } = pair.tallyOf(origin, home, of(phases, origin).during);
        const rejected = pair.rejectedOf(origin);
        expect(lost.filter((number) => !rejected.includes(number))).toEqual([]);
      }
    },
  );
}
