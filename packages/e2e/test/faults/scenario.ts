import { afterAll, beforeAll, vi } from "vitest";
import type { FaultyBroker } from "../adapters/brokers.js";
import type { Contender } from "./contenders.js";
import type { Phase } from "./ledger.js";
import { type Answers, Pair } from "./pair.js";

/** What happens to the broker: it stands still under load, and in a crash it is killed then. */
export type Fault = "crash" | "pause";

/** The numbers of one server that were sent before, during and after a fault. */
export type Phases = Readonly<Record<"before" | "during" | "after", Phase>>;

/** A pair of servers that has lived through a fault. */
export interface Survivor {
  readonly pair: Pair;
  /** What was asked of each server while the broker was away, and answered before it was back. */
  readonly answers: readonly Answers[];
  /** One for each server. */
  readonly phases: readonly Phases[];
}

/** How many numbers each server sends in a phase, at least. */
const NUMBERS = 100;
/** Milliseconds to wait for answers while the broker is away. */
const ASK_TIMEOUT = 500;

/** Lets pairs of servers live through one fault together, before the tests of the calling file. */
export function useSurvivors(
  broker: FaultyBroker,
  contenders: readonly Contender[],
  fault: Fault,
): (contender: Contender) => Survivor {
  vi.setConfig({ hookTimeout: 120_000 });
  const pairs: Pair[] = [];
  const survivors = new Map<Contender, Survivor>();
  beforeAll(async () => {
    for (const contender of contenders) pairs.push(await Pair.start(contender, broker));
    const told = pairs.filter(
      (...[, index]) => fault === "pause" || !contenders[index]?.isSecretive,
    );
    const outcomes = await liveThrough(broker, { pairs, told, fault });
    for (const [index, contender] of contenders.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) survivors.set(contender, outcome);
    }
  });
  afterAll(async () => {
    await each(pairs, (pair) => pair.close());
  });
  return (contender) => {
    const survivor = survivors.get(contender);
    if (survivor === undefined) throw new Error(`${contender.name} has not lived through it`);
    return survivor;
  };
}

interface Course {
  readonly pairs: readonly Pair[];
  /** Those whose operators are told before the broker is back. */
  readonly told: readonly Pair[];
  readonly fault: Fault;
}

async function liveThrough(
  broker: FaultyBroker,
  { pairs, told, fault }: Course,
): Promise<Survivor[]> {
  for (const pair of pairs) pair.emitNumbers();
  await each(pairs, (pair) => pair.emitted(NUMBERS));
  // What is on its way when this resolves belongs to the fault.
  const starts = await each(pairs, (pair) => pair.caughtUp());
  await broker.pause();
  const ask = () => each(pairs, (pair) => each([0, 1], (home) => pair.ask(home, ASK_TIMEOUT)));
  // Of these questions, the broker has the bytes when it dies.
  const early = ask();
  await each(pairs, (pair) => pair.emitted(NUMBERS));
  if (fault === "crash") await broker.crash();
  await each(pairs, (pair) => pair.caughtUpLocally());
  const answers = await ask();
  await early;
  await each(told, (pair) => pair.told());
  await each(pairs, (pair) => pair.caughtUpLocally());
  await (fault === "crash" ? broker.restart() : broker.resume());
  await each(pairs, (pair) => pair.works());
  const ends = pairs.map((pair) => pair.sent);
  await each(pairs, (pair) => pair.emitted(NUMBERS));
  await each(pairs, (pair) => pair.stop());
  const survivors = pairs.map((pair, index) => ({
    pair,
    answers: answers[index] ?? [],
    phases: pair.sent.map((sent, origin) => {
      const [start, end] = [starts[index]?.[origin] ?? 0, ends[index]?.[origin] ?? 0];
      return {
        before: { from: 0, to: start },
        during: { from: start, to: end },
        after: { from: end, to: sent },
      };
    }),
  }));
  if (process.env["FAULTS_REPORT"] !== undefined) report(survivors, fault);
  return survivors;
}

function each<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(items.map(work));
}

/** Prints the figures of docs/reliability.md. */
function report(survivors: readonly Survivor[], fault: Fault): void {
  for (const { pair, phases } of survivors) {
    for (const [origin, phasesOf] of phases.entries()) {
      for (const [name, phase] of Object.entries(phasesOf)) {
        for (const home of [0, 1]) {
          const { sent, lost, duplicated, reordered } = pair.tallyOf(origin, home, phase);
          const where = home === origin ? "own" : "other";
          const figures = [sent, lost.length, duplicated.length, reordered.length].join("/");
          console.log(`${pair.name}, ${fault}, ${name}, ${where} server: ${figures}`);
        }
      }
    }
  }
}
