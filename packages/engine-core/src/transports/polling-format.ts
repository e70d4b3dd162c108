import { parse } from "node:querystring";
import type { RawData } from "../codec.js";

/** How payloads stand in the bodies of requests and responses. */
export interface PollingFormat {
  /**
   * The payload in the body of a POST; `undefined` when there is none.
   *
   * @param isBinary whether the client says that the body is bytes (protocol 3 alone)
   */
  decodeBody(body: Buffer, isBinary: boolean): RawData | undefined;
  /** The body of a response. */
  encodeBody(payload: RawData): RawData;
}

/** The body is the payload. */
export const plainFormat: PollingFormat = {
  decodeBody: (body, isBinary) => (isBinary ? body : body.toString()),
  encodeBody: (payload) => payload,
};

/**
 * JSONP, for pages that can only load scripts (behaviours 45 to 48): a response is a script that
 * calls the page's function number `index` with the payload, a request is a form with a field `d`.
 *
 * @param index the query parameter `j`; what is no digit is dropped, for it ends up in the script
 */
export function jsonpFormat(index: string): PollingFormat {
  const call = `___eio[${index.replace(/[^0-9]/g, "")}]`;
  return {
    decodeBody(body) {
      const { d } = parse(body.toString());
      return typeof d === "string" ? unescapeNewlines(d) : undefined;
    },
    encodeBody: (payload) => `${call}(${scriptString(payload.toString())});`,
  };
}

/**
 * Browsers change the newlines of forms, so clients send each as a backslash and an `n`, and those
 * two characters, where they mean themselves, with one more backslash.
 */
function unescapeNewlines(text: string): string {
  return text.replace(/\\?\\n/g, (escaped) => (escaped.length === 2 ? "\n" : "\\n"));
}

/** A JavaScript string literal; JSON allows two line terminators in strings that scripts may not. */
function scriptString(text: string): string {
  return JSON.stringify(text)
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}
