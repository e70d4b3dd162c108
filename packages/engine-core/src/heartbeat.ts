import { Deadline, type Scheduler } from "./timer-wheel.js";

/** The times of a heartbeat. */
export interface HeartbeatOptions {
  /** Delay between a pong and the next ping, in ms. */
  readonly pingInterval: number;
  /** How long the peer may take to answer a ping, in ms. */
  readonly pingTimeout: number;
}

/** What a heartbeat asks of the session that it watches. */
export interface HeartbeatSubject {
  sendPing(): void;
  onPingTimeout(): void;
}

/**
 * The heartbeat of one session (Engine.IO protocol v4, "Heartbeat"; behaviour 57).
 *
 * Only one deadline is ever pending: the next ping, or the answer to the last one. It belongs to
 * the session and not to its transport, so it runs on through an upgrade (behaviour 54).
 */
export class Heartbeat extends Deadline {
  readonly #scheduler: Scheduler;
  readonly #options: HeartbeatOptions;
  readonly #subject: HeartbeatSubject;
  #awaitsPong = false;

  constructor(scheduler: Scheduler, options: HeartbeatOptions, subject: HeartbeatSubject) {
    super();
    this.#scheduler = scheduler;
    this.#options = options;
    this.#subject = subject;
  }

  /** Starts, or starts over because a pong arrived. */
  restart(): void {
    this.#awaitsPong = false;
    this.#scheduler.arm(this, this.#options.pingInterval);
  }

  stop(): void {
    this.#scheduler.disarm(this);
  }

  override expire(): void {
    if (this.#awaitsPong) {
      this.#subject.onPingTimeout();
      return;
    }
    this.#awaitsPong = true;
    this.#scheduler.arm(this, this.#options.pingTimeout);
    this.#subject.sendPing();
  }
}
