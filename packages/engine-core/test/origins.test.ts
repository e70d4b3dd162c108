import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { OptionsError } from "../src/errors.js";
import { compileOrigins } from "../src/origins.js";

function isAllowed(allowedOrigins: unknown, headers: IncomingHttpHeaders): boolean | undefined {
  // One cast: of the request, only the headers are read.
  return compileOrigins(allowedOrigins)?.({ headers } as IncomingMessage);
}

test("without the option, nobody is asked", () => {
  expect(compileOrigins(undefined)).toBeUndefined();
});

test("an origin has to be in the list, whatever its case", () => {
  const list = ["https://Example.com", "null", "app://local"];
  expect(isAllowed(list, { origin: "https://example.com" })).toBe(true);
  expect(isAllowed(list, { origin: "https://example.com:8443" })).toBe(false);
  expect(isAllowed(list, { origin: "https://example.com.evil.org" })).toBe(false);
  expect(isAllowed(list, { origin: "null" })).toBe(true);
  expect(isAllowed(list, { origin: "" })).toBe(false);
});

test.each([/^https:\/\/\w+\.example\.com$/, /^https:\/\/\w+\.example\.com$/g])(
  "%s matches every time",
  (pattern) => {
    const origins = ["https://a.example.com", "https://a.example.com", "https://example.org"];
    expect(origins.map((origin) => isAllowed([pattern], { origin }))).toEqual([true, true, false]);
  },
);

test("a function decides, by nothing but true", () => {
  const decide = (origin: string) =>
    origin === "https://a" ? true : ("yes" as unknown as boolean);
  expect(isAllowed(decide, { origin: "https://a" })).toBe(true);
  expect(isAllowed(decide, { origin: "https://b" })).toBe(false);
});

test("who sends no origin is no browser, unless it says that its page is elsewhere", () => {
  expect(isAllowed([], {})).toBe(true);
  expect(isAllowed([], { "sec-fetch-site": "same-origin" })).toBe(true);
  expect(isAllowed([], { "sec-fetch-site": "cross-site" })).toBe(false);
});

test.each(["https://example.com", ["https://example.com/"], ["example.com"], ["*"], [1], true])(
  "%j is not accepted",
  (value) => {
    expect(() => compileOrigins(value)).toThrow(OptionsError);
  },
);
