import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultyBroker } from "../adapters/brokers.js";
import type { Contender } from "./contenders.js";
import { flawless } from "./ledger.js";
import { type Fault, type Survivor, useSurvivors } from "./scenario.js";

/** Every server with every client: whose numbers, and at which server the client is. */
const OWN = [
  [0, 0],
  [1, 1],
] as const;
/** The same with clients of the other server. */
export const OTHER = [
  [0, 1],
  [1, 0],
] as const;

/** Tests what servers do while their broker is away, and when it is back. */
export function faultSuite(
  broker: FaultyBroker,
  contenders: readonly Contender[],
  fault: Fault,
): (contender: Contender) => Survivor {
  const escaped = useEscapedErrors();
  const survivorOf = useSurvivors(broker, contenders, fault);

  describe.each(contenders)(`$name, ${fault}`, (contender) => {
    test("clients of the same server get everything, once and in order, all the time", () => {
      const { pair, phases } = survivorOf(contender);
      for (const [origin, home] of OWN) {
        for (const phase of Object.values(phases[origin] ?? {})) {
          expect(pair.tallyOf(origin, home, phase)).toEqual(flawless(phase));
        }
      }
    });

    test("clients of the other server get everything that is sent before and after", () => {
      const { pair, phases } = survivorOf(contender);
      for (const [origin, home] of OTHER) {
        const { before, after } = of(phases, origin);
        expect(pair.tallyOf(origin, home, before)).toEqual(flawless(before));
        expect(pair.tallyOf(origin, home, after)).toEqual(flawless(after));
      }
    });

    test("who asks while the broker is away gets an error before it is back", () => {
      const { answers } = survivorOf(contender);
      expect(answers).toEqual([0, 1].map((home) => unanswered(home)));
    });
  });

  test("no error escapes", () => {
    expect(escaped()).toEqual([]);
  });
  return survivorOf;
}

/** How everything ends that needs the other server. */
function unanswered(home: number): object {
  const noAnswer = expect.objectContaining({
    message: expect.stringMatching(
      /^(the broker has not answered for \d+ ms|timeout reached: .*)$/,
    ),
  }) as unknown;
  return {
    fetch: { error: noAnswer },
    // What came in time is there, and that is the answer of the own client.
    ack: {
      error: expect.objectContaining({ code: "ERR_ACK_TIMEOUT", responses: [home] }) as unknown,
    },
    serverSide: { error: noAnswer },
  };
}

/** What belongs to one server. */
export function of<T>(phases: readonly T[], origin: number): T {
  const found = phases[origin];
  if (found === undefined) throw new RangeError(`there is no server ${origin}`);
  return found;
}

/** What would end the process, or is written to its standard error. */
function useEscapedErrors(): () => readonly unknown[] {
  const escaped: unknown[] = [];
  const events = ["unhandledRejection", "uncaughtException", "warning"] as const;
  const note = (error: unknown) => void escaped.push(error);
  beforeAll(() => {
    for (const event of events) process.on(event as "warning", note);
  });
  afterAll(() => {
    for (const event of events) process.off(event, note);
  });
  return () => escaped;
}
