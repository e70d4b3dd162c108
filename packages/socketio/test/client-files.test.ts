import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import {
  createServer,
  type IncomingHttpHeaders,
  request,
  type Server as HttpServer,
} from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { ClientFiles } from "../src/client-files.js";

const SCRIPTS = [
  "socket.io.js",
  "socket.io.min.js",
  "socket.io.msgpack.min.js",
  "socket.io.esm.min.js",
];
const MAPS = SCRIPTS.map((name) => `${name}.map`);

const manifest = createRequire(import.meta.url).resolve("socket.io-client/package.json");
const { version }: { version: string } = JSON.parse(await readFile(manifest, "utf8"));

const decoders: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  deflate: inflateSync,
};

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map(async (cleanup) => cleanup()));
});

async function listen(server: HttpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Serves client files; requests that fall through are answered with 418. */
async function serve(files: ClientFiles): Promise<number> {
  return listen(
    createServer((req, res) => {
      if (!files.handle(req, res)) res.writeHead(418).end();
    }),
  );
}

async function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body } = options;
  const req = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  req.end(body);
  const [res] = await once(req, "response");
  const chunks: Buffer[] = await res.toArray();
  return { status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks) };
}

function decode({ headers, body }: Answer): Buffer {
  return decoders[headers["content-encoding"] ?? ""]?.(body) ?? body;
}

async function installed(name: string): Promise<Buffer> {
  return readFile(join(dirname(manifest), "dist", name));
}

/** What both servers answer alike: version, length and framing of the body differ on purpose. */
function shape({ status, headers }: Answer): unknown {
  const rest = { ...headers, etag: headers.etag?.replace(/^"[\d.]+"$/, "a version in quotes") };
  for (const name of ["date", "vary", "content-length", "transfer-encoding"] as const) {
    delete rest[name];
  }
  return { status, rest };
}

function formattedByTheApplication(): string {
  return "formatted by the application";
}

/** A directory that looks like an installed client package with one script. */
async function fakePackage(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "client-files-"));
  cleanups.push(async () => rm(directory, { recursive: true }));
  await mkdir(join(directory, "dist"));
  await writeFile(join(directory, "package.json"), `{ "version": "1.2.3" }`);
  await writeFile(join(directory, "dist", "socket.io.js"), "one");
  return directory;
}

describe("client files", () => {
  test.each(SCRIPTS)("%s is served as a script", async (name) => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, `/socket.io/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/javascript; charset=utf-8",
      "cache-control": "public, max-age=0",
      etag: `"${version}"`,
      vary: "Accept-Encoding",
    });
    expect(answer.headers).not.toHaveProperty("content-encoding");
    expect(answer.body.equals(await installed(name))).toBe(true);
  });

  test.each(MAPS)("%s is served as JSON", async (name) => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, `/socket.io/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.body.equals(await installed(name))).toBe(true);
  });

  test("the query is no part of the name", async () => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, "/socket.io/socket.io.min.js?v=1?/x");
    expect(answer.status).toBe(200);
  });

  test.each([
    "/socket.io/",
    "/socket.io",
    "/socket.io/?EIO=4&transport=polling",
    "/socket.io/other.js",
    "/socket.io/socket.io.js/",
    "/socket.io/SOCKET.IO.JS",
    "/socket.io/../package.json",
    "/socket.io/%73ocket.io.js",
    "/socket.iosocket.io.js",
    "/socket.io//socket.io.js",
    "/other/socket.io.js",
    "/?/socket.io/socket.io.js",
  ])("%s is left to others", async (path) => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, path);
    expect(answer.status).toBe(418);
  });

  test.each(["", "/a/b"])("the path %j is the prefix of the names", async (path) => {
    const port = await serve(new ClientFiles({ path }));
    expect((await ask(port, `${path}/socket.io.js`)).status).toBe(200);
    expect((await ask(port, "/socket.io/socket.io.js")).status).toBe(418);
  });

  test("has() tells beforehand what handle() answers", async () => {
    const files = new ClientFiles({ path: "/socket.io" });
    const port = await listen(
      createServer((req, res) => {
        res.setHeader("X-Has", String(files.has(req)));
        if (!files.handle(req, res)) res.writeHead(418).end();
      }),
    );
    expect((await ask(port, "/socket.io/socket.io.js")).headers["x-has"]).toBe("true");
    expect((await ask(port, "/socket.io/")).headers["x-has"]).toBe("false");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is answered like GET", async (method) => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, "/socket.io/socket.io.min.js", { method });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(await installed("socket.io.min.js"))).toBe(true);
  });

  test("HEAD gets the headers without the file", async () => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, "/socket.io/socket.io.min.js", { method: "HEAD" });
    const size = (await installed("socket.io.min.js")).length;
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe(String(size));
    expect(answer.body).toHaveLength(0);
  });

  test.each([`"${version}"`, `W/"${version}"`])(
    "a client that knows %s gets 304 with no headers of the file",
    async (etag) => {
      const port = await serve(new ClientFiles({ path: "/socket.io" }));
      const answer = await ask(port, "/socket.io/socket.io.js", {
        headers: { "If-None-Match": etag, "Accept-Encoding": "gzip" },
      });
      expect(answer.status).toBe(304);
      expect(answer.body).toHaveLength(0);
      for (const name of ["etag", "cache-control", "content-type", "content-encoding", "vary"]) {
        expect(answer.headers).not.toHaveProperty(name);
      }
    },
  );

  test.each([version, `"0.0.0"`, "*", `"0.0.0", "${version}"`])(
    "a client that knows %s gets the file",
    async (etag) => {
      const port = await serve(new ClientFiles({ path: "/socket.io" }));
      const answer = await ask(port, "/socket.io/socket.io.min.js", {
        headers: { "If-None-Match": etag },
      });
      expect(answer.status).toBe(200);
    },
  );
});

describe("compression", () => {
  test.each([
    ["br", "br"],
    ["gzip", "gzip"],
    ["deflate", "deflate"],
    ["gzip, deflate, br, zstd", "br"],
    ["deflate, gzip", "gzip"],
    ["GZIP", "gzip"],
    ["*", "br"],
    ["*, br;q=0", "gzip"],
    ["br;q=0.1, gzip;q=0.5, deflate;q=0.2", "gzip"],
    ["br ; q=0.5 , gzip ; q=1.0", "gzip"],
    ["br;q=0, gzip;q=0", undefined],
    ["br;q=high", undefined],
    ["br;q=0.5, identity", undefined],
    ["identity", undefined],
    ["zstd", undefined],
    ["", undefined],
    [",;,;q=1", undefined],
  ])("a client that accepts %j gets %s", async (accepted, coding) => {
    const port = await serve(new ClientFiles({ path: "/socket.io" }));
    const answer = await ask(port, "/socket.io/socket.io.min.js", {
      headers: { "Accept-Encoding": accepted },
    });
    expect(answer.headers["content-encoding"]).toBe(coding);
    expect(answer.headers["content-length"]).toBe(String(answer.body.length));
    expect(decode(answer).equals(await installed("socket.io.min.js"))).toBe(true);
  });

  test("a file is compressed once", async () => {
    const directory = await fakePackage();
    const script = join(directory, "dist", "socket.io.js");
    const port = await serve(new ClientFiles({ path: "/socket.io", directory }));
    const read = async (coding: string): Promise<string> => {
      const headers = { "Accept-Encoding": coding };
      return decode(await ask(port, "/socket.io/socket.io.js", { headers })).toString();
    };
    expect(await Promise.all([read("br"), read("br")])).toEqual(["one", "one"]);
    await writeFile(script, "two");
    expect(await read("br")).toBe("one");
    expect(await read("gzip")).toBe("two");
  });

  test("a Vary header that is already set is kept", async () => {
    const files = new ClientFiles({ path: "/socket.io" });
    const port = await listen(
      createServer((req, res) => {
        res.setHeader("Vary", "Origin");
        files.handle(req, res);
      }),
    );
    const answer = await ask(port, "/socket.io/socket.io.js");
    expect(answer.headers.vary).toBe("Origin, Accept-Encoding");
  });
});

describe("what goes wrong", () => {
  test("a file that is not installed is answered with 404 until it is", async () => {
    const directory = await fakePackage();
    const port = await serve(new ClientFiles({ path: "/socket.io", directory }));
    const headers = { "Accept-Encoding": "gzip" };
    const missing = await ask(port, "/socket.io/socket.io.min.js", { headers });
    expect(missing.status).toBe(404);
    expect(missing.headers).not.toHaveProperty("etag");
    expect(missing.body).toHaveLength(0);
    await writeFile(join(directory, "dist", "socket.io.min.js"), "late");
    const answer = await ask(port, "/socket.io/socket.io.min.js", { headers });
    expect(answer.status).toBe(200);
    expect(decode(answer).toString()).toBe("late");
    expect(answer.headers.etag).toBe(`"1.2.3"`);
  });

  test("a file that cannot be read is answered with 500", async () => {
    const directory = await fakePackage();
    await mkdir(join(directory, "dist", "socket.io.min.js"));
    const port = await serve(new ClientFiles({ path: "/socket.io", directory }));
    expect((await ask(port, "/socket.io/socket.io.min.js")).status).toBe(500);
  });

  test("without the client package its files are answered with 404", async () => {
    const directory = join(await fakePackage(), "nowhere");
    const port = await serve(new ClientFiles({ path: "/socket.io", directory }));
    expect((await ask(port, "/socket.io/socket.io.js")).status).toBe(404);
    expect((await ask(port, "/socket.io/")).status).toBe(418);
  });

  test("a client that goes away before its answer does no harm", async () => {
    const files = new ClientFiles({ path: "/socket.io" });
    const responses: Promise<unknown>[] = [];
    const port = await listen(
      createServer((req, res) => {
        responses.push(once(res, "close"));
        // The connection is lost while the file is being compressed.
        if (req.headers["accept-encoding"] === "br") req.socket.destroy();
        files.handle(req, res);
      }),
    );
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      "GET /socket.io/socket.io.min.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n",
    );
    await once(socket, "close");
    await Promise.all(responses);
    // Waits for the same compressed bytes as the lost request did.
    const answer = await ask(port, "/socket.io/socket.io.min.js", {
      headers: { "Accept-Encoding": "br, gzip" },
    });
    expect(answer.status).toBe(200);
    expect(responses).toHaveLength(2);
  });

  test("an error of the response is not thrown", async () => {
    const files = new ClientFiles({ path: "/socket.io" });
    const port = await listen(
      createServer((req, res) => {
        files.handle(req, res);
        res.emit("error", new Error("the stream broke"));
      }),
    );
    expect((await ask(port, "/socket.io/socket.io.min.js")).status).toBe(200);
  });

  test("a response that somebody else has answered is left alone", async () => {
    const files = new ClientFiles({ path: "/socket.io" });
    const port = await listen(
      createServer((req, res) => {
        files.handle(req, res);
        if (req.url?.endsWith("?taken") === true) res.writeHead(503).end("busy");
      }),
    );
    const taken = await ask(port, "/socket.io/socket.io.min.js?taken");
    expect([taken.status, taken.body.toString()]).toEqual([503, "busy"]);
    expect((await ask(port, "/socket.io/socket.io.min.js")).status).toBe(200);
  });

  test("looking for the package leaves the stack hooks as they were", () => {
    const { stackTraceLimit } = Error;
    const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
    Error.prepareStackTrace = formattedByTheApplication;
    try {
      expect(new ClientFiles({ path: "/socket.io" })).toBeInstanceOf(ClientFiles);
      expect(new Error("x").stack).toBe("formatted by the application");
      expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    } finally {
      if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
      else Object.defineProperty(Error, "prepareStackTrace", before);
    }
  });
});

describe("beside the official server", () => {
  interface OfficialServer {
    close(): Promise<void>;
  }
  const official: {
    Server: new (server: HttpServer, options: { transports: string[] }) => OfficialServer;
  } = createRequire(new URL("../../e2e/package.json", import.meta.url))("socket.io");

  async function both(
    path: string,
    options?: { method?: string; headers?: Record<string, string> },
  ): Promise<[ours: Answer, theirs: Answer]> {
    const ours = await serve(new ClientFiles({ path: "/socket.io" }));
    const server = createServer();
    // Without websocket, so that it does not load the package ws: that has another shape under vitest.
    const io = new official.Server(server, { transports: ["polling"] });
    cleanups.push(async () => io.close());
    const theirs = await listen(server);
    return Promise.all([ask(ours, path, options), ask(theirs, path, options)]);
  }

  test.each([
    ["GET", "socket.io.js", undefined],
    ["GET", "socket.io.min.js.map", undefined],
    ["POST", "socket.io.esm.min.js", undefined],
    ["HEAD", "socket.io.msgpack.min.js", undefined],
    ["GET", "socket.io.min.js", "br"],
    ["GET", "socket.io.min.js", "gzip"],
    ["GET", "socket.io.min.js", "deflate"],
    ["GET", "socket.io.min.js", "identity"],
  ])("%s %s with the codings %s gets the same headers", async (method, name, coding) => {
    const headers: Record<string, string> =
      coding === undefined ? {} : { "Accept-Encoding": coding };
    const [ours, theirs] = await both(`/socket.io/${name}`, { method, headers });
    expect(theirs.status).toBe(200);
    expect(shape(ours)).toEqual(shape(theirs));
    expect(decode(ours).equals(decode(theirs))).toBe(true);
  });

  test("a known version gets the same empty answer", async () => {
    const { version: theirVersion }: { version: string } = createRequire(
      new URL("../../e2e/package.json", import.meta.url),
    )("socket.io/package.json");
    const headers = { "If-None-Match": `W/"${theirVersion}"` };
    const [, theirs] = await both("/socket.io/socket.io.js", { headers });
    const [ours] = await both("/socket.io/socket.io.js", {
      headers: { "If-None-Match": `W/"${version}"` },
    });
    expect(theirs.status).toBe(304);
    expect(shape(ours)).toEqual(shape(theirs));
  });
});
