import type { IncomingMessage } from "node:http";
import { parse, type ParsedUrlQuery } from "node:querystring";

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
  const start = url.indexOf("?");
  if (start === -1) return {};
  const query = { ...parse(url.slice(start + 1)) };
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) query[key] = value.at(-1);
  }
  return query;
}
