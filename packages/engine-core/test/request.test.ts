import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { queryOf } from "../src/request.js";

function request(url: string, more = {}): IncomingMessage {
  // One cast: nothing else of a request is read.
  return { url, ...more } as IncomingMessage;
}

test("the query is parsed once and kept on the request (E13)", () => {
  const req = request("/engine.io/?EIO=4&a=1&a=2&__proto__=x");
  const query = queryOf(req);
  expect(query).toEqual({ EIO: "4", a: "2", ["__proto__"]: "x" });
  expect(Object.getPrototypeOf(query)).toBe(Object.prototype);
  expect(queryOf(req)).toBe(query);
});

test("a query that the host parsed is kept (E13)", () => {
  const query = { transport: "polling" };
  expect(queryOf(request("/engine.io/?transport=foo", { _query: query }))).toBe(query);
});

test("no query is an empty one", () => {
  expect({ ...queryOf(request("/engine.io/")) }).toEqual({});
});

test("requests with the same URL have queries of their own", () => {
  const url = "/engine.io/?EIO=4&transport=websocket";
  const [first, second, third] = [request(url), request(url), request(url)];
  queryOf(first)["EIO"] = "3";
  queryOf(second)["user"] = "ada";
  expect(queryOf(third)).toEqual({ EIO: "4", transport: "websocket" });
  expect(Object.getPrototypeOf(queryOf(third))).toBe(Object.prototype);
});

test("the query is that of the URL, whatever came before", () => {
  const urls = [
    "/engine.io/?a=1",
    "/engine.io/?a=1",
    "/engine.io/",
    "/engine.io/?a=%31",
    "/engine.io/?a=1&sid=x",
    "/engine.io/?a=2",
    `/engine.io/?a=${"1".repeat(300)}`,
    "/engine.io/?a=1",
  ];
  expect(urls.map((url) => queryOf(request(url))["a"])).toEqual([
    "1",
    "1",
    undefined,
    "1",
    "1",
    "2",
    "1".repeat(300),
    "1",
  ]);
});
