import type { IncomingMessage } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  compress,
  negotiateCoding,
  type Coding,
  type HttpCompressionOptions,
} from "../../src/transports/compression.js";

test.each<[string | undefined, Coding | undefined]>([
  ["gzip, deflate, br", "gzip"],
  ["br, deflate, gzip", "br"],
  ["deflate, br", "deflate"],
  ["br", "br"],
  ["gzip;q=0.5, br;q=0.9", "br"],
  ["gzip;q=0, deflate", "deflate"],
  ["*", "gzip"],
  ["identity", undefined],
  ["zstd", undefined],
  ["", undefined],
  [undefined, undefined],
])("to Accept-Encoding %s the answer is in %s (40)", (accepted, coding) => {
  const headers = accepted === undefined ? {} : { "accept-encoding": accepted };
  // One cast: nothing but the headers is looked at.
  expect(negotiateCoding({ headers } as unknown as IncomingMessage)).toBe(coding);
});

function compressed(body: string | Buffer, coding: Coding, options: HttpCompressionOptions = {}) {
  return new Promise<Buffer>((resolve, reject) => {
    compress(body, coding, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

test.each<[Coding, (data: Buffer) => Buffer]>([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
])("%s gives back text and bytes, in less space (40)", async (coding, decompress) => {
  const text = "é".repeat(2000);
  const result = await compressed(text, coding);
  expect(decompress(result).toString()).toBe(text);
  expect(result.length).toBeLessThan(400);
  const bytes = Buffer.from([0, 255, 1, 254]);
  expect(decompress(await compressed(bytes, coding))).toEqual(bytes);
});

test("the options of zlib reach gzip and deflate", async () => {
  const text = "abc".repeat(1000);
  for (const coding of ["gzip", "deflate"] as const) {
    // Level 0 stores, so nothing gets smaller.
    expect((await compressed(text, coding, { level: 0 })).length).toBeGreaterThan(text.length);
  }
});

test("what cannot be compressed is an error of the callback", async () => {
  const failure = await compressed("a".repeat(2000), "gzip", { maxOutputLength: 1 }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Error);
});
