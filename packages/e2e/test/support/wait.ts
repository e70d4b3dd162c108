import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";

/** How often `until` looks at every turn of the event loop, before it looks every millisecond. */
const TURNS = 20;

/** Anything with `once`: Node's emitters and those of the clients. */
export interface Emitter {
  once(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** Resolves with the arguments of the next `event`. */
export function received<Args extends unknown[] = unknown[]>(
  emitter: Emitter,
  event: string,
): Promise<Args> {
  return new Promise((resolve) => {
    emitter.once(event, (...args) => resolve(args as Args));
  });
}

/** Resolves with the first argument of the next `event`. */
export async function first<T = unknown>(emitter: Emitter, event: string): Promise<T> {
  const [argument] = await received(emitter, event);
  return argument as T;
}

/**
 * Resolves when `condition` holds. For states that no event announces; a condition that never holds
 * ends in the timeout of the test.
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; !condition(); looks += 1) {
    // Who turns all the time keeps a core from those that are waited for: other processes, too.
    await (looks < TURNS ? turn() : pause(1));
  }
}

/** A promise and the function that resolves it. */
export interface Gate<T> {
  readonly opened: Promise<T>;
  open(value: T): void;
}

/** Makes a promise that the test resolves by hand. */
export function gate<T = void>(): Gate<T> {
  const result: { opened?: Promise<T>; open?: (value: T) => void } = {};
  result.opened = new Promise((resolve) => {
    result.open = resolve;
  });
  return result as Gate<T>;
}

/** The result of a promise that has to be rejected. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the promise was expected to be rejected");
}
