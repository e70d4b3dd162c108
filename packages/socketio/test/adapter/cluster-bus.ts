import { onTestFinished } from "vitest";
import { ClusterAdapter } from "../../src/adapter/cluster.js";
import {
  type ClusterAdapterOptions,
  ClusterAdapterWithHeartbeat,
} from "../../src/adapter/cluster-heartbeat.js";
import type { ClusterMessage, ClusterResponse } from "../../src/adapter/cluster-messages.js";
import type { AdapterConstructor, AdapterNamespace } from "../../src/adapter/contract.js";
import type { ServerOptions } from "../../src/options.js";
import { Harness, settled } from "../harness.js";

/** What a bus carries to. */
export interface Listener {
  onMessage(message: ClusterMessage, offset?: string): void;
  onResponse(response: ClusterResponse): void;
}

/** How the broker treats what is published. */
export type Mood = "works" | "rejects" | "throws" | "is silent";

/** A broker in this process: numbers messages, and brings them to everybody a turn later. */
export class Bus {
  readonly listeners = new Set<Listener>();
  /** Everything that was published, in order. */
  readonly messages: ClusterMessage[] = [];
  mood: Mood = "works";
  #offset = 0;
  readonly #held: (() => void)[] = [];
  /** Whether publishers have to wait for their offsets until {@link Bus.answer}. */
  isSlow = false;

  #ids = 0;

  nextId(): string {
    return `id${++this.#ids}`;
  }

  publish(message: ClusterMessage): Promise<string> {
    if (this.mood === "throws") throw new Error("cannot publish");
    if (this.mood === "rejects") return Promise.reject(new Error("not published"));
    if (this.mood === "is silent") return new Promise(() => {});
    const copy = structuredClone(message);
    this.messages.push(copy);
    const offset = `0-${++this.#offset}`;
    setImmediate(() => {
      for (const listener of this.listeners) listener.onMessage(copy, offset);
    });
    if (!this.isSlow) return Promise.resolve(offset);
    return new Promise((resolve) => {
      this.#held.push(() => resolve(offset));
    });
  }

  respond(response: ClusterResponse): Promise<void> {
    const copy = structuredClone(response);
    setImmediate(() => {
      for (const listener of this.listeners) listener.onResponse(copy);
    });
    return Promise.resolve();
  }

  /** Tells the publishers the offsets they wait for. */
  answer(): void {
    for (const resolve of this.#held.splice(0)) resolve();
  }
}

/** An adapter that is told by its broker how many servers there are. */
export class CountedAdapter extends ClusterAdapter {
  readonly #bus: Bus;

  constructor(nsp: AdapterNamespace, bus: Bus) {
    super(nsp);
    this.#bus = bus;
    bus.listeners.add(this);
  }

  override serverCount(): Promise<number> {
    return this.#bus.mood === "is silent"
      ? new Promise(() => {})
      : Promise.resolve(this.#bus.listeners.size);
  }

  override onMessage(message: ClusterMessage, offset?: string): void {
    super.onMessage(message, offset);
  }

  override onResponse(response: ClusterResponse): void {
    super.onResponse(response);
  }

  override close(): void {
    this.#bus.listeners.delete(this);
    super.close();
  }

  protected override doPublish(message: ClusterMessage): Promise<string> {
    return this.#bus.publish(message);
  }

  protected override doPublishResponse(_uid: string, response: ClusterResponse): Promise<void> {
    return this.#bus.respond(response);
  }
}

/** An adapter that learns from heartbeats how many servers there are. */
export class HeartbeatAdapter extends ClusterAdapterWithHeartbeat {
  readonly #bus: Bus;

  constructor(nsp: AdapterNamespace, bus: Bus, options?: ClusterAdapterOptions) {
    super(nsp, options);
    this.#bus = bus;
    bus.listeners.add(this);
  }

  /** Falls silent, as a process that was killed. */
  die(): void {
    this.#bus.listeners.delete(this);
    this.#isDead = true;
  }

  #isDead = false;

  protected override doPublish(message: ClusterMessage): Promise<string> {
    return this.#isDead ? Promise.resolve("") : this.#bus.publish(message);
  }

  protected override doPublishResponse(_uid: string, response: ClusterResponse): Promise<void> {
    return this.#isDead ? Promise.resolve() : this.#bus.respond(response);
  }
}

/** Makes the adapters of one server. */
export type AdapterMaker = (nsp: AdapterNamespace, bus: Bus) => unknown;

export const counted: AdapterMaker = (nsp, bus) => new CountedAdapter(nsp, bus);
export const beating: AdapterMaker = (nsp, bus) => new HeartbeatAdapter(nsp, bus);

/** Servers on one bus. */
export interface BusCluster {
  readonly bus: Bus;
  readonly nodes: readonly Harness[];
  readonly node: (index: number) => Harness;
  /** Moves the clocks of all servers. */
  readonly advance: (ms: number) => void;
}

/** Starts servers that know each other when this resolves. They are closed after the test. */
export async function startCluster(
  makers: readonly AdapterMaker[],
  options: ServerOptions = {},
): Promise<BusCluster> {
  const bus = new Bus();
  const nodes = makers.map((make) => start(bus, make, options));
  const cluster: BusCluster = {
    bus,
    nodes,
    node: (index) => nodes[index] as Harness,
    advance(ms) {
      for (const { clock } of nodes) clock.advance(ms);
    },
  };
  await settled();
  await settled();
  // The time in which nodes introduce themselves.
  cluster.advance(500);
  bus.messages.splice(0);
  return cluster;
}

/** Starts one more server on a bus. */
export function start(bus: Bus, make: AdapterMaker, options: ServerOptions = {}): Harness {
  const adapter = ((nsp: AdapterNamespace) => make(nsp, bus)) as AdapterConstructor;
  // Every server has ids of its own.
  const generateId = (): string => bus.nextId();
  const harness = new Harness({ ...options, adapter }, {}, { generateId });
  onTestFinished(async () => {
    await harness.io.close();
  });
  return harness;
}

/** Lets messages travel there and back. */
export async function delivered(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await settled();
}

/** What tools see of an adapter. */
export function pendingOf({ io }: Harness): { readonly requests: number; readonly acks: number } {
  const { requests, ackRequests } = io.sockets.adapter as unknown as {
    readonly requests: Map<string, unknown>;
    readonly ackRequests: Map<string, unknown>;
  };
  return { requests: requests.size, acks: ackRequests.size };
}
