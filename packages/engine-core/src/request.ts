import type { IncomingMessage } from "node:http";
import { parse, type ParsedUrlQuery } from "node:querystring";
import { parsePlainQuery } from "./plain-query.js";

/** A request whose query may be parsed already: hosts in front of the engine set `_query` (E13). */
export interface EngineRequest extends IncomingMessage {
  _query?: ParsedUrlQuery;
}

/** Whether a host in front of the engine has parsed the query. */
export function hasQuery(req: EngineRequest): boolean {
  return req._query !== undefined;
}

/** The query of a request, parsed once. Of a repeated key, the last value counts. */
export function queryOf(req: EngineRequest): ParsedUrlQuery {
  req._query ??= parseQuery(req.url ?? "");
  return req._query;
}

function parseQuery(url: string): ParsedUrlQuery {
  const start = url.indexOf("?") + 1;
  if (start === 0) return {};
  return parsePlainQuery(url, start) ?? parseAnyQuery(url.slice(start));
}

function parseAnyQuery(text: string): ParsedUrlQuery {
  const query = { ...parse(text) };
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) query[key] = value.at(-1);
  }
  return query;
}
