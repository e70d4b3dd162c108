// oxlint-disable vitest/no-standalone-expect -- fix() is a test block
// The bundles that a server serves, in a browser, in pages of another origin than the server's.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Browser, Page } from "playwright-core";
import type { ServerOptions, Socket } from "socket.io";
import * as msgpack from "socket.io-msgpack-parser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, LAUNCH_TIMEOUT_MS } from "../support/chromium.js";
import { fix, type RunningServer, startServer } from "../support/subject.js";
import { first, rejection, until } from "../support/wait.js";
import { BundlePage } from "./bundle-page.js";

interface Bundle {
  readonly file: string;
  readonly isModule?: true;
  readonly options?: Partial<ServerOptions>;
  /** The classes of bytes that it can send. */
  readonly classes: readonly [string, ...string[]];
}

const CLASSES = ["ArrayBuffer", "Uint8Array", "Blob", "File"] as const;

const BUNDLES: readonly Bundle[] = [
  { file: "socket.io.js", classes: CLASSES },
  { file: "socket.io.min.js", classes: CLASSES },
  { file: "socket.io.esm.min.js", isModule: true, classes: CLASSES },
  { file: "socket.io.msgpack.min.js", options: { parser: msgpack }, classes: ["ArrayBuffer"] },
];

const TRANSPORTS = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
} as const;

const CELLS = BUNDLES.flatMap((bundle) =>
  Object.entries(TRANSPORTS).map(([transport, transports]) => ({
    ...bundle,
    transport,
    transports,
    name: `${bundle.file}, ${transport}`,
  })),
);

const PLAIN = BUNDLES[0] as Bundle;
const SMALL = Buffer.from([0, 1, 2, 127, 128, 254, 255]);
const LARGE = Buffer.alloc(70_000, SMALL);

interface Bytes {
  readonly hex: string;
}

/** The value with `{ hex }` in place of bytes, as the page describes them. */
function describeBytes(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { hex: value.toString("hex") };
  if (Array.isArray(value)) return value.map((part) => describeBytes(part));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, describeBytes(part)]));
}

let browser: Browser;
// A new tab is a new process, and costs more than most of the tests.
let tab: Page;

beforeAll(async () => {
  browser = await launchChromium();
  tab = await browser.newPage();
}, LAUNCH_TIMEOUT_MS);

afterAll(async () => {
  await browser.close();
});

const urlOf = ({ port }: RunningServer): string => `http://127.0.0.1:${port}`;

/** Starts a server that lets in the page of one origin, with its cookies. */
function startFor(
  { origin }: BundlePage,
  options: Parameters<typeof startServer>[0] = {},
): Promise<RunningServer> {
  return startServer({ cors: { origin, credentials: true }, ...options });
}

function load(page: BundlePage, server: RunningServer, bundle: Bundle): Promise<void> {
  const isModule = bundle.isModule === true;
  return page.load(`${urlOf(server)}/socket.io/${bundle.file}`, { isModule });
}

/** Connects the page; resolves with the server's socket, which is on the transport asked for. */
async function join(
  page: BundlePage,
  server: RunningServer,
  transports: readonly string[],
): Promise<Socket> {
  const connection = first<Socket>(server.io, "connection");
  const connected = await page.connect(urlOf(server), transports);
  const socket = await connection;
  expect(connected).toEqual({ id: socket.id, transport: transports.at(-1) });
  await until(() => socket.conn.transport.name === connected.transport);
  return socket;
}

describe.each(CELLS)("$name", (cell) => {
  test("a page of another origin connects, and brings back the cookies of the application", async () => {
    const page = await BundlePage.open(tab);
    const server = await startFor(page, cell.options);
    let visits = 0;
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      visits += 1;
      headers["set-cookie"] = `visit=${visits}; HttpOnly`;
    });
    await load(page, server, cell);
    const { handshake } = await join(page, server, cell.transports);
    expect([handshake.headers.origin, handshake.headers.cookie]).toEqual([page.origin, undefined]);
    const again = await join(page, server, cell.transports);
    expect(again.handshake.headers.cookie).toBe("visit=1");
  });

  test("events, acknowledgements and bytes go both ways", async () => {
    const page = await BundlePage.open(tab);
    const server = await startFor(page, cell.options);
    await load(page, server, cell);
    const socket = await join(page, server, cell.transports);

    const seen: unknown[] = [];
    socket.on("say", (...args: unknown[]) => {
      const answer = args.pop() as (...values: unknown[]) => void;
      seen.push(describeBytes(args));
      answer(...args);
    });
    const texts = ["é\u{1f600}", 1.5, { a: [1, "two"] }];
    expect(await page.ask("say", ...texts)).toEqual(texts);
    const [bytes, large] = [SMALL, LARGE].map((each) => describeBytes(each)) as [Bytes, Bytes];
    const sent = cell.classes.map((as) => ({ ...bytes, as }));
    const arrived = ["bytes", ...sent.map(() => bytes), { deep: [large] }];
    expect(
      await page.ask("say", "bytes", ...sent, { deep: [{ ...large, as: cell.classes[0] }] }),
    ).toEqual(arrived);
    expect(seen).toEqual([texts, arrived]);

    socket.emit("news", "for one", SMALL);
    server.io.emit("news", "for all", { deep: [SMALL] });
    const echo: unknown = await socket.emitWithAck("echo", {
      text: texts[0],
      deep: [SMALL, LARGE],
    });
    const echoed = { text: texts[0], deep: [bytes, large] };
    expect(describeBytes(echo)).toEqual(echoed);
    expect(await page.heard()).toEqual([
      ["for one", bytes],
      ["for all", { deep: [bytes] }],
      echoed,
    ]);
  });
});

describe.each(CELLS.filter(({ transport }) => transport !== "websocket"))("$name", (cell) => {
  test("the server sees the cookie of the session again, the page does not (23)", async () => {
    const page = await BundlePage.open(tab);
    const server = await startFor(page, { ...cell.options, cookie: { name: "io", path: "/" } });
    const cookies: (string | undefined)[] = [];
    const note = ({ headers, url = "" }: IncomingMessage): void => {
      if (url.includes("&sid=")) cookies.push(headers.cookie);
    };
    server.httpServer.on("request", note).on("upgrade", note);
    await load(page, server, cell);
    const { conn } = await join(page, server, cell.transports);
    expect(new Set(cookies)).toEqual(new Set([`io=${(conn as unknown as { id: string }).id}`]));
    // Its host is that of the server: only HttpOnly keeps the cookie from its scripts.
    expect(await page.cookies()).toBe("");
  });
});

describe.each(BUNDLES)("$file", (bundle) => {
  test("its source map is served beside it (V1)", async () => {
    const page = await BundlePage.open(tab);
    const server = await startFor(page);
    const url = `${urlOf(server)}/socket.io/${bundle.file}`;
    const [, map = ""] = /^\/\/# sourceMappingURL=(\S+)$/m.exec(await page.fetchText(url)) ?? [];
    expect(map).toBe(`${bundle.file}.map`);
    const { version, sources, mappings } = JSON.parse(
      await page.fetchText(new URL(map, url).href),
    ) as { version: number; sources: string[]; mappings: string };
    expect([version, sources.length > 0, mappings.length > 0]).toEqual([3, true, true]);
  });

  test("comes compressed, and the second time as what the browser has already (V3, V4)", async () => {
    const page = await BundlePage.open(tab);
    const server = await startFor(page);
    const answers: unknown[] = [];
    server.httpServer.on("request", (_req: IncomingMessage, res: ServerResponse) => {
      res.on("finish", () => answers.push([res.statusCode, res.getHeader("content-encoding")]));
    });
    await load(page, server, bundle);
    await page.reload();
    await load(page, server, bundle);
    await until(() => answers.length === 2);
    expect(answers).toEqual([
      [200, expect.stringMatching(/^(?:br|gzip)$/)],
      [304, undefined],
    ]);
  });
});

describe("a page of an origin that is not allowed", () => {
  const FRIEND = "http://friend.example";

  /** Such a page with a client, and the server that does not allow it. */
  async function strangers(
    options: object = {},
  ): Promise<{ page: BundlePage; server: RunningServer }> {
    const page = await BundlePage.open(tab);
    const server = await startServer({ cors: { origin: FRIEND, credentials: true }, ...options });
    // From elsewhere: the server does not let it have the file, either.
    await load(page, await startFor(page), PLAIN);
    return { page, server };
  }

  test("cannot load the bundle (V7)", async () => {
    const { page, server } = await strangers();
    expect((await rejection(load(page, server, PLAIN))).message).toContain("does not load");
  });

  test("cannot poll", async () => {
    const { page, server } = await strangers();
    const refused = await rejection(page.connect(urlOf(server), TRANSPORTS.polling));
    expect(refused.message).toContain("xhr poll error");
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  test("can open a WebSocket, which cors does not protect (17)", async () => {
    const { page, server } = await strangers();
    await join(page, server, TRANSPORTS.websocket);
    expect(server.io.sockets.sockets.size).toBe(1);
  });

  fix("can do neither with allowedOrigins, and opens no session (136)", async () => {
    const { page, server } = await strangers({ allowedOrigins: [FRIEND] });
    const opened: unknown[] = [];
    server.io.engine.on("connection", (session: unknown) => opened.push(session));
    const refusal = once(server.io.engine, "connection_error");
    const polling = await rejection(page.connect(urlOf(server), TRANSPORTS.polling));
    expect(polling.message).toContain("xhr poll error");
    expect((await refusal)[0]).toMatchObject({ code: 4, context: { origin: page.origin } });
    const websocket = await rejection(page.connect(urlOf(server), TRANSPORTS.websocket));
    expect(websocket.message).toContain("websocket error");
    expect(opened).toEqual([]);
  });
});
