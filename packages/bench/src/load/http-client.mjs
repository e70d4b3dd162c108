import { connect } from "node:net";

/** One kept-alive HTTP connection that asks one thing after the other. */
export class HttpClient {
  #socket;
  #input = "";
  /** @type {{ resolve(body: string): void, reject(error: Error): void } | undefined} */
  #waiting;

  /** @param {number} port */
  constructor(port) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true }).setEncoding("latin1");
    this.#socket.on("data", (/** @type {string} */ chunk) => this.#read(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("a connection was closed")));
  }

  /**
   * Sends a request as it stands.
   *
   * @param {string} request
   * @returns {Promise<string>} the body; rejects unless the status is 200
   */
  request(request) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request, "latin1");
    });
  }

  /** @param {string} chunk */
  #read(chunk) {
    this.#input += chunk;
    const end = this.#input.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#input.slice(0, end);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) {
      return this.#waiting?.reject(new Error(`unexpected response: ${this.#input}`));
    }
    const bodyEnd = end + 4 + Number(length);
    if (this.#input.length < bodyEnd) return;
    const body = this.#input.slice(end + 4, bodyEnd);
    this.#input = this.#input.slice(bodyEnd);
    this.#waiting?.resolve(body);
  }
}
