import { checkCount, checkDelay } from "./option-checks.js";
import type { Clock } from "./timers.js";

/** How the clients of a server are let go. */
export interface DrainOptions {
  /** Time for all of it, in ms; what is not done then is cut. Default 20000. */
  readonly timeout?: number;
  /** Clients that are let go together. More when the time would not suffice. Default 100. */
  readonly batch?: number;
  /** Time between two batches, in ms. Default 100. */
  readonly interval?: number;
  /**
   * How far the clients of a batch are spread over the interval, from 0 (all at once) to 1 (all over
   * it), so that they do not come back in step. Default 1.
   */
  readonly jitter?: number;
}

/** What became of the clients. */
export interface DrainResult {
  /** Clients that had got everything when their connection ended. */
  readonly released: number;
  /** Clients whose connection was cut when the time was over. */
  readonly cut: number;
  /** Acknowledgements that were still to come, from either side, when their client was let go. */
  readonly lostAcks: number;
}

/** A client that can be let go. */
export interface DrainableClient {
  /** Acknowledgements that are still to come, from either side. */
  readonly pendingAcks: number;
  /**
   * Ends the connection once everything is sent, and cuts it after `ms` milliseconds. Resolves with
   * whether it ended by itself.
   */
  release(ms: number): Promise<boolean>;
}

/** What a drain works with. */
export interface DrainDeps {
  readonly clock: Clock;
  /** A number from 0 to 1. */
  random(): number;
}

const DEFAULTS = { timeout: 20_000, batch: 100, interval: 100, jitter: 1 } as const;

/** Time between two looks at the acknowledgements of a client, in ms. */
const LOOK_INTERVAL = 50;

/** The part of the time in which all clients have been asked to go. */
const START_SHARE = 0.5;

/** The part of what is left for a client in which its acknowledgements are waited for. */
const ACK_SHARE = 0.5;

/** Lets clients go, batch by batch. Resolves when all of them are gone. */
export async function drainClients(
  clients: readonly DrainableClient[],
  options: DrainOptions,
  deps: DrainDeps,
): Promise<DrainResult> {
  const { timeout, batch, interval, jitter } = withDefaults(options);
  const { clock } = deps;
  const deadline = now(clock) + timeout;
  const batches = Math.max(1, Math.floor((timeout * START_SHARE) / Math.max(1, interval)));
  const size = Math.max(1, batch, Math.ceil(clients.length / batches));
  const results = await Promise.all(
    clients.map(async (client, index) => {
      const start = (Math.floor(index / size) + deps.random() * jitter) * interval;
      await delay(clock, Math.min(start, timeout));
      return letGo(client, deadline, clock);
    }),
  );
  const released = results.filter(({ isReleased }) => isReleased).length;
  const lostAcks = results.reduce((total, result) => total + result.lostAcks, 0);
  return { released, cut: results.length - released, lostAcks };
}

function withDefaults(options: DrainOptions): Required<DrainOptions> {
  const all = { ...DEFAULTS, ...options };
  checkDelay("timeout", all.timeout);
  checkDelay("interval", all.interval);
  checkCount("batch", all.batch);
  checkCount("jitter", all.jitter);
  return all;
}

async function letGo(
  client: DrainableClient,
  deadline: number,
  clock: Clock,
): Promise<{ isReleased: boolean; lostAcks: number }> {
  const start = now(clock);
  const ackDeadline = start + (deadline - start) * ACK_SHARE;
  while (client.pendingAcks > 0 && now(clock) < ackDeadline) {
    // oxlint-disable-next-line no-await-in-loop -- it looks again and again
    await delay(clock, Math.min(LOOK_INTERVAL, ackDeadline - now(clock)));
  }
  const lostAcks = client.pendingAcks;
  const isReleased = await client.release(Math.max(0, deadline - now(clock)));
  return { isReleased, lostAcks };
}

function now(clock: Clock): number {
  return clock.date().getTime();
}

function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
