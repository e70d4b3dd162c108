import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { CookieOptions } from "../src/cookies.js";
import { HeaderHooks } from "../src/headers.js";

// One cast: of requests, only the query is read here.
const first = { url: "/?EIO=4" } as IncomingMessage;
const later = { url: "/?EIO=4&sid=abc" } as IncomingMessage;

function makeHooks(cookie: CookieOptions | false = false) {
  const emitter = new EventEmitter();
  const errors: unknown[] = [];
  const log: string[] = [];
  const hooks = new HeaderHooks(emitter, cookie, (error) => errors.push(error));
  const listen = (): void => {
    emitter.on("initial_headers", (headers) => log.push(`initial ${Object.keys(headers).join()}`));
    emitter.on("headers", (headers) => {
      log.push("headers");
      headers["X-Added"] = ["1", "2"];
    });
  };
  return { hooks, emitter, errors, log, listen };
}

test("the first response of a session is announced twice, later ones once (23)", () => {
  const { hooks, log, listen } = makeHooks();
  listen();
  hooks.addToResponse({}, first, "abc");
  hooks.addToResponse({}, later, "abc");
  expect(log).toEqual(["initial ", "headers", "headers"]);
});

test("the first response carries the cookie, when listeners see it (23)", () => {
  const { hooks, log, listen } = makeHooks({});
  listen();
  const headers = {};
  hooks.addToResponse(headers, first, "abc");
  expect(headers).toMatchObject({ "Set-Cookie": "io=abc; Path=/; HttpOnly; SameSite=Lax" });
  expect(log[0]).toBe("initial Set-Cookie");
  const laterHeaders = {};
  hooks.addToResponse(laterHeaders, later, "abc");
  expect(laterHeaders).not.toHaveProperty("Set-Cookie");
});

test("a 101 has what middlewares and listeners add, a line for each value, and no cookie (8, 23)", () => {
  const { hooks, listen } = makeHooks({});
  listen();
  hooks.keep(first, [["X-Kept", "yes"]]);
  expect(hooks.upgradeLines(first)).toEqual(["X-Kept: yes", "X-Added: 1", "X-Added: 2"]);
});

test("what a listener throws is reported", () => {
  const { hooks, emitter, errors } = makeHooks();
  const failure = new Error("mine");
  emitter.on("headers", () => {
    throw failure;
  });
  hooks.addToResponse({}, later, "abc");
  expect(errors).toEqual([failure]);
});
