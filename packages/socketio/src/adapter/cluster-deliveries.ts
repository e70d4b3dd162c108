import type { Timer } from "../timers.js";
import type { ClusterHost } from "./cluster-host.js";
import type { Offset } from "./cluster-messages.js";

/** Milliseconds that a broker has to say which offset a packet has. */
const OFFSET_TIMEOUT = 5000;
/** How many deliveries may wait for a broker that does not answer. */
const MAX_WAITING = 10_000;

interface Waiting {
  isReady: boolean;
  offset: Offset | undefined;
  readonly deliver: (offset: Offset | undefined) => void;
}

/**
 * What is done to the sockets of this server, in the order in which it was asked for.
 *
 * Nothing waits for the broker, except packets that need an offset, and what was asked for after
 * them: a socket must not leave the room before it gets what was sent there. A broker that does not
 * answer is waited for once; until it does, packets go without an offset.
 */
export class ClusterDeliveries {
  readonly #host: ClusterHost;
  readonly #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #isStalled = false;
  #isDraining = false;

  constructor(host: ClusterHost) {
    this.#host = host;
  }

  /** Does something now, if nothing waits; throws what it throws then. */
  run(deliver: () => void): void {
    if (this.#waiting.length === 0 && !this.#isDraining) deliver();
    else this.#wait({ isReady: true, offset: undefined, deliver });
  }

  /**
   * Does something as soon as the offset is known; without it if that takes too long, or fails. Who
   * publishes reports why.
   */
  runWithOffset(
    published: Promise<Offset | undefined>,
    deliver: (offset: Offset | undefined) => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        isReady: this.#isStalled,
        offset: undefined,
        deliver(offset) {
          resolve();
          deliver(offset);
        },
      };
      this.#wait(waiting);
      const settle = (offset: Offset | undefined): void => {
        waiting.isReady = true;
        waiting.offset = offset;
        this.#drain();
      };
      const answered = (offset: Offset | undefined): void => {
        this.#isStalled = false;
        settle(offset);
      };
      published.then(answered, () => settle(undefined));
    });
  }

  /** Does everything that waits. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiting of this.#waiting) waiting.isReady = true;
    this.#drain();
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    const [first] = this.#waiting;
    if (this.#waiting.length > MAX_WAITING && first !== undefined) first.isReady = true;
    this.#drain();
    if (this.#waiting.length > 0) this.#watch();
  }

  #drain(): void {
    // What is delivered may ask for more, which has its turn after the rest.
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (this.#waiting[0]?.isReady === true) this.#deliver(this.#waiting.shift());
    this.#isDraining = false;
  }

  #deliver(waiting: Waiting | undefined): void {
    try {
      waiting?.deliver(waiting.offset);
    } catch (error) {
      this.#host.handlerFailed(error, "adapter");
    }
  }

  /** One timer for all: it looks whether the first one is still the same. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const [watched] = this.#waiting;
    this.#timer = this.#host.clock.setTimeout(() => {
      this.#timer = undefined;
      const [first] = this.#waiting;
      if (first === undefined) return;
      if (first === watched) this.#stall();
      else this.#watch();
    }, OFFSET_TIMEOUT);
  }

  #stall(): void {
    this.#isStalled = true;
    this.flush();
  }
}
