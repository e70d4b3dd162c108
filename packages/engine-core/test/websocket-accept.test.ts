import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { acceptOf } from "../src/websocket-accept.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

test("the example of RFC 6455, section 1.3", () => {
  expect(acceptOf("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("it is the SHA-1 of the key and the constant, whatever came before", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const key = Buffer.from(bytes).toString("base64");
      const expected = createHash("sha1")
        .update(key + GUID)
        .digest("base64");
      expect(acceptOf(key)).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});
