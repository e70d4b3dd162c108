import type { Clock, Timer } from "./clock.js";

/**
 * Something with at most one pending deadline. It is its own entry in the wheel, a node of a doubly
 * linked list, so that arming and disarming allocate nothing.
 */
export abstract class Deadline {
  #previous: Deadline | undefined;
  #next: Deadline | undefined;
  #rounds = 0;

  /** The deadline has passed. It may be armed again from here. */
  abstract expire(): void;

  /**
   * The event loop was blocked, and the wheel stood still for so long. May arm or disarm.
   *
   * @param _isOverdue whether the deadline would have passed, had the wheel not stood still
   */
  onStall(_ms: number, _isOverdue: boolean): void {}

  /** Whether a wheel holds this deadline. */
  get isPending(): boolean {
    return this.#previous !== undefined;
  }

  /** Makes `head` the empty list. Only for the wheel. */
  static makeList(head: Deadline): void {
    head.#previous = head;
    head.#next = head;
  }

  /** Appends `deadline` to the list of `head`. Only for the wheel. */
  static append(head: Deadline, deadline: Deadline, rounds: number): void {
    const last = head.#previous ?? head;
    deadline.#previous = last;
    deadline.#next = head;
    deadline.#rounds = rounds;
    last.#next = deadline;
    head.#previous = deadline;
  }

  /** Takes `deadline` out of the list it is in. Only for the wheel. */
  static remove(deadline: Deadline): void {
    const previous = deadline.#previous;
    const next = deadline.#next;
    if (previous === undefined || next === undefined) return;
    previous.#next = next;
    next.#previous = previous;
    deadline.#previous = undefined;
    deadline.#next = undefined;
  }

  /** The first deadline of the list of `head`. Only for the wheel. */
  static first(head: Deadline): Deadline | undefined {
    return head.#next === head ? undefined : head.#next;
  }

  /** Moves what is due in this round from the list of `head` to the list of `due`. */
  static moveDue(head: Deadline, due: Deadline): void {
    let deadline = Deadline.first(head);
    while (deadline !== undefined && deadline !== head) {
      const next: Deadline | undefined = deadline.#next;
      if (deadline.#rounds > 0) deadline.#rounds -= 1;
      else {
        Deadline.remove(deadline);
        Deadline.append(due, deadline, 0);
      }
      deadline = next;
    }
  }

  /** Visits the list of `head`, with the rounds that each deadline has to wait. Only for the wheel. */
  static forEach(head: Deadline, visit: (deadline: Deadline, rounds: number) => void): void {
    for (let one = Deadline.first(head); one !== undefined && one !== head; one = one.#next) {
      visit(one, one.#rounds);
    }
  }
}

class ListHead extends Deadline {
  constructor() {
    super();
    Deadline.makeList(this);
  }

  override expire(): void {
    throw new Error("the head of a list never expires");
  }
}

class OneShot extends Deadline implements Timer {
  readonly #wheel: TimerWheel;
  readonly #target: { expire(): void };

  constructor(wheel: TimerWheel, target: { expire(): void }) {
    super();
    this.#wheel = wheel;
    this.#target = target;
  }

  override expire(): void {
    this.#target.expire();
  }

  cancel(): void {
    this.#wheel.disarm(this);
  }
}

/** Many coarse deadlines behind one running timer. */
export interface Scheduler {
  /** Expires `deadline` between `ms` and `ms` plus two ticks from now, not at its former time. */
  arm(deadline: Deadline, ms: number): void;
  disarm(deadline: Deadline): void;
  /** Expires `target` once, as `arm` does. */
  after(ms: number, target: { expire(): void }): Timer;
}

/** How the wheel is cut. */
export interface TimerWheelInit {
  /** Milliseconds per tick. Default 100. */
  readonly tickMs?: number;
  /** Ticks per round. Default 512. */
  readonly slotCount?: number;
}

/** When the timer comes later than this many ticks, the event loop was blocked. */
const STALL_TICKS = 10;

/**
 * A hashed timer wheel: one list of deadlines per tick, one running timer.
 *
 * Its time stands still while the event loop is blocked for more than ten ticks: what a peer sent
 * meanwhile has not been read yet, so its deadline must not pass before it could be. Deadlines by
 * which something has to be done for the peer are told (`onStall`), and may hurry.
 */
export class TimerWheel implements Scheduler {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: readonly Deadline[];
  readonly #due: Deadline = new ListHead();
  #cursor = 0;
  /** The clock's time at which tick number `#cursor` was due. */
  #cursorTime = 0;
  #size = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, { tickMs = 100, slotCount = 512 }: TimerWheelInit = {}) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slotCount }, () => new ListHead());
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#size;
  }

  arm(deadline: Deadline, ms: number): void {
    this.disarm(deadline);
    if (this.#timer === undefined) {
      this.#cursorTime = this.#clock.now();
      this.#timer = this.#clock.setTimeout(this.#onTimer, this.#tickMs);
    }
    // Measured from the last tick, the current one is already running out.
    const sinceTick = this.#clock.now() - this.#cursorTime;
    const ticks = Math.max(1, Math.ceil((ms + sinceTick) / this.#tickMs));
    Deadline.append(
      this.#slotAt(this.#cursor + ticks),
      deadline,
      Math.floor((ticks - 1) / this.#slots.length),
    );
    this.#size += 1;
  }

  disarm(deadline: Deadline): void {
    if (!deadline.isPending) return;
    Deadline.remove(deadline);
    this.#size -= 1;
  }

  after(ms: number, target: { expire(): void }): Timer {
    const timer = new OneShot(this, target);
    this.arm(timer, ms);
    return timer;
  }

  // One function per wheel, made once: the clock calls it without a receiver.
  readonly #onTimer = (): void => {
    const late = Math.floor((this.#clock.now() - this.#cursorTime) / this.#tickMs);
    try {
      if (late > STALL_TICKS) this.#standStill(late - 1);
      for (let ticks = late > STALL_TICKS ? 1 : late; ticks > 0; ticks -= 1) this.#tick();
    } finally {
      // Whatever a deadline throws, the others must not wait for ever.
      this.#timer = this.#size > 0 ? this.#startTimer() : undefined;
    }
  };

  /** Moves the time, and not what is due in it. */
  #standStill(ticks: number): void {
    const ms = ticks * this.#tickMs;
    this.#cursorTime += ms;
    const stalled: { readonly deadline: Deadline; readonly isOverdue: boolean }[] = [];
    for (let tick = 1; tick <= this.#slots.length; tick += 1) {
      Deadline.forEach(this.#slotAt(this.#cursor + tick), (deadline, rounds) => {
        stalled.push({ deadline, isOverdue: tick + rounds * this.#slots.length <= ticks });
      });
    }
    for (const { deadline, isOverdue } of stalled) {
      // One of those before may have disarmed it.
      if (deadline.isPending) deadline.onStall(ms, isOverdue);
    }
  }

  #startTimer(): Timer {
    const ms = this.#cursorTime + this.#tickMs - this.#clock.now();
    return this.#clock.setTimeout(this.#onTimer, Math.max(1, ms));
  }

  #tick(): void {
    this.#cursor += 1;
    this.#cursorTime += this.#tickMs;
    Deadline.moveDue(this.#slotAt(this.#cursor), this.#due);
    // One by one from the list: expiring one deadline may disarm the others.
    for (
      let deadline = Deadline.first(this.#due);
      deadline !== undefined;
      deadline = Deadline.first(this.#due)
    ) {
      this.disarm(deadline);
      deadline.expire();
    }
  }

  #slotAt(tick: number): Deadline {
    const slot = this.#slots[tick % this.#slots.length];
    if (slot === undefined) throw new RangeError(`no slot for tick ${tick}`);
    return slot;
  }
}
