import { PassThrough } from "node:stream";
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { runMiddlewares, UpgradeResponse, type Middleware } from "../src/middleware.js";

// One cast: these middlewares look at neither.
const req = {} as IncomingMessage;
const res = {} as ServerResponse;

function run(...middlewares: Middleware[]): Promise<unknown> {
  return new Promise((resolve) => {
    runMiddlewares(middlewares, req, res, (error) => resolve(error));
  });
}

test("middlewares run one after the other", async () => {
  const log: string[] = [];
  await run(
    (_req, _res, next) => {
      setImmediate(() => {
        log.push("first");
        next();
      });
    },
    (_req, _res, next) => {
      log.push("second");
      next();
    },
  );
  expect(log).toEqual(["first", "second"]);
});

test("an error skips the rest", async () => {
  const failure = new Error("no");
  let reached = false;
  const error = await run(
    (_req, _res, next) => next(failure),
    (_req, _res, next) => {
      reached = true;
      next();
    },
  );
  expect(error).toBe(failure);
  expect(reached).toBe(false);
});

test("a throwing or rejecting middleware is a failing one", async () => {
  const failure = new Error("no");
  const throwing: Middleware = () => {
    throw failure;
  };
  const rejecting: Middleware = () => Promise.reject(failure);
  expect(await run(throwing)).toBe(failure);
  expect(await run(rejecting)).toBe(failure);
});

test("calling next twice runs the rest once", async () => {
  let count = 0;
  await run(
    (_req, _res, next) => {
      next();
      next();
      next(new Error("late"));
    },
    (_req, _res, next) => {
      count += 1;
      next();
    },
  );
  expect(count).toBe(1);
});

test("ending the response of an upgrade destroys the socket (8)", () => {
  const socket = new PassThrough();
  new UpgradeResponse(socket).end();
  expect(socket.destroyed).toBe(true);
});

test("the response of an upgrade keeps the headers", () => {
  const response = new UpgradeResponse(new PassThrough());
  response.setHeader("Set-Cookie", ["a=1", "b=2"]);
  response.setHeader("X-Gone", "1");
  response.removeHeader("X-Gone");
  response.writeHead();
  expect({ ...response.getHeaders() }).toEqual({ "set-cookie": ["a=1", "b=2"] });
});
