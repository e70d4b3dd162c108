import { resolveClientManifest } from "#client-package";
import createDebug from "debug";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, deflate, gzip } from "node:zlib";

const debug = createDebug("socket.io:server");

const FILE_NAMES: ReadonlySet<string> = new Set(
  ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"].flatMap(
    (name) => [name, `${name}.map`],
  ),
);

/** Content codings, the preferred one first; it decides between those that a client likes equally. */
const CODINGS = ["br", "gzip", "deflate"] as const;
type Coding = (typeof CODINGS)[number];

const COMPRESS: Readonly<Record<Coding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: promisify<Buffer, Buffer>(brotliCompress),
  gzip: promisify<Buffer, Buffer>(gzip),
  deflate: promisify<Buffer, Buffer>(deflate),
};

interface ClientPackage {
  readonly directory: string;
  readonly version: string;
}

/** What one answer consists of. */
interface Representation {
  readonly file: string;
  readonly etag: string;
  readonly coding: Coding | undefined;
}

/** What {@link ClientFiles} has to know. */
export interface ClientFilesOptions {
  /** Where the files are served, without a trailing slash: `/socket.io`. */
  readonly path: string;
  /**
   * The directory of the package `socket.io-client`.
   *
   * @default where module resolution finds it, from this package
   */
  readonly directory?: string;
}

/**
 * Serves the bundles of the installed `socket.io-client` and their source maps (option
 * `serveClient`). Compressed files are kept in memory: at most eight files in three codings, and
 * what clients without compression asked for.
 */
export class ClientFiles {
  readonly #prefix: string;
  readonly #client: ClientPackage | undefined;
  readonly #bytes = new Map<string, Promise<Buffer>>();

  /** Does not throw if the package is missing; then its files are answered with 404. */
  constructor(options: ClientFilesOptions) {
    this.#prefix = `${options.path}/`;
    this.#client = findClient(options.directory);
  }

  /** Whether `handle()` answers this request: CORS headers have to be set before it does. */
  has(req: IncomingMessage): boolean {
    return this.#fileName(req) !== undefined;
  }

  /**
   * Answers a request for a client file, whatever its method. Returns `false`, with nothing done,
   * for every other request. The answer is 404 if the file is not installed, 500 if it cannot be
   * read.
   */
  handle(req: IncomingMessage, res: ServerResponse): boolean {
    const name = this.#fileName(req);
    if (name === undefined) return false;
    // A client that goes away while its answer is written is no one's problem.
    res.on("error", ignore);
    const client = this.#client;
    if (client === undefined) {
      res.writeHead(404).end();
      return true;
    }
    const etag = `"${client.version}"`;
    const known = req.headers["if-none-match"];
    if (known === etag || known === `W/${etag}`) {
      res.writeHead(304).end();
      return true;
    }
    const coding = negotiate(req.headers["accept-encoding"]);
    void this.#send(res, { file: join(client.directory, "dist", name), etag, coding });
    return true;
  }

  /** Never rejects. */
  async #send(res: ServerResponse, { file, etag, coding }: Representation): Promise<void> {
    try {
      const bytes = await this.#load(file, coding);
      if (!isAnswerable(res)) return;
      setHeaders(res, { file, etag, coding });
      res.writeHead(200, { "Content-Length": bytes.length }).end(bytes);
    } catch (error) {
      debug("cannot serve %s: %s", file, error);
      if (isAnswerable(res)) res.writeHead(isMissing(error) ? 404 : 500).end();
    }
  }

  #fileName(req: IncomingMessage): string | undefined {
    const url = req.url ?? "";
    if (!url.startsWith(this.#prefix)) return undefined;
    const query = url.indexOf("?");
    const name = url.slice(this.#prefix.length, query === -1 ? undefined : query);
    return FILE_NAMES.has(name) ? name : undefined;
  }

  /** Requests that come while a file is being compressed wait for the same bytes. */
  #load(file: string, coding: Coding | undefined): Promise<Buffer> {
    const key = `${coding ?? "identity"} ${file}`;
    const kept = this.#bytes.get(key);
    if (kept !== undefined) return kept;
    const bytes = coding === undefined ? readFile(file) : readFile(file).then(COMPRESS[coding]);
    this.#bytes.set(key, bytes);
    // The next request tries again. Whoever waits for the bytes sees the failure by itself.
    bytes.catch(() => this.#bytes.delete(key));
    return bytes;
  }
}

function ignore(): void {}

/** A response can be finished by others, or lose its connection, while a file is being read. */
function isAnswerable(res: ServerResponse): boolean {
  return !res.headersSent && !res.writableEnded && !res.destroyed;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function setHeaders(res: ServerResponse, { file, etag, coding }: Representation): void {
  const type = file.endsWith(".map") ? "json" : "javascript";
  res.setHeader("Content-Type", `application/${type}; charset=utf-8`);
  res.setHeader("Cache-Control", "public, max-age=0");
  res.setHeader("ETag", etag);
  if (coding !== undefined) res.setHeader("Content-Encoding", coding);
  // CORS may already have said that the answer depends on the origin.
  const vary = res.getHeader("Vary");
  res.setHeader(
    "Vary",
    vary === undefined ? "Accept-Encoding" : `${String(vary)}, Accept-Encoding`,
  );
}

/**
 * The coding that the client likes best; `undefined` if that is none (RFC 9110, section 12.5.3).
 * Unlike there, a header that refuses every coding, "identity" included, is not answered with 406.
 */
function negotiate(header: string | undefined): Coding | undefined {
  if (header === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  let best: Coding | undefined;
  let bestWeight = 0;
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight > bestWeight) {
      best = coding;
      bestWeight = weight;
    }
  }
  return bestWeight < (weights.get("identity") ?? 0) ? undefined : best;
}

function findClient(directory: string | undefined): ClientPackage | undefined {
  try {
    const manifest =
      directory === undefined ? resolveClientManifest() : join(directory, "package.json");
    const { version }: { version?: unknown } = JSON.parse(readFileSync(manifest, "utf8"));
    return { directory: dirname(manifest), version: String(version) };
  } catch (error) {
    debug("the package socket.io-client is not installed: %s", error);
    return undefined;
  }
}
