import type { Timer } from "../timers.js";
import { ClusterError } from "./cluster-error.js";
import type { Timers } from "./cluster-host.js";
import type { MessageType, ServerId } from "./cluster-messages.js";
import type { AckFunction } from "./contract.js";

/** How many servers have to answer, or which, where they are known. */
export type ExpectedServers = number | readonly ServerId[];

/** What a request is made of. */
export interface PendingRequestInit {
  readonly type: MessageType;
  readonly clock: Timers;
  /** Milliseconds to wait for the answers. */
  readonly timeout: number;
  /** Where the answers are added. */
  readonly responses: unknown[];
  /** Called once. With an error, the responses are those that came before it. */
  onDone(error: Error | null, responses: unknown[]): void;
}

/** Waits for the answers of the other servers: until all are there, or the time is over. */
export class PendingRequest {
  readonly type: MessageType;
  readonly responses: unknown[];
  /** The number of servers that have answered. */
  current = 0;
  readonly #init: PendingRequestInit;
  readonly #timer: Timer;
  readonly #answered = new Set<ServerId>();
  #expected: number | undefined;
  #missing: Set<ServerId> | undefined;
  #isDone = false;

  constructor(init: PendingRequestInit) {
    this.#init = init;
    this.type = init.type;
    this.responses = init.responses;
    this.#timer = init.clock.setTimeout(() => this.abort("ERR_CLUSTER_TIMEOUT"), init.timeout);
  }

  /** Says whose answers are needed. Before that the request cannot be complete. */
  expect(servers: ExpectedServers): void {
    if (typeof servers === "number") this.#expected = servers;
    else this.#missing = new Set(servers);
    this.#check();
  }

  /** Whether everything is over. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** A server has answered. Of two answers of one server, the first counts. */
  answer(uid: ServerId | undefined, responses: readonly unknown[]): void {
    if (uid !== undefined) {
      if (this.#answered.has(uid)) return;
      this.#answered.add(uid);
      this.#missing?.delete(uid);
    }
    this.current += 1;
    for (const response of responses) this.responses.push(response);
    this.#check();
  }

  /** A server is gone, so its answer is not waited for. */
  giveUp(uid: ServerId): void {
    if (this.#missing?.delete(uid) === true) this.#check();
  }

  /** Ends without the answers that are missing. */
  abort(code: keyof typeof CAUSES): void {
    const error = new ClusterError(code, `${CAUSES[code]}: ${this.#describeMissing()}`);
    error.responses = this.responses;
    this.finish(error);
  }

  /** Ends. */
  finish(error: Error | null): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#timer.cancel();
    this.#init.onDone(error, this.responses);
  }

  #check(): void {
    const isComplete =
      this.#missing === undefined
        ? this.#expected !== undefined && this.current >= this.#expected
        : this.#missing.size === 0;
    if (isComplete) this.finish(null);
  }

  #describeMissing(): string {
    if (this.#missing !== undefined) return `missing ${this.#missing.size} responses`;
    const { current } = this;
    return this.#expected === undefined
      ? "the number of servers is not known"
      : `only ${current} responses received out of ${this.#expected}`;
  }
}

/** The texts of the package `socket.io-adapter`, where it has one. */
const CAUSES = {
  ERR_CLUSTER_TIMEOUT: "timeout reached",
  ERR_CLUSTER_CLOSED: "the adapter was closed",
} as const;

/** A broadcast whose acknowledgements come from clients of other servers, too. */
export interface PendingAcks {
  /** Called once per server. */
  readonly clientCountCallback: (count: number) => void;
  /** Called once per client. */
  readonly ack: AckFunction;
  /** The servers that have said how many clients they have. */
  readonly counted: Set<ServerId>;
  /** Nobody knows when the last client has answered; this ends it. */
  readonly timer: Timer;
}
