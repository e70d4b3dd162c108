import { fork } from "node:child_process";

/** A child process of ours that is called by message and always ends. */
export class Child {
  #process;
  #name;
  #lastId = 0;
  /** @type {Map<number, { resolve(value: any): void, reject(error: Error): void }>} */
  #calls = new Map();
  #exited;
  #errors = "";

  /**
   * @param {URL} file
   * @param {string[]} [nodeOptions]
   */
  constructor(file, nodeOptions = []) {
    this.#name = file.pathname.split("/").slice(-2).join("/");
    this.#process = fork(file, { execArgv: nodeOptions, serialization: "advanced", silent: true });
    this.#process.stderr?.setEncoding("utf8").on("data", (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-2000);
    });
    this.#process.stdout?.resume();
    this.#process.on("message", (/** @type {any} */ message) => this.#settle(message));
    this.#process.on("error", (error) => this.#fail(error.message));
    /** @type {Promise<void>} */
    this.#exited = new Promise((resolve) => {
      this.#process.on("close", (code, signal) => {
        this.#fail(`ended (${signal ?? code}) ${firstError(this.#errors)}`);
        resolve();
      });
    });
  }

  /**
   * Calls a method of the child.
   *
   * @param {string} method
   * @param {unknown} [argument]
   * @param {number} [timeout] ms, default 60000
   * @returns {Promise<any>} rejects when the method failed, the process ended or the time is over
   */
  async call(method, argument, timeout = 60_000) {
    const id = ++this.#lastId;
    const result = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    const timer = setTimeout(
      () => this.#settle({ id, error: `${method}: no answer in ${timeout} ms` }),
      timeout,
    );
    try {
      this.#process.send({ id, method, argument }, (error) => {
        if (error) this.#settle({ id, error: error.message });
      });
      return await result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process at once; resolves when it is gone. */
  async end() {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** @param {{ id: number, result?: unknown, error?: string }} message */
  #settle({ id, result, error }) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`${this.#name}: ${error}`));
  }

  /** @param {string} error */
  #fail(error) {
    for (const id of this.#calls.keys()) this.#settle({ id, error });
  }
}

/**
 * @param {string} printed what a process left on stderr
 * @returns {string} the line that says why, as far as one can tell
 */
function firstError(printed) {
  return printed.split("\n").find((line) => line.includes("Error")) ?? printed.trim();
}
