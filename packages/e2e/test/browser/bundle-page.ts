import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Page } from "playwright-core";
import type { Certificate } from "../engine-clients/certificate.js";
import { onCleanup } from "../support/cleanup.js";
import { closeHttp, listenOn } from "../support/subject.js";

/** A value that crosses the border to the page: bytes are `{ hex }`, in the page of any class. */
export type Value =
  | string
  | number
  | readonly Value[]
  | { readonly hex: string; readonly as?: string }
  | { readonly [key: string]: Value };

/** What a page has of a client. */
export interface Connected {
  readonly id: string;
  readonly transport: string;
}

// The page has no script of its own: `load` fetches the bundle, from where the test says.
const PAGE = `<!doctype html>
<title>Socket.IO client</title>
<body>
<script>
  const heard = [];
  let client;
  async function load(url, isModule) {
    if (isModule) {
      globalThis.io = (await import(url)).io;
      return;
    }
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.crossOrigin = "use-credentials";
      script.onload = resolve;
      script.onerror = () => reject(new Error("the script does not load"));
      script.src = url;
      document.body.append(script);
    });
  }
  function connect(url, options) {
    client = io(url, { forceNew: true, reconnection: false, ...options });
    client.on("news", (...args) => heard.push(describe(args)));
    client.on("echo", (value, answer) => {
      heard.push(describe(value));
      answer(value);
    });
    const upgraded = new Promise((resolve) => client.io.engine.once("upgrade", resolve));
    return new Promise((resolve, reject) => {
      client.on("connect_error", (error) => reject(new Error(error.message)));
      client.on("connect", async () => {
        if (options.transports.length > 1) await upgraded;
        resolve({ id: client.id, transport: client.io.engine.transport.name });
      });
    });
  }
  function ask(event, args) {
    return new Promise((resolve) =>
      client.emit(event, ...args.map(revive), (...values) => resolve(describe(values))),
    );
  }
  const AS = {
    Uint8Array: (bytes) => bytes,
    ArrayBuffer: (bytes) => bytes.buffer,
    Blob: (bytes) => new Blob([bytes]),
    File: (bytes) => new File([bytes], "name"),
  };
  const mapValues = (value, change) =>
    Array.isArray(value)
      ? value.map(change)
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part)]));
  function revive(value) {
    if (typeof value !== "object") return value;
    if (typeof value.hex !== "string") return mapValues(value, revive);
    return AS[value.as](Uint8Array.from(value.hex.match(/../g), (byte) => parseInt(byte, 16)));
  }
  function describe(value) {
    if (typeof value !== "object") return value;
    const isView = ArrayBuffer.isView(value);
    if (!isView && !(value instanceof ArrayBuffer)) return mapValues(value, describe);
    const bytes = isView
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
    return { hex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
</script>
`;

/** An empty page that loads a bundle, and a client in it, from another origin than its own. */
export class BundlePage {
  /** Of the page: `http://127.0.0.1:40000`. */
  readonly origin: string;
  readonly #tab: Page;

  /**
   * Serves a page of an origin of its own, and opens it where no cookies are left. It is left after
   * the test. With a certificate, it is a page of https, and of another site than 127.0.0.1.
   */
  static async open(tab: Page, certificate?: Certificate): Promise<BundlePage> {
    const serve: RequestListener = (_req, res) => {
      res.setHeader("content-type", "text/html; charset=utf-8").end(PAGE);
    };
    const host =
      certificate === undefined ? createServer(serve) : createSecureServer(certificate, serve);
    const port = await listenOn(host, 0);
    onCleanup(() => {
      host.closeAllConnections();
      return closeHttp(host);
    });
    onCleanup(() => tab.goto("about:blank"));
    await tab.context().clearCookies();
    const origin =
      certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
    // Not "/": vitest looks for the paths in an error's stack among the files, and cannot read that.
    await tab.goto(`${origin}/page`);
    return new BundlePage(tab, origin);
  }

  private constructor(tab: Page, origin: string) {
    this.#tab = tab;
    this.origin = origin;
  }

  /** Loads a bundle, as a module or as a script; rejects when the browser does not let it. */
  async load(url: string, { isModule = false } = {}): Promise<void> {
    await this.#call("load", url, isModule);
  }

  /**
   * Makes a client with credentials. Resolves when it is in its namespace, and on WebSocket if it
   * is to upgrade; rejects when it cannot connect.
   */
  async connect(url: string, transports: readonly string[]): Promise<Connected> {
    const options = { transports, withCredentials: true };
    return (await this.#call("connect", url, options)) as Connected;
  }

  /** Lets the client emit; resolves with the values of the acknowledgement. */
  async ask(event: string, ...args: readonly Value[]): Promise<unknown> {
    return this.#call("ask", event, args);
  }

  /** Everything that the client has received, in order. */
  async heard(): Promise<unknown> {
    return this.#tab.evaluate("heard");
  }

  /** The cookies that the scripts of the page can read. */
  async cookies(): Promise<unknown> {
    return this.#tab.evaluate("document.cookie");
  }

  /** Gets a file of another origin, with credentials. */
  async fetchText(url: string): Promise<string> {
    const request = `fetch(${JSON.stringify(url)}, { credentials: "include" })`;
    return this.#tab.evaluate<string>(`${request}.then((answer) => answer.text())`);
  }

  /** Opens the page again, without the bundle. */
  async reload(): Promise<void> {
    await this.#tab.reload();
  }

  #call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#tab.evaluate(`${name}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`);
  }
}
