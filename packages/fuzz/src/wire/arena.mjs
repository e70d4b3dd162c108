// oxlint-disable no-await-in-loop -- one look after the other
import { fork } from "node:child_process";
import { get } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { runCase } from "./attacker.mjs";
import { pathOf } from "./script.mjs";
import { callWitnesses } from "./witness.mjs";

/** @import { Case } from "./steps.js" */

/**
 * What there is in the attacked process, by kind.
 *
 * @typedef {{ heap: number, timers: number, connections: number, [kind: string]: number }} Stats
 */

/**
 * What the attacked process is asked for: numbers, numbers after a collection of the garbage, a line
 * about each open connection, or how often limits were exceeded.
 *
 * @typedef {{ id: number, wanted: "stats" | "heap" | "connections" | "limits" }} Question
 */

/** How often each limit of each server was exceeded. @typedef {Record<string, Record<string, number>>} Exceeded */

/** @typedef {Pick<import("../options.mjs").Options, "patience" | "defect">} ArenaOptions */

/**
 * Something that must not happen.
 *
 * @typedef {object} Failure
 * @property {"crash" | "hang" | "complaint" | "witness" | "handshake" | "leftovers"} kind which oracle has spoken
 * @property {string} detail what it has seen
 */

/** How long a witness or a message may go without an answer, in ms. */
const HANG = 15_000;
/** How long what attackers leave behind may stay, in ms: more than any time of the servers. */
const SETTLE = 20_000;
/** Time between two looks at what is left, in ms. */
const LOOK_INTERVAL = 200;
/** What a server answers that has no place left. */
const IS_FULL = /Service unavailable|Too many requests/;
/** Timers and connections that come and go with the witnesses. */
const TOLERANCE = /** @type {Record<string, number>} */ ({ timers: 6, connections: 6 });

/** The attacked process with the witnesses. */
export class Arena {
  #process;
  #patience;
  /** @type {readonly number[]} */
  #ports = [];
  /** @type {import("./witness.mjs").Witness[]} */
  #witnesses = [];
  /** @type {Stats | undefined} */
  #base;
  /** Tells a server that does not answer from a machine that does not run this process. */
  #delay = monitorEventLoopDelay();
  /** @type {Failure | undefined} */
  #failure;
  #isEnding = false;
  #lastId = 0;
  /** @type {Map<number, (answer: any) => void>} */
  #questions = new Map();
  #errors = "";
  /** Resolves when something must not go on. @type {Promise<void>} */
  #failed;
  /** @type {() => void} */
  #fail = () => {};
  /** The cases that have begun and not ended. @type {Set<Case>} */
  running = new Set();
  /** @type {Set<Promise<void>>} */
  #leaving = new Set();

  /** @param {ArenaOptions} options */
  constructor({ patience, defect }) {
    this.#patience = patience;
    this.#delay.enable();
    this.#process = fork(new URL("server.mjs", import.meta.url), [String(patience), defect], {
      execArgv: ["--expose-gc"],
      silent: true,
      serialization: "advanced",
    });
    this.#failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-4000);
    });
    this.#process.stdout?.resume();
    this.#process.on("exit", (code, signal) => {
      for (const answer of this.#questions.values()) answer(undefined);
      if (!this.#isEnding) this.#report("crash", `ended by ${signal ?? code}\n${this.#errors}`);
    });
  }

  /** Starts a process and its witnesses. @param {ArenaOptions} options */
  static async start(options) {
    const arena = new Arena(options);
    try {
      await arena.#begin();
    } catch (error) {
      await arena.end();
      throw error;
    }
    return arena;
  }

  /** What went wrong first. @returns {Failure | undefined} */
  get failure() {
    const broken = this.#witnesses.find(({ failure }) => failure !== undefined);
    if (broken?.failure !== undefined) {
      const blocked = Math.round(this.#delay.max / 1e6);
      this.#report(
        "witness",
        `${broken.failure} (this process was blocked for ${blocked} ms at most)`,
      );
    }
    const silence =
      performance.now() - Math.min(...this.#witnesses.map(({ lastAnswer }) => lastAnswer));
    if (silence > HANG * this.#patience)
      this.#report("hang", `a witness waits for ${Math.round(silence)} ms`);
    return this.#failure;
  }

  /** How many numbers the witnesses got back. */
  get answers() {
    return this.#witnesses.reduce((sum, { answers }) => sum + answers, 0);
  }

  /**
   * Runs cases side by side; ends early when something went wrong or the time is over.
   *
   * @param {readonly Case[]} cases
   * @param {number} concurrency
   * @param {number} [end] by the clock of `performance`
   * @param {(index: number) => number} [lingerOf] how long each case stays after its last step, in ms
   * @returns {Promise<number>} how many cases have begun
   */
  async run(cases, concurrency, end = Infinity, lingerOf = () => 0) {
    let begun = 0;
    const work = async () => {
      while (this.failure === undefined && performance.now() < end) {
        const attack = cases[begun];
        if (attack === undefined) return;
        const linger = lingerOf(begun);
        begun += 1;
        this.running.add(attack);
        await runCase(attack, this.#ports, this.#leaving, linger);
        this.running.delete(attack);
      }
    };
    await Promise.race([Promise.all(Array.from({ length: concurrency }, work)), this.#failed]);
    return begun;
  }

  /**
   * Waits until nothing is left of the attackers.
   *
   * @returns {Promise<Stats | undefined>} undefined when something went wrong
   */
  async settle() {
    await Promise.race([Promise.all(this.#leaving), this.#failed]);
    await Promise.race([this.#checkHandshakes(), this.#failed]);
    const end = performance.now() + SETTLE * this.#patience;
    for (;;) {
      const stats = await this.#stats();
      if (this.failure !== undefined || stats === undefined) return undefined;
      const leftovers = this.#leftovers(stats);
      if (leftovers === "") return this.#ask("heap");
      if (performance.now() > end) {
        const connections = (await this.#ask("connections")) ?? [];
        const ours = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap");
        this.#report(
          "leftovers",
          [`${leftovers}; ${ours.length} of this process`, ...connections].join("\n"),
        );
        return undefined;
      }
      await pause(LOOK_INTERVAL);
    }
  }

  /** @returns {Promise<Exceeded | undefined>} undefined when something went wrong */
  limits() {
    return this.#ask("limits");
  }

  async end() {
    this.#isEnding = true;
    this.#delay.disable();
    for (const witness of this.#witnesses) witness.leave();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once("exit", resolve));
      this.#process.kill("SIGKILL");
      await gone;
    }
  }

  async #begin() {
    const ports = new Promise((resolve) => {
      this.#process.on("message", (/** @type {any} */ message) => {
        if (message.ports !== undefined) resolve(message.ports);
        else if (message.complaint !== undefined) this.#report("complaint", message.complaint);
        else this.#questions.get(message.id)?.(message.answer);
      });
    });
    this.#ports = (await Promise.race([ports, this.#failed])) ?? [];
    if (this.#failure !== undefined)
      throw new Error(`the servers do not start: ${this.#failure.detail}`);
    const witnesses = await Promise.race([
      callWitnesses(this.#ports),
      pause(HANG * this.#patience, undefined, { ref: false }),
    ]);
    if (witnesses === undefined) {
      this.#report("handshake", "the witnesses cannot connect");
      return;
    }
    this.#witnesses = witnesses;
    await pause(200);
    this.#base = await this.#stats();
  }

  /** @param {Failure["kind"]} kind @param {string} detail */
  #report(kind, detail) {
    this.#failure ??= { kind, detail };
    this.#fail();
  }

  /** @param {Stats} stats */
  #leftovers(stats) {
    return Object.entries(this.#base ?? {})
      .filter(([kind]) => kind !== "heap")
      .filter(([kind, count]) => (stats[kind] ?? 0) > count + (TOLERANCE[kind] ?? 0))
      .map(([kind, count]) => `${stats[kind]} ${kind} (${count} before)`)
      .join(", ");
  }

  /** @returns {Promise<Stats | undefined>} */
  #stats() {
    return this.#ask("stats");
  }

  /**
   * @param {Question["wanted"]} wanted
   * @returns {Promise<any>} undefined when something went wrong
   */
  async #ask(wanted) {
    if (this.#failure !== undefined) return undefined;
    const id = ++this.#lastId;
    const answer = new Promise((resolve) => this.#questions.set(id, resolve));
    this.#process.send({ id, wanted }, () => {});
    const timer = setTimeout(() => {
      this.#report("hang", "the process does not answer");
      this.#questions.get(id)?.(undefined);
    }, HANG * this.#patience);
    const result = await answer;
    clearTimeout(timer);
    this.#questions.delete(id);
    return result;
  }

  /** Whoever comes now must be served, at the latest when the places of the attackers are free again. */
  async #checkHandshakes() {
    const end = performance.now() + SETTLE * this.#patience;
    for (const [index, port] of this.#ports.entries()) {
      const url = `http://127.0.0.1:${port}${pathOf(index)}?EIO=4&transport=polling`;
      let body = await fetchText(url, HANG * this.#patience);
      while (IS_FULL.test(body) && performance.now() < end) {
        await pause(LOOK_INTERVAL);
        body = await fetchText(url, HANG * this.#patience);
      }
      if (!body.startsWith('0{"sid":"'))
        this.#report("handshake", `server ${index} answers ${body}`);
    }
  }
}

/** @param {string} url @param {number} timeout */
async function fetchText(url, timeout) {
  /** @type {Promise<string>} */
  const body = new Promise((resolve) => {
    const request = get(url, { agent: false, timeout }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
      response.on("error", (error) => resolve(error.message));
    });
    request.on("timeout", () => request.destroy(new Error("nothing in time")));
    request.on("error", (error) => resolve(error.message));
  });
  return body;
}
