import { expect, test } from "vitest";
import { type Middleware, runMiddleware } from "../src/middleware.js";
import { settled } from "./harness.js";

function run(...middlewares: Middleware<string>[]): { done: unknown[]; failed: unknown[] } {
  const done: unknown[] = [];
  const failed: unknown[] = [];
  runMiddleware(middlewares, "subject", {
    done: (error) => void done.push(error),
    failed: (error) => void failed.push(error),
  });
  return { done, failed };
}

test("without middlewares it is done at once", () => {
  expect(run().done).toEqual([undefined]);
});

test("middlewares run one after another", () => {
  const calls: string[] = [];
  const { done } = run(
    (subject, next) => {
      calls.push(`first ${subject}`);
      next();
    },
    (_subject, next) => {
      calls.push("second");
      next();
    },
  );
  expect(calls).toEqual(["first subject", "second"]);
  expect(done).toEqual([undefined]);
});

test("an error ends the run", () => {
  const error = new Error("no");
  const { done, failed } = run(
    (_subject, next) => next(error),
    () => expect.unreachable(),
  );
  expect(done).toEqual([error]);
  expect(failed).toEqual([]);
});

test("a value that is not true is no error", () => {
  expect(run((_subject, next) => next(null)).done).toEqual([undefined]);
});

test("a second next is ignored", () => {
  const { done } = run((_subject, next) => {
    next();
    next();
    next(new Error("late"));
  });
  expect(done).toEqual([undefined]);
});

test("what is thrown is the error and is reported", () => {
  const error = new Error("thrown");
  const { done, failed } = run(() => {
    throw error;
  });
  expect(done).toEqual([error]);
  expect(failed).toEqual([error]);
});

test("a rejected promise is the error and is reported (behaviour 87)", async () => {
  const error = new Error("rejected");
  const { done, failed } = run(() => Promise.reject(error));
  await settled();
  expect(done).toEqual([error]);
  expect(failed).toEqual([error]);
});

test("a promise that is rejected after next is only reported", async () => {
  const { done, failed } = run(async (_subject, next) => {
    next();
    await Promise.reject(new Error("late"));
  });
  await settled();
  expect(done).toEqual([undefined]);
  expect(failed).toHaveLength(1);
});

test("a rejection without a reason refuses, too", async () => {
  const { done } = run(() => Promise.reject());
  await settled();
  expect(done).toEqual([new Error("undefined")]);
});

test("a middleware that is added meanwhile does not run", () => {
  const list: Middleware<string>[] = [];
  list.push((_subject, next) => {
    list.push(() => expect.unreachable());
    next();
  });
  expect(run(...list).done).toEqual([undefined]);
});
