import { isThenable } from "./handler-error.js";

/** A function that has to call `next` for its subject to pass, with an error to refuse it. */
export type Middleware<Subject> = (subject: Subject, next: (error?: unknown) => void) => unknown;

/** Who wants to know how it ended. */
export interface MiddlewareOutcome {
  /** Called once: with the error of `next`, what was thrown, or nothing when all have passed. */
  done(error?: unknown): void;
  /** A middleware threw or its promise was rejected, be it after its `next`. */
  failed(error: unknown): void;
}

/**
 * Runs middlewares one after another, as they are listed at the beginning. A second `next` of the
 * same middleware is ignored. A throw and a rejected promise count as `next(error)` (FIX 87).
 */
export function runMiddleware<Subject>(
  middlewares: readonly Middleware<Subject>[],
  subject: Subject,
  outcome: MiddlewareOutcome,
): void {
  if (middlewares.length === 0) {
    outcome.done();
    return;
  }
  runFrom(0, middlewares.slice(), subject, outcome);
}

function runFrom<Subject>(
  index: number,
  middlewares: readonly Middleware<Subject>[],
  subject: Subject,
  outcome: MiddlewareOutcome,
): void {
  const middleware = middlewares[index];
  if (middleware === undefined) {
    outcome.done();
    return;
  }
  let settled = false;
  const next = (error?: unknown): void => {
    if (settled) return;
    settled = true;
    if (isRefusal(error)) outcome.done(error);
    else runFrom(index + 1, middlewares, subject, outcome);
  };
  const fail = (thrown: unknown): void => {
    outcome.failed(thrown);
    next(isRefusal(thrown) ? thrown : new Error(String(thrown)));
  };
  try {
    const result: unknown = middleware(subject, next);
    if (isThenable(result)) result.then(undefined, fail);
  } catch (thrown) {
    fail(thrown);
  }
}

/** Programs pass `next(null)` and `next(false)` for success: only truthy values refuse. */
function isRefusal(error: unknown): boolean {
  return Boolean(error);
}
