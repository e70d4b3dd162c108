// Cookies of a server on another site than the page's, which browsers only take and send back over
// https, and only with `SameSite=None; Secure`.
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import type { ServerOptions, Socket } from "socket.io";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../engine-clients/certificate.js";
import { launchProfile, LAUNCH_TIMEOUT_MS } from "../support/chromium.js";
import { onCleanup } from "../support/cleanup.js";
import { listenOn, SubjectServer } from "../support/subject.js";
import { first } from "../support/wait.js";
import { BundlePage } from "./bundle-page.js";

const CERTIFICATE = makeCertificate("server");

let profile: string;
let browser: BrowserContext;
let tab: Page;

beforeAll(async () => {
  profile = await mkdtemp(join(tmpdir(), "chromium-"));
  browser = await launchProfile(profile);
  tab = await browser.newPage();
}, LAUNCH_TIMEOUT_MS);

afterAll(async () => {
  await browser?.close();
  await rm(profile, { recursive: true, force: true });
});

/** A page of https://localhost, and a server at https://127.0.0.1: the sites differ. */
async function startSites(options: Partial<ServerOptions>) {
  const page = await BundlePage.open(tab, CERTIFICATE);
  const httpServer = createServer(CERTIFICATE);
  const cors = { origin: page.origin, credentials: true };
  const io = new SubjectServer(httpServer, { cors, ...options });
  onCleanup(() => {
    httpServer.closeAllConnections();
    return io.close();
  });
  const url = `https://127.0.0.1:${await listenOn(httpServer, 0)}`;
  await page.load(`${url}/socket.io/socket.io.js`);
  return { page, io, httpServer, url };
}

type Sites = Awaited<ReturnType<typeof startSites>>;

/** What the server has seen of the requests of a page. */
interface Seen {
  /** The id of the session. */
  readonly sid: string;
  /** The cookies of its requests, but for the handshake. */
  readonly cookies: readonly (string | undefined)[];
  /** How the site of the page is related to that of the server, as the browser has it. */
  readonly relations: readonly unknown[];
}

/** Connects the page, and lets it send and receive. */
async function visit(
  { page, io, httpServer, url }: Sites,
  transports: readonly string[],
): Promise<Seen> {
  const cookies = new Set<string | undefined>();
  const relations = new Set<unknown>();
  const note = (req: IncomingMessage): void => {
    // Not every browser says it of a WebSocket.
    relations.add(req.headers["sec-fetch-site"] ?? "cross-site");
    if (req.url?.includes("&sid=")) cookies.add(req.headers.cookie);
  };
  httpServer.on("request", note).on("upgrade", note);
  io.once("connection", (socket) => {
    socket.on("say", (text: string, answer: (text: string) => void) => answer(text));
  });
  const connection = first<Socket>(io, "connection");
  await page.connect(url, transports);
  const { conn } = await connection;
  expect(await page.ask("say", "hello")).toEqual(["hello"]);
  return {
    sid: (conn as unknown as { id: string }).id,
    cookies: [...cookies],
    relations: [...relations],
  };
}

const TRANSPORTS = { polling: ["polling"], upgrade: ["polling", "websocket"] } as const;

test.each(Object.entries(TRANSPORTS))(
  "with SameSite=None and Secure, the cookie of the session comes back to another site: %s (23)",
  async (_name, transports) => {
    const sites = await startSites({ cookie: { name: "io", sameSite: "none", secure: true } });
    const { sid, cookies, relations } = await visit(sites, transports);
    expect(relations).toEqual(["cross-site"]);
    expect(cookies).toEqual([`io=${sid}`]);
    // Its host is not that of the page, and it is HttpOnly besides.
    expect(await sites.page.cookies()).toBe("");
    // Whoever comes back has it from the beginning.
    const handshake = first<Socket>(sites.io, "connection");
    await sites.page.connect(sites.url, ["websocket"]);
    expect((await handshake).handshake.headers.cookie).toBe(`io=${sid}`);
  },
);

test.each<[name: string, options: Partial<ServerOptions>]>([
  ["by default", { cookie: { name: "io" } }],
  ["with SameSite=None, but not Secure", { cookie: { name: "io", sameSite: "none" } }],
  ["with SameSite=Lax", { cookie: { name: "io", sameSite: "lax", secure: true } }],
])("%s, the browser does not take the cookie of another site", async (_name, options) => {
  const sites = await startSites(options);
  const { cookies, relations } = await visit(sites, TRANSPORTS.polling);
  expect(relations).toEqual(["cross-site"]);
  expect(cookies).toEqual([undefined]);
});
