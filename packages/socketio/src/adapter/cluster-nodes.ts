import type { Timer } from "../timers.js";
import type { Timers } from "./cluster-host.js";
import type { ServerId } from "./cluster-messages.js";

/** How many nodes are remembered. More than any cluster has: it limits what a forger can do. */
const MAX_NODES = 10_000;
/** The time between two looks at the table, in milliseconds; shorter for short timeouts. */
const MAX_SWEEP_INTERVAL = 1000;

interface Node {
  /** When it was heard of, in sweeps. */
  lastSeen: number;
  /** It has said that it leaves. What it sent before may still arrive, and means nothing. */
  hasLeft: boolean;
}

/** What a table is made of. */
export interface ClusterNodesInit {
  readonly clock: Timers;
  /** Milliseconds after which a silent node is taken for dead, or a little later. */
  readonly timeout: number;
  /** A node has left, or is taken for dead. */
  onGone(uid: ServerId): void;
}

/**
 * The other nodes of the cluster, as far as they were heard of.
 *
 * Time is counted in sweeps, not read from a clock: it stands still while the process is blocked,
 * and what the others have sent meanwhile is read before they are judged.
 */
export class ClusterNodes {
  readonly #init: ClusterNodesInit;
  readonly #sweepInterval: number;
  readonly #nodes = new Map<ServerId, Node>();
  #sweeps = 0;
  #timer: Timer | undefined;

  constructor(init: ClusterNodesInit) {
    this.#init = init;
    this.#sweepInterval = Math.min(MAX_SWEEP_INTERVAL, init.timeout / 10);
  }

  /** The ids of the nodes that are there. */
  ids(): ServerId[] {
    return [...this.#nodes].filter(([, node]) => !node.hasLeft).map(([uid]) => uid);
  }

  /** A node has sent something. With `isNew` it comes, or comes back. */
  seen(uid: ServerId, isNew = false): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) {
      if (this.#nodes.size >= MAX_NODES) return;
      this.#nodes.set(uid, { lastSeen: this.#sweeps, hasLeft: false });
      this.#watch();
      return;
    }
    if (isNew) node.hasLeft = false;
    node.lastSeen = this.#sweeps;
  }

  /** A node has said that it leaves. */
  left(uid: ServerId): void {
    const node = this.#nodes.get(uid);
    if (node === undefined || node.hasLeft) return;
    node.hasLeft = true;
    node.lastSeen = this.#sweeps;
    this.#init.onGone(uid);
  }

  /** Forgets everybody, without a word. */
  clear(): void {
    this.#nodes.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    this.#timer ??= this.#init.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      if (this.#nodes.size > 0) this.#watch();
    }, this.#sweepInterval);
  }

  #sweep(): void {
    this.#sweeps += 1;
    // A node was seen some time after the sweep of that number: one more, so that it is not early.
    const patience = this.#init.timeout / this.#sweepInterval + 1;
    for (const [uid, { lastSeen, hasLeft }] of this.#nodes) {
      if (this.#sweeps - lastSeen < patience) continue;
      this.#nodes.delete(uid);
      if (!hasLeft) this.#init.onGone(uid);
    }
  }
}
