import { fork } from "node:child_process";
import { once } from "node:events";

/** A child process that answers calls, and sends messages of its own. */
export class Child {
  #process;
  #lastId = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #calls = new Map();

  /**
   * @param {URL} file
   * @param {{ execArgv?: string[], onMessage: (message: any) => void }} options
   */
  constructor(file, { execArgv = [], onMessage }) {
    this.#process = fork(file, { execArgv, serialization: "advanced" });
    this.#process.on("message", (/** @type {any} */ message) => {
      if (message.id === undefined) onMessage(message);
      else this.#settle(message);
    });
    this.#process.on("exit", (code, signal) => {
      for (const { reject } of this.#calls.values()) {
        reject(new Error(`${file.pathname} ended: ${signal ?? code}`));
      }
      this.#calls.clear();
    });
  }

  /**
   * Calls a function of the child. Rejects when it fails, takes too long, or the process ends.
   *
   * @param {string} method
   * @param {unknown} [argument]
   * @param {number} [timeout] how long it may take, in ms
   * @returns {Promise<any>}
   */
  async call(method, argument, timeout = 30_000) {
    const id = ++this.#lastId;
    const result = new Promise((resolve, reject) => {
      if (this.#hasExited()) throw new Error(`${method}: the process has ended`);
      this.#calls.set(id, { resolve, reject });
      this.#process.send({ id, method, argument });
    });
    const error = `${method}: no answer within ${timeout} ms`;
    const timer = setTimeout(() => this.#settle({ id, error }), timeout);
    try {
      return await result;
    } finally {
      clearTimeout(timer);
    }
  }

  #hasExited() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async end() {
    if (this.#hasExited()) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }

  /** @param {{ id: number, result?: unknown, error?: string }} message */
  #settle({ id, result, error }) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  }
}

/**
 * Makes functions of this process callable by its parent.
 *
 * @param {Record<string, (argument: any) => unknown>} methods
 */
export function serveCalls(methods) {
  // The parent may have been killed.
  process.once("disconnect", () => process.exit());
  process.on("message", async (/** @type {any} */ { id, method, argument }) => {
    try {
      process.send?.({ id, result: await methods[method]?.(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
    }
  });
}
