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

/** The heartbeat of one session, of either protocol revision. */
export interface Heartbeat {
  /** Starts, or starts over because the peer gave its sign of life: a pong, or a ping. */
  restart(): void;
  /**
   * Any packet arrived. A pong that is due may be stuck behind what the peer is sending, so it gets
   * its whole time once more; but traffic does not stand in for it (behaviour 57).
   */
  onPacket(): void;
  stop(): void;
}

/** Makes the heartbeat of a session that speaks `protocol`. */
export function createHeartbeat(
  protocol: 3 | 4,
  scheduler: Scheduler,
  options: HeartbeatOptions,
  subject: HeartbeatSubject,
): Heartbeat {
  return protocol === 4
    ? new ServerHeartbeat(scheduler, options, subject)
    : new ClientHeartbeat(scheduler, options, subject);
}

/**
 * The server pings, the client answers (Engine.IO protocol v4, "Heartbeat"; behaviour 57).
 *
 * Only one deadline is ever pending: the next ping, or the answer to the last one. It belongs to
 * the session and not to its transport, so it runs on through an upgrade (behaviour 54).
 */
class ServerHeartbeat extends Deadline implements Heartbeat {
  readonly #scheduler: Scheduler;
  readonly #options: HeartbeatOptions;
  readonly #subject: HeartbeatSubject;
  #phase: "idle" | "pinged" | "pinged and heard" = "idle";

  constructor(scheduler: Scheduler, options: HeartbeatOptions, subject: HeartbeatSubject) {
    super();
    this.#scheduler = scheduler;
    this.#options = options;
    this.#subject = subject;
  }

  restart(): void {
    this.#phase = "idle";
    this.#scheduler.arm(this, this.#options.pingInterval);
  }

  onPacket(): void {
    if (this.#phase !== "pinged") return;
    this.#phase = "pinged and heard";
    this.#scheduler.arm(this, this.#options.pingTimeout);
  }

  stop(): void {
    this.#scheduler.disarm(this);
  }

  override expire(): void {
    if (this.#phase !== "idle") {
      this.#subject.onPingTimeout();
      return;
    }
    this.#ping();
  }

  /**
   * The peer has a clock of its own, which did not stand still: it gives up when no ping has come for
   * `pingInterval` and `pingTimeout`. So a ping that is late leaves at once; and so does another one
   * when the last is so long ago that the next, an interval after its pong, would come too late.
   */
  override onStall(ms: number, isOverdue: boolean): void {
    const isLate = this.#phase === "idle" ? isOverdue : 2 * ms >= this.#options.pingTimeout;
    if (isLate) this.#ping();
  }

  #ping(): void {
    this.#phase = "pinged";
    this.#scheduler.arm(this, this.#options.pingTimeout);
    this.#subject.sendPing();
  }
}

/**
 * The client pings, the server answers: it is enough to wait (Engine.IO protocol v3; behaviour 58).
 */
class ClientHeartbeat extends Deadline implements Heartbeat {
  readonly #scheduler: Scheduler;
  readonly #options: HeartbeatOptions;
  readonly #subject: HeartbeatSubject;

  constructor(scheduler: Scheduler, options: HeartbeatOptions, subject: HeartbeatSubject) {
    super();
    this.#scheduler = scheduler;
    this.#options = options;
    this.#subject = subject;
  }

  restart(): void {
    this.#scheduler.arm(this, this.#options.pingInterval + this.#options.pingTimeout);
  }

  onPacket(): void {
    // Without a ping of our own there is no telling when the next one of the peer is due.
  }

  stop(): void {
    this.#scheduler.disarm(this);
  }

  override expire(): void {
    this.#subject.onPingTimeout();
  }
}
