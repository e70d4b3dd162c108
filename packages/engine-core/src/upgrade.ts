import type { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import type { Clock, Timer } from "./clock.js";
import type { EnginePacket, OutgoingPacket } from "./codec.js";
import type { TransportError } from "./errors.js";
import type { Transport, TransportHost } from "./transports/transport.js";

const debug = createDebug("engine:socket");

/** What a probe asks of the session that it is to upgrade. */
export interface UpgradeSubject {
  /** The candidate answered the probe; the client may still go either way. */
  onProbe(candidate: Transport): void;
  /** Ends a waiting poll, so that the client can leave the old transport. */
  releasePoll(): void;
  /** The client has changed over: from here on the candidate is the transport. */
  onUpgrade(candidate: Transport): void;
  /** The candidate is lost. The session goes on as it was. */
  onUpgradeFailed(): void;
}

/** The times of an upgrade. */
export interface UpgradeOptions {
  /** In ms, from the first contact to the upgrade. */
  readonly upgradeTimeout: number;
}

/** How often a waiting poll is released while the client changes over, in ms (behaviour 49). */
const RELEASE_INTERVAL = 100;

const PROBE_ANSWER: OutgoingPacket = { type: "pong", data: "probe" };

/**
 * One attempt to upgrade a session (behaviours 49 to 53), the host of the candidate while it lasts:
 *
 *     client, on the candidate   ping "probe"  ──►  pong "probe", `upgrading`
 *                                               ◄──  noop to a waiting poll, every 100 ms
 *     client, polling paused     upgrade       ──►  the session changes over, `upgrade`
 *
 * An attempt that fails, at any point, leaves the session as it was.
 */
export class UpgradeProbe implements TransportHost {
  readonly #subject: UpgradeSubject;
  readonly #candidate: Transport;
  readonly #clock: Clock;
  readonly #timeout: Timer;
  #release: Timer | undefined;
  #ended = false;

  constructor(
    subject: UpgradeSubject,
    candidate: Transport,
    clock: Clock,
    options: UpgradeOptions,
  ) {
    this.#subject = subject;
    this.#candidate = candidate;
    this.#clock = clock;
    this.#timeout = clock.setTimeout(() => {
      debug("upgrade timed out");
      this.#fail();
    }, options.upgradeTimeout);
    candidate.host(this);
  }

  onPacket(packet: EnginePacket): void {
    if (this.#ended) return;
    if (packet.type === "ping" && packet.data === "probe") this.#onProbe();
    else if (packet.type === "upgrade") this.#onUpgrade();
    else this.#fail();
  }

  onReady(): void {
    // The only packet sent here is small enough never to be waited for.
  }

  onClose(): void {
    this.#fail();
  }

  onError(error: TransportError): void {
    debug("candidate failed: %s", error.message);
    this.#fail();
  }

  onParseError(error: PacketError): void {
    debug("candidate sent garbage: %s", error.message);
    this.#fail();
  }

  /** Gives the attempt up: the session is gone. */
  cancel(): void {
    if (this.#end()) this.#candidate.close();
  }

  #onProbe(): void {
    if (!this.#candidate.writable) return;
    this.#candidate.send([PROBE_ANSWER]);
    this.#release ??= this.#clock.setTimeout(this.#onRelease, RELEASE_INTERVAL);
    this.#subject.onProbe(this.#candidate);
  }

  // Made once per attempt: the clock calls it without a receiver.
  readonly #onRelease = (): void => {
    this.#subject.releasePoll();
    this.#release = this.#clock.setTimeout(this.#onRelease, RELEASE_INTERVAL);
  };

  #onUpgrade(): void {
    if (this.#end()) this.#subject.onUpgrade(this.#candidate);
  }

  #fail(): void {
    if (!this.#end()) return;
    this.#candidate.close();
    this.#subject.onUpgradeFailed();
  }

  /** @returns whether this call ended the attempt */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#timeout.cancel();
    this.#release?.cancel();
    return true;
  }
}
