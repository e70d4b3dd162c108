// oxlint-disable no-await-in-loop -- one round trip after the other
import { expectAnswer } from "./driver.mjs";
import { HttpClient } from "./http-client.mjs";
import { requestPath } from "./websocket-client.mjs";

/** @import { Driver, Job } from "./driver.mjs" */
/** @import { Target } from "./websocket-client.mjs" */

/**
 * Each client holds a GET open, POSTs one request and waits for both responses: one round trip.
 *
 * @implements {Driver}
 */
export class Polling {
  #job;
  /** @type {PollingClient[]} */
  #clients = [];

  /** @param {Job} job */
  constructor(job) {
    this.#job = job;
  }

  async prepare() {
    const { bench, target } = this.#job;
    const request = bench.request.join("\x1e");
    for (let count = 0; count < bench.sockets; count++) {
      const client = new PollingClient(target, request);
      await client.open();
      this.#clients.push(client);
    }
    expectAnswer((await this.#clients[0]?.roundTrip()) ?? [], bench.answer);
  }

  /** @param {number} seconds */
  async work(seconds) {
    const end = performance.now() + seconds * 1000;
    let trips = 0;
    const loop = async (/** @type {PollingClient} */ client) => {
      for (; performance.now() < end; trips++) await client.roundTrip();
    };
    await Promise.all(this.#clients.map(loop));
    return trips;
  }

  async rest() {
    return false;
  }
}

/** A polling client as browsers are: one connection for the GETs, one for the POSTs. */
class PollingClient {
  #target;
  #request;
  #gets;
  #posts;
  #path;
  /** @type {string[]} */
  #pongs = [];

  /**
   * @param {Target} target
   * @param {string} request the payload of every POST
   */
  constructor(target, request) {
    this.#target = target;
    this.#request = request;
    this.#path = requestPath(target.protocol, "polling");
    this.#gets = new HttpClient(target.port);
    this.#posts = new HttpClient(target.port);
  }

  async open() {
    const opened = JSON.parse((await this.#get()).slice(1));
    this.#path += `&sid=${opened.sid}`;
    if (this.#target.protocol === "engine.io") return;
    await this.#post("40");
    const joined = await this.#get();
    if (!joined.startsWith("40{")) throw new Error(`the namespace answered ${joined}`);
  }

  /**
   * @returns {Promise<string[]>} the messages that came back
   */
  async roundTrip() {
    const polled = this.#poll();
    await this.#post([...this.#pongs.splice(0), this.#request].join("\x1e"));
    return polled;
  }

  /** Polls until there is a message; a ping is answered together with the next request. */
  async #poll() {
    for (;;) {
      const packets = (await this.#get()).split("\x1e");
      if (packets.includes("2")) this.#pongs.push("3");
      const messages = packets.filter((packet) => packet.startsWith("4"));
      if (messages.length > 0) return messages;
    }
  }

  #get() {
    return this.#gets.request(`GET ${this.#path} HTTP/1.1\r\n${headers(this.#target.port)}\r\n`);
  }

  /** @param {string} payload ASCII only */
  async #post(payload) {
    const answer = await this.#posts.request(
      `POST ${this.#path} HTTP/1.1\r\n${headers(this.#target.port)}` +
        "Content-Type: text/plain;charset=UTF-8\r\n" +
        `Content-Length: ${payload.length}\r\n\r\n${payload}`,
    );
    if (answer !== "ok") throw new Error(`a POST was answered ${answer}`);
  }
}

/**
 * The headers of a browser, because a server reads them all.
 *
 * @param {number} port
 */
function headers(port) {
  return (
    `Host: 127.0.0.1:${port}\r\nConnection: keep-alive\r\nAccept: */*\r\n` +
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0\r\n" +
    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n"
  );
}
