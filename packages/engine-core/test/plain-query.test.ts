import { parse } from "node:querystring";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePlainQuery } from "../src/plain-query.js";

/** What the query of a request is: an ordinary object, with the last of repeated values. */
function expected(query: string): object {
  const entries = Object.entries(parse(query)).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.at(-1) : value,
  ]);
  return Object.fromEntries(entries) as object;
}

test.each([
  "EIO=4&transport=websocket",
  "EIO=4&transport=polling&t=abc&sid=0123456789abcdefghij",
  "",
  "&",
  "=",
  "a",
  "a=",
  "=b",
  "a==b=c",
  "&&a=1&&b&",
  "a=1&a=2&b=3&a=4",
  "constructor=1&toString=2",
  "a=\xe9&\xff=b",
])("of %j everything is found that querystring finds", (query) => {
  const parsed = parsePlainQuery(`/engine.io/?${query}`, "/engine.io/?".length);
  expect(parsed).toEqual(expected(query));
  expect(parsed).toBeDefined();
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
});

test.each(["a=%20", "%61=1", "a=1+2", "__proto__=x", "a=1&__proto__"])(
  "%j is left to querystring",
  (query) => {
    expect(parsePlainQuery(query, 0)).toBeUndefined();
  },
);

test("more names than querystring takes are left to it (48)", () => {
  const names = Array.from({ length: 1001 }, (_, index) => `n${index}=1`);
  expect(parsePlainQuery(names.slice(1).join("&"), 0)).toEqual(expected(names.slice(1).join("&")));
  expect(parsePlainQuery(names.join("&"), 0)).toBeUndefined();
});

test("whatever is parsed is what querystring makes of it", () => {
  const piece = fc.constantFrom("a", "sid", "=", "&", "=", "&", "1", "\xe9", "%", "__proto__");
  const query = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(query, (text) => {
      const isPlain = !/%|(^|&)__proto__(&|=|$)/.test(text);
      expect(parsePlainQuery(text, 0)).toEqual(isPlain ? expected(text) : undefined);
    }),
  );
});
