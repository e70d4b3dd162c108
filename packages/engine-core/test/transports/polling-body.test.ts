import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readBody, type BodyResult } from "../../src/transports/polling-body.js";

/** A request whose body a test sends piece by piece, and what was read of it. */
function reading(limit: number, contentLength?: number) {
  const stream = new PassThrough();
  const headers = contentLength === undefined ? {} : { "content-length": String(contentLength) };
  const results: BodyResult[] = [];
  // One cast: of a request, only its headers and its stream are read.
  const req = Object.assign(stream, { headers }) as unknown as IncomingMessage;
  const settled = new Promise<BodyResult>((resolve) => {
    readBody(req, limit, (result) => {
      results.push(result);
      resolve(result);
    });
  });
  const closed = new Promise((resolve) => stream.on("close", resolve));
  return { stream, results, settled, closed };
}

const body = (text: string): BodyResult => ({ type: "body", data: Buffer.from(text) });

test("a body is put together from its chunks", async () => {
  const { stream, settled } = reading(100);
  for (const chunk of ["4a", "bc", "é"]) stream.write(chunk);
  stream.end();
  expect(await settled).toEqual(body("4abcé"));
});

test("a request without a body has an empty one", async () => {
  const { stream, settled } = reading(100);
  stream.end();
  expect(await settled).toEqual(body(""));
});

test.each([
  ["one chunk", ["0123456789"]],
  ["several chunks", ["01234", "56789"]],
])("a body of exactly the limit is read, in %s (35)", async (_name, chunks) => {
  const { stream, settled } = reading(10, 10);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  expect(await settled).toEqual(body("0123456789"));
});

test("the limit counts bytes, not characters (35)", async () => {
  const { stream, settled } = reading(5);
  stream.end("ééé");
  expect(await settled).toEqual({ type: "too large" });
});

test("an announced length above the limit is refused before the first byte (35)", async () => {
  const { stream, settled } = reading(10, 11);
  expect(await settled).toEqual({ type: "too large" });
  // What comes all the same is discarded, or the connection could serve no other request.
  stream.end("0123456789a");
  await new Promise((resolve) => stream.on("end", resolve));
});

test("a body that grows beyond the limit is refused once, and the rest discarded (35)", async () => {
  const { stream, results, settled, closed } = reading(10);
  stream.write("01234567");
  stream.write("89abc");
  expect(await settled).toEqual({ type: "too large" });
  stream.end("def");
  await closed;
  expect(results).toEqual([{ type: "too large" }]);
});

test.each([
  ["closes", undefined],
  ["fails", new Error("reset")],
])("a connection that %s before the end aborts the body, once (36)", async (_name, error) => {
  const { stream, results, settled, closed } = reading(10);
  stream.write("0123");
  stream.destroy(error);
  expect(await settled).toEqual({ type: "aborted" });
  await closed;
  expect(results).toHaveLength(1);
});

test("the close after a complete body says nothing more", async () => {
  const { stream, results, settled, closed } = reading(10);
  stream.end("0123");
  await settled;
  await closed;
  expect(results).toEqual([body("0123")]);
});
