import { OptionsError } from "../errors.js";
import type { Timer } from "../timers.js";
import { ClusterAdapter } from "./cluster.js";
import { ClusterHost, type Timers } from "./cluster-host.js";
import {
  type ClusterMessage,
  type ClusterMessageBody,
  type ClusterResponse,
  EMITTER_UID,
  MessageType,
  type Offset,
} from "./cluster-messages.js";
import { ClusterNodes } from "./cluster-nodes.js";
import type { ExpectedServers } from "./cluster-requests.js";
import type { AdapterNamespace } from "./contract.js";

/** How the nodes of a cluster know of each other. */
export interface ClusterAdapterOptions {
  /** Milliseconds between two signs of life. Default 5000. */
  heartbeatInterval?: number | undefined;
  /** Milliseconds of silence after which a node is taken for dead. Default 10 000. */
  heartbeatTimeout?: number | undefined;
}

/** Milliseconds that the others have, at most, to answer a node that has just started. */
const MAX_INTRODUCTION = 500;

/**
 * A {@link ClusterAdapter} that knows the other servers by their heartbeats, for brokers that
 * cannot tell how many there are.
 *
 * A node that leaves, or falls silent, is not waited for any longer: requests end with the answers
 * of the others. A node that has just started asks the others to say that they are there, and
 * counts them, for requests too, only when they have had the time to (behaviour 129).
 */
export abstract class ClusterAdapterWithHeartbeat extends ClusterAdapter {
  readonly #clock: Timers;
  readonly #interval: number;
  readonly #nodes: ClusterNodes;
  #heartbeat: Timer | undefined;
  #introduction: Introduction | undefined;
  #isClosed = false;

  /** @throws {OptionsError} ERR_OPTION_VALUE, for an option that is not a positive number */
  constructor(nsp: AdapterNamespace, options: ClusterAdapterOptions = {}) {
    super(nsp);
    this.#clock = new ClusterHost(nsp).clock;
    this.#interval = milliseconds("heartbeatInterval", options.heartbeatInterval ?? 5000);
    this.#nodes = new ClusterNodes({
      clock: this.#clock,
      timeout: milliseconds("heartbeatTimeout", options.heartbeatTimeout ?? 10_000),
      onGone: (uid) => {
        for (const request of this.requests.values()) request.giveUp(uid);
      },
    });
  }

  /** Tells the others that this server is there. */
  override init(): void {
    super.init();
    this.#isClosed = false;
    this.#introduction ??= new Introduction(
      this.#clock,
      Math.min(MAX_INTRODUCTION, this.#interval),
    );
    this.publish({ type: MessageType.INITIAL_HEARTBEAT });
  }

  /** Tells the others that this server leaves, and forgets them. */
  override close(): void {
    this.publish({ type: MessageType.ADAPTER_CLOSE });
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    this.#introduction?.end();
    this.#introduction = undefined;
    this.#nodes.clear();
    super.close();
  }

  override onMessage(message: ClusterMessage, offset?: Offset): void {
    const envelope = this.#isClosed ? undefined : this.readEnvelope(message);
    if (envelope === undefined) return;
    const { uid, type } = envelope;
    // Whatever a node sends is a sign of life; what only sends is no node.
    if (uid !== undefined && uid !== EMITTER_UID) {
      if (type === MessageType.ADAPTER_CLOSE) this.#nodes.left(uid);
      else this.#nodes.seen(uid, type === MessageType.INITIAL_HEARTBEAT);
    }
    if (type === MessageType.INITIAL_HEARTBEAT) this.publish({ type: MessageType.HEARTBEAT });
    super.onMessage(message, offset);
  }

  // Public here, as `onMessage`: brokers in the same process call them from outside.
  override onResponse(response: ClusterResponse): void {
    super.onResponse(response);
  }

  /** The number of servers in the cluster, this one included. */
  override async serverCount(): Promise<number> {
    return 1 + (await this.#others()).length;
  }

  override publish(message: ClusterMessageBody): void {
    if (!this.#isClosed) this.#scheduleHeartbeat();
    super.publish(message);
  }

  protected override expectedServers(): Promise<ExpectedServers> {
    return this.#others();
  }

  async #others(): Promise<string[]> {
    await this.#introduction?.ended;
    return this.#nodes.ids();
  }

  /**
   * The first heartbeat begins the series. Other messages do not put it off: not every broker
   * carries them to all nodes.
   */
  #scheduleHeartbeat(): void {
    this.#heartbeat ??= this.#clock.setTimeout(() => {
      this.#heartbeat = undefined;
      this.publish({ type: MessageType.HEARTBEAT });
    }, this.#interval);
  }
}

/** The time that the others have to say that they are there. */
class Introduction {
  readonly ended: Promise<void>;
  #end = (): void => {};
  readonly #timer: Timer;

  constructor(clock: Timers, duration: number) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timer = clock.setTimeout(() => this.#end(), duration);
  }

  end(): void {
    this.#timer.cancel();
    this.#end();
  }
}

function milliseconds(option: string, value: unknown): number {
  const isDuration = typeof value === "number" && value > 0 && Number.isFinite(value);
  if (!isDuration) throw new OptionsError(option, value, "a positive number of milliseconds");
  return value;
}
