/** What became of the numbers that one emitter sent to one receiver. */
export interface Tally {
  readonly sent: number;
  readonly lost: readonly number[];
  readonly duplicated: readonly number[];
  /** The numbers that came after a later one. */
  readonly reordered: readonly number[];
}

/** The numbers from `from` up to, but without, `to`. */
export interface Phase {
  readonly from: number;
  readonly to: number;
}

/** Counts what arrived of the numbers of one phase. */
export function tally(received: readonly number[], { from, to }: Phase): Tally {
  const seen = new Set<number>();
  const duplicated: number[] = [];
  const reordered: number[] = [];
  let latest = -1;
  for (const number of received) {
    const isOfPhase = number >= from && number < to;
    if (seen.has(number)) {
      if (isOfPhase) duplicated.push(number);
      continue;
    }
    seen.add(number);
    if (number < latest && isOfPhase) reordered.push(number);
    latest = Math.max(latest, number);
  }
  const lost = numbers(from, to).filter((number) => !seen.has(number));
  return { sent: to - from, lost, duplicated, reordered };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (...[, index]) => from + index);
}

/** The tally of a phase in which nothing went wrong. */
export function flawless({ from, to }: Phase): Tally {
  return { sent: to - from, lost: [], duplicated: [], reordered: [] };
}
