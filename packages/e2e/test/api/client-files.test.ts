// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// Section 1.2: the files of the client that a server serves.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { request } from "node:http";
import { expect, test } from "vitest";
import { fix, startServer } from "../support/subject.js";

const require = createRequire(import.meta.url);
const NAMES = [
  "socket.io.js",
  "socket.io.min.js",
  "socket.io.msgpack.min.js",
  "socket.io.esm.min.js",
];

const { version } = JSON.parse(
  readFileSync(require.resolve("socket.io-client/package.json"), "utf8"),
) as { version: string };

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks for a path; `fetch` would decode the body and add headers of its own. */
function ask(
  port: number,
  path: string,
  { method = "GET", ...headers }: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status, headers: received } = response;
        resolve({ status, headers: received, body: Buffer.concat(chunks) });
      });
    })
      .on("error", reject)
      .end();
  });
}

test.each(NAMES)("%s and its map are served under the path (V1, V2)", async (name) => {
  const { port } = await startServer({ path: "/own" });
  const script = await ask(port, `/own/${name}`);
  expect(script).toMatchObject({
    status: 200,
    headers: {
      "content-type": "application/javascript; charset=utf-8",
      "cache-control": "public, max-age=0",
      etag: `"${version}"`,
    },
  });
  expect(script.body.includes("Socket.IO")).toBe(true);
  const map = await ask(port, `/own/${name}.map`);
  expect(map).toMatchObject({
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8", etag: `"${version}"` },
  });
  expect(JSON.parse(map.body.toString())).toMatchObject({ version: 3 });
});

test.each([`"${version}"`, `W/"${version}"`])("who knows %s gets 304 (V3)", async (known) => {
  const { port } = await startServer();
  const answer = await ask(port, "/socket.io/socket.io.js", { "If-None-Match": known });
  expect([answer.status, answer.body.length]).toEqual([304, 0]);
  expect([answer.headers["etag"], answer.headers["cache-control"]]).toEqual([undefined, undefined]);
});

test("another version, a list and * do not count as known (V3)", async () => {
  const { port } = await startServer();
  for (const known of ['"1.0.0"', `"1", "${version}"`, "*"]) {
    const answer = await ask(port, "/socket.io/socket.io.js", { "If-None-Match": known });
    expect([known, answer.status]).toEqual([known, 200]);
  }
});

test.each([
  ["br", "br", brotliDecompressSync],
  ["gzip, deflate", "gzip", gunzipSync],
  ["deflate", "deflate", inflateSync],
] as const)("a client that accepts %s gets %s (V4)", async (accepted, coding, decode) => {
  const { port } = await startServer();
  const plain = await ask(port, "/socket.io/socket.io.min.js");
  const coded = await ask(port, "/socket.io/socket.io.min.js", { "Accept-Encoding": accepted });
  expect([plain.headers["content-encoding"], coded.headers["content-encoding"]]).toEqual([
    undefined,
    coding,
  ]);
  expect(decode(coded.body).equals(plain.body)).toBe(true);
});

fix("a client that accepts all codings gets the smallest file (V4)", async () => {
  const { port } = await startServer();
  const { headers } = await ask(port, "/socket.io/socket.io.min.js", {
    "Accept-Encoding": "gzip, deflate, br",
  });
  expect(headers).toMatchObject({
    "content-encoding": "br",
    vary: "Accept-Encoding",
    "content-length": expect.any(String) as unknown,
  });
});

test("any method is served, HEAD without the file (V5)", async () => {
  const { port } = await startServer();
  const posted = await ask(port, "/socket.io/socket.io.min.js", { method: "POST" });
  expect([posted.status, posted.body.length > 0]).toEqual([200, true]);
  const head = await ask(port, "/socket.io/socket.io.min.js", { method: "HEAD" });
  expect([head.status, head.body.length]).toEqual([200, 0]);
});

test("the query does not count, and an unknown file is a bad handshake (V6)", async () => {
  const { port } = await startServer();
  expect((await ask(port, "/socket.io/socket.io.js?v=1")).status).toBe(200);
  const unknown = await ask(port, "/socket.io/unknown.js");
  expect([unknown.status, JSON.parse(unknown.body.toString())]).toEqual([
    400,
    { code: 0, message: "Transport unknown" },
  ]);
});

test("the option cors is for the files, too (V7)", async () => {
  const { port } = await startServer({ cors: { origin: "http://a.example", credentials: true } });
  const { headers } = await ask(port, "/socket.io/socket.io.js", { Origin: "http://a.example" });
  expect(headers).toMatchObject({
    "access-control-allow-origin": "http://a.example",
    "access-control-allow-credentials": "true",
  });
});

test("without serveClient there are no files (O2)", async () => {
  const { port } = await startServer({ serveClient: false });
  expect((await ask(port, "/socket.io/socket.io.js")).status).toBe(400);
});
