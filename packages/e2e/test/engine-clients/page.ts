import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { onCleanup } from "../support/cleanup.js";
import { closeHttp, listenOn } from "../support/subject.js";
import { folderOf } from "./clients.js";

/** The client's file for browsers. */
function bundleOf(client: string): Promise<Buffer> {
  return readFile(join(folderOf(client), client >= "4" ? "dist/engine.io.js" : "engine.io.js"));
}

// What it receives is collected as JSON-able values: text as it is, bytes as `{ hex }`.
const PAGE = `<!doctype html>
<title>Engine.IO client</title>
<script src="/client.js"></script>
<body>
<script>
  const state = { got: [], settled: false, open: false };
  let client;
  function start(url, options) {
    client = typeof eio === "function" ? eio(url, options) : new eio.Socket(url, options);
    client.binaryType = "arraybuffer";
    client.on("message", (data) => {
      if (data === "settled") state.settled = true;
      else if (typeof data === "object") state.got.push({ hex: toHex(new Uint8Array(data)) });
      else state.got.push(data === undefined ? "" : data);
    });
    client.on("open", () => (state.open = true));
    client.on("close", (reason) => (state.closed = reason));
    client.on("error", (error) => (state.error = String(error.description || error)));
    client.on("upgrade", (transport) => (state.transport = transport.name));
    client.on("packet", ({ type }) => (state[type] = (state[type] || 0) + 1));
  }
  function send(items) {
    for (const item of items) client.send(typeof item === "string" ? item : fromHex(item.hex));
  }
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromHex = (hex) => Uint8Array.from(hex.match(/../g) || [], (byte) => parseInt(byte, 16)).buffer;
</script>
`;

/** Something to send from or to a page. */
export type Item = string | { readonly hex: string };

/** What has come of the client in the page. */
export interface PageState {
  readonly got: Item[];
  readonly closed?: string;
  readonly error?: string;
}

/** A page with an Engine.IO client in it, of another origin than the server that it connects to. */
export class ClientPage {
  readonly #page: Page;

  /** Serves the page and opens it in the tab, which it leaves after the test. */
  static async open(tab: Page, client: string): Promise<ClientPage> {
    const bundle = await bundleOf(client);
    const host = createServer((req, res) => {
      const isClient = req.url === "/client.js";
      res.setHeader("content-type", isClient ? "text/javascript" : "text/html; charset=utf-8");
      res.end(isClient ? bundle : PAGE);
    });
    const port = await listenOn(host, 0);
    onCleanup(() => {
      host.closeAllConnections();
      return closeHttp(host);
    });
    // Before the servers close, which wait for the connections of the page.
    onCleanup(() => tab.goto("about:blank"));
    // Not "/": vitest looks for the paths in an error's stack among the files, and cannot read that.
    await tab.goto(`http://127.0.0.1:${port}/page`);
    return new ClientPage(tab);
  }

  private constructor(page: Page) {
    this.#page = page;
  }

  /** Makes the page's client; resolves when it is open. */
  async connect(url: string, options: object): Promise<void> {
    await this.#page.evaluate(`start(${JSON.stringify(url)}, ${JSON.stringify(options)})`);
    await this.when("state.open");
  }

  /** Lets the client send all of these in one go. */
  async send(items: readonly Item[]): Promise<void> {
    await this.#page.evaluate(`send(${JSON.stringify(items)})`);
  }

  /** Forgets what the client has received. */
  async forget(): Promise<void> {
    await this.#page.evaluate("void ((state.got = []), (state.settled = false))");
  }

  /** Lets the client close. */
  async close(): Promise<void> {
    await this.#page.evaluate("void client.close()");
  }

  /**
   * Resolves with the state of the client once `condition`, an expression over `state`, is true, or
   * the client has closed or failed.
   */
  async when(condition: string): Promise<PageState> {
    const state = await this.#page.waitForFunction(
      `(${condition} || state.closed || state.error) && state`,
    );
    return (await state.jsonValue()) as PageState;
  }
}
