import { BrokerWatch } from "./broker-watch.js";
import { ClusterError } from "./cluster-error.js";
import { ClusterHost, timeoutOf } from "./cluster-host.js";
import type { Adapter } from "./contract.js";
import { Adapter as InMemoryAdapter } from "./in-memory.js";
import { deliverFirst } from "./local-first.js";
import { watchedClient } from "./watched-client.js";

/** Milliseconds that published adapters wait for the other servers once they have asked them. */
const ANSWER_TIMEOUT = 5000;

/** What published adapters have beyond the contract, each some of it. */
interface ForeignAdapter extends Adapter {
  /** Of the classic Redis adapter: milliseconds to wait for the others. */
  readonly requestsTimeout?: number;
  /** The clients of adapters for Redis. */
  pubClient?: unknown;
  subClient?: unknown;
}

/**
 * Prepares an adapter that others wrote for the death of its broker, without touching its class:
 *
 * - What is sent to sockets of this server does not wait for the broker (FIX 126).
 * - Whoever waits for other servers gets an error when the broker does not answer. Adapters begin
 *   to count the time only when the broker has said how many servers there are.
 * - The operator is told, as `handler_error` with the source `adapter`, and rejected promises that
 *   the adapter drops do not end the process.
 */
export function hostForeignAdapter(adapter: Adapter): void {
  // Ours take care of this themselves, and the one for a single server has no broker.
  if (adapter.sendTo !== undefined || adapter.constructor === InMemoryAdapter) return;
  const host = new ClusterHost(adapter.nsp);
  const watch = new BrokerWatch(host, host.clock);
  watchClients(adapter, watch);
  limitFetching(adapter, host);
  limitServerSideEmit(adapter, host);
  deliverFirst(adapter, host, watch);
  const close = adapter.close.bind(adapter);
  adapter.close = () => {
    watch.close();
    return close();
  };
}

function watchClients(adapter: ForeignAdapter, watch: BrokerWatch): void {
  for (const key of ["pubClient", "subClient"] as const) {
    const property = Object.getOwnPropertyDescriptor(adapter, key);
    const client: unknown = property?.value;
    if (property?.writable !== true || typeof client !== "object" || client === null) continue;
    adapter[key] = watchedClient(client, watch);
  }
}

/** Twice the adapter's own patience, which is to end first whenever it ends at all. */
function patience(adapter: ForeignAdapter, asked?: number): number {
  return 2 * timeoutOf(asked, timeoutOf(adapter.requestsTimeout, ANSWER_TIMEOUT));
}

function noAnswer(ms: number): ClusterError {
  return new ClusterError("ERR_CLUSTER_TIMEOUT", `the broker has not answered for ${ms} ms`);
}

function limitFetching(adapter: ForeignAdapter, host: ClusterHost): void {
  const fetchSockets = adapter.fetchSockets.bind(adapter);
  adapter.fetchSockets = (options) =>
    new Promise((resolve, reject) => {
      const ms = patience(adapter, options.flags?.timeout);
      const timer = host.clock.setTimeout(() => reject(noAnswer(ms)), ms);
      fetchSockets(options)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
}

function limitServerSideEmit(adapter: ForeignAdapter, host: ClusterHost): void {
  const serverSideEmit: (args: unknown[]) => unknown = adapter.serverSideEmit.bind(adapter);
  adapter.serverSideEmit = (args) => {
    const last = args.at(-1);
    if (typeof last !== "function") return serverSideEmit(args) as void;
    const ms = patience(adapter);
    let isAnswered = false;
    const answer = (error: unknown, responses: unknown): void => {
      if (isAnswered) return;
      isAnswered = true;
      timer.cancel();
      host.call(last as () => unknown, error, responses);
    };
    const timer = host.clock.setTimeout(() => answer(noAnswer(ms), []), ms);
    const result = serverSideEmit([...args.slice(0, -1), answer]);
    if (result instanceof Promise) result.catch((error: unknown) => answer(error, []));
  };
}
