import { createSecureServer } from "node:http2";
import type { Socket as Session } from "engine.io";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fix } from "../engine-wire/subject.js";
import { launchChromium, LAUNCH_TIMEOUT_MS } from "../support/chromium.js";
import { range } from "../support/range.js";
import { type RunningEngine, startEngine } from "../support/subject.js";
import { first, until } from "../support/wait.js";
import { makeCertificate } from "./certificate.js";
import { VERSIONS } from "./clients.js";
import { host } from "./hosts.js";
import { ClientPage, type Item } from "./page.js";

interface Cell {
  readonly name: string;
  readonly client: string;
  readonly protocol: 3 | 4;
  readonly transport: "polling-jsonp" | "polling-xhr" | "websocket" | "upgrade";
}

/** The clients of version 6 have no JSONP any more. */
const CELLS: Cell[] = VERSIONS.flatMap((client) =>
  (["polling-jsonp", "polling-xhr", "websocket", "upgrade"] as const)
    .filter((transport) => transport !== "polling-jsonp" || client < "6")
    .map((transport) => ({
      name: `engine.io-client ${client}, ${transport}`,
      client,
      protocol: client >= "4" ? (4 as const) : (3 as const),
      transport,
    })),
);

let browser: Browser;
// A new tab is a new process, and costs more than most of the tests.
let tab: Page;

beforeAll(async () => {
  browser = await launchChromium();
  tab = await browser.newPage({ ignoreHTTPSErrors: true });
}, LAUNCH_TIMEOUT_MS);

afterAll(async () => {
  await browser?.close();
});

function start(options: object = {}): Promise<RunningEngine> {
  return startEngine({
    allowEIO3: true,
    cors: { origin: true, credentials: true },
    ...options,
  });
}

interface Pair {
  readonly page: ClientPage;
  readonly session: Session;
}

/** Opens a page and connects its client over the transport of the cell. */
async function pair({ engine, port }: RunningEngine, cell: Cell): Promise<Pair> {
  const page = await ClientPage.open(tab, cell.client);
  const connection = first<Session>(engine, "connection");
  const isPolling = cell.transport.startsWith("polling");
  await page.connect(`http://127.0.0.1:${port}`, {
    transports:
      cell.transport === "upgrade"
        ? ["polling", "websocket"]
        : [isPolling ? "polling" : "websocket"],
    forceJSONP: cell.transport === "polling-jsonp",
    // The default of old clients; newer ones would leave cookies out.
    withCredentials: true,
  });
  const session = await connection;
  if (cell.transport === "upgrade") {
    await page.when('state.transport === "websocket"');
    await until(() => session.upgraded);
  }
  return { page, session };
}

function collectItems(session: Session): Item[] {
  const items: Item[] = [];
  session.on("data", (data?: string | Buffer) => {
    // An empty message has no data for the official server.
    if (data === undefined || typeof data === "string") items.push(data ?? "");
    else items.push({ hex: data.toString("hex") });
  });
  return items;
}

/** Sends the items both ways at once; resolves when all have arrived. */
async function exchange(
  { page, session }: Pair,
  items: readonly Item[],
): Promise<{ onClient: Item[]; onServer: Item[] }> {
  const onServer = collectItems(session);
  const isDone = until(() => onServer.includes("settled"));
  for (const item of items) {
    session.send(typeof item === "string" ? item : Buffer.from(item.hex, "hex"));
  }
  session.send("settled");
  await page.send([...items, "settled"]);
  const { got } = await page.when("state.settled");
  await isDone;
  await page.forget();
  return { onClient: got, onServer: onServer.filter((item) => item !== "settled") };
}

const TEXTS = [
  "text",
  "",
  "\u{1f600} \u{10ffff}",
  "line\u2028paragraph\u2029",
  "é\u007f\u0080\u00ff€",
  "line\nline\n\nline",
  "back\\slash \\\\ \\\\\\",
  "\\n and \\\\n",
  "\"'</script><!--",
  "a=b&c+d%20e;f",
  "x".repeat(100_000),
];

const BINARIES = [range(256), [], [4], [0x36], range(100_000)].map((bytes) => ({
  hex: Buffer.from(bytes).toString("hex"),
}));

const MIXTURE: Item[] = range(300).map((value) =>
  value % 3 === 0 ? { hex: Buffer.from([value & 0xff, 0xff, 0]).toString("hex") } : String(value),
);

/** Version 1 encodes polling payloads of text to UTF-8 twice (behaviour 141). */
function textsOf({ client, transport }: Cell): string[] {
  return client.startsWith("1.") && transport.startsWith("polling")
    ? TEXTS.filter((text) => /^\p{ASCII}*$/u.test(text))
    : TEXTS;
}

describe.each(CELLS)("$name, in a page", (cell) => {
  test("messages of every kind arrive in order in both directions", async () => {
    const both = await pair(await start(), cell);
    expect(both.session.protocol).toBe(cell.protocol);
    const texts = textsOf(cell);
    expect(await exchange(both, texts)).toEqual({ onClient: texts, onServer: texts });
    const items = [...BINARIES, ...MIXTURE];
    expect(await exchange(both, items)).toEqual({ onClient: items, onServer: items });
  });

  test("heartbeats go round for as long as the connection lives", async () => {
    const both = await pair(await start({ pingInterval: 30, pingTimeout: 5000 }), cell);
    // What the client receives: pings in protocol 4, pongs in protocol 3.
    const state = await both.page.when("state.ping >= 3 || state.pong >= 3");
    expect([state.closed, both.session.readyState]).toEqual([undefined, "open"]);
  });

  test("both sides hear why the other one closes", async () => {
    const server = await start();
    const leaving = await pair(server, cell);
    const left = first(leaving.session, "close");
    await leaving.page.close();
    expect(await left).toBe("transport close");
    const dropped = await pair(server, cell);
    dropped.session.send("last");
    dropped.session.close();
    expect(await dropped.page.when("false")).toMatchObject({
      closed: "transport close",
      got: ["last"],
    });
    await until(() => server.engine.clientsCount === 0);
  });
});

describe("a page over HTTP/2", () => {
  test(
    "polls in HTTP/2, compressed, and sends what it has to say (139)",
    fix("the session ends with the first one", async () => {
      const { engine, port } = await host(
        createSecureServer({ ...makeCertificate("server"), allowHTTP1: true }),
        { cors: { origin: true, credentials: true }, transports: ["polling"] },
      );
      const page = await ClientPage.open(tab, "6.6.8");
      const connection = first<Session>(engine, "connection");
      await page.connect(`https://127.0.0.1:${port}`, { withCredentials: true });
      const session = await connection;
      expect(session.request.httpVersion).toBe("2.0");
      expect(await exchange({ page, session }, TEXTS)).toEqual({
        onClient: TEXTS,
        onServer: TEXTS,
      });
      expect(await exchange({ page, session }, MIXTURE)).toEqual({
        onClient: MIXTURE,
        onServer: MIXTURE,
      });
      expect(session.readyState).toBe("open");
    }),
  );

  test("upgrades from HTTP/2 to a WebSocket of HTTP/1", async () => {
    const { engine, port } = await host(
      createSecureServer({ ...makeCertificate("server"), allowHTTP1: true }),
      { cors: { origin: true, credentials: true } },
    );
    const page = await ClientPage.open(tab, "6.6.8");
    const connection = first<Session>(engine, "connection");
    await page.connect(`https://127.0.0.1:${port}`, {
      withCredentials: true,
      transports: ["polling", "websocket"],
    });
    const session = await connection;
    expect(session.request.httpVersion).toBe("2.0");
    await page.when('state.transport === "websocket"');
    await until(() => session.upgraded);
    expect(await exchange({ page, session }, TEXTS)).toEqual({ onClient: TEXTS, onServer: TEXTS });
  });
});
