import type { IncomingMessage } from "node:http";
import { brotliCompress, constants, deflate, gzip, type ZlibOptions } from "node:zlib";
import createAccepts from "accepts";

/** When and how HTTP responses are compressed. */
export interface HttpCompressionOptions extends ZlibOptions {
  /** Bytes from which on a response is compressed. Default 1024. */
  threshold?: number;
}

/** A content coding that we can make. */
export type Coding = "gzip" | "deflate" | "br";

/** In the order in which they are taken when the client has no preference. */
const CODINGS: Coding[] = ["gzip", "deflate", "br"];

/** Payloads are made and read once: the quality that Brotli takes by default is for files. */
const BROTLI_QUALITY = 4;

/** The coding to answer a request in, by its `Accept-Encoding`; `undefined` for none. */
export function negotiateCoding(req: IncomingMessage): Coding | undefined {
  const chosen = createAccepts(req).encodings(CODINGS);
  return CODINGS.find((coding) => coding === chosen);
}

/** Compresses the body of a response. */
export function compress(
  body: string | Buffer,
  coding: Coding,
  options: HttpCompressionOptions,
  done: (error: Error | null, compressed: Buffer) => void,
): void {
  switch (coding) {
    case "gzip":
      gzip(body, options, done);
      break;
    case "deflate":
      deflate(body, options, done);
      break;
    case "br":
      brotliCompress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }, done);
  }
}
