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

/** The query of a request, parsed once. Of a repeated key, all values are kept in an array. */
export function queryOf(req: EngineRequest): ParsedUrlQuery {
  if (req._query === undefined) {
    const url = req.url ?? "";
    const start = url.indexOf("?");
    req._query = start === -1 ? {} : parse(url.slice(start + 1));
  }
  return req._query;
}
