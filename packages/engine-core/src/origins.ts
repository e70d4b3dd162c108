import type { IncomingMessage } from "node:http";
import { OptionsError } from "./errors.js";

/**
 * The origins whose pages may connect: texts such as `"https://example.com"`, patterns, or a
 * function that decides.
 */
export type AllowedOrigins =
  readonly (string | RegExp)[] | ((origin: string, req: IncomingMessage) => boolean);

/** Decides whether the page that a request comes from may connect. */
export type OriginJudge = (req: IncomingMessage) => boolean;

/** What browsers send: scheme, host and port, and nothing behind them. */
const ORIGIN = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*|null)$/i;

/**
 * Makes the judge that the option `allowedOrigins` stands for. Who sends no origin is no browser, or
 * is on the origin of the server, and may connect; except for a page elsewhere that a browser does
 * not name, as in a request for a script.
 *
 * @returns `undefined` when everybody may connect
 * @throws {OptionsError} ERR_OPTION_VALUE, also for text that can be no origin: a path, a slash
 */
export function compileOrigins(value: unknown): OriginJudge | undefined {
  if (value === undefined) return undefined;
  const isAllowed = compileAllowed(value);
  return (req) => {
    const { origin } = req.headers;
    if (origin === undefined) return req.headers["sec-fetch-site"] !== "cross-site";
    return isAllowed(origin, req);
  };
}

function compileAllowed(value: unknown): (origin: string, req: IncomingMessage) => boolean {
  if (typeof value === "function") return (origin, req) => value(origin, req) === true;
  if (!Array.isArray(value)) throw notAccepted(value);
  const texts = new Set<string>();
  const patterns: RegExp[] = [];
  for (const entry of value as unknown[]) {
    if (entry instanceof RegExp) patterns.push(entry);
    else if (typeof entry === "string" && ORIGIN.test(entry)) texts.add(entry.toLowerCase());
    else throw notAccepted(entry);
  }
  // `search` keeps no state in the pattern, whatever its flags.
  return (origin) =>
    texts.has(origin.toLowerCase()) || patterns.some((pattern) => origin.search(pattern) !== -1);
}

function notAccepted(value: unknown): OptionsError {
  return new OptionsError(
    "allowedOrigins",
    value,
    'a function, or a list of patterns and origins such as "https://example.com"',
  );
}
