import createDebug from "debug";
import { Adapter } from "./adapter/in-memory.js";
import type {
  Adapter as AdapterContract,
  AdapterNamespace,
  AdapterPacket,
  BroadcastOptions,
} from "./adapter/contract.js";
import { watchAdapter } from "./events/dispatch.js";
import { Namespace, type NamespaceDeps } from "./namespace.js";

const debug = createDebug("socket.io:parent-namespace");

/** What a parent needs to make its children. */
export interface ParentNamespaceInit {
  /** Whether a child without sockets is closed and forgotten. */
  readonly cleanupEmptyChildren: boolean;
  /** A child without sockets has been closed. */
  onChildClosed(child: Namespace): void;
}

/** Stands for the namespaces that a pattern or a function admits, and makes them. */
export class ParentNamespace extends Namespace {
  readonly children: Set<Namespace> = new Set();
  readonly #init: ParentNamespaceInit;

  constructor(name: string, deps: NamespaceDeps, init: ParentNamespaceInit) {
    super(name, deps);
    this.#init = init;
  }

  /** Emits to the sockets of all children on this server. */
  override emit(...data: [event: string | symbol, ...args: unknown[]]): boolean {
    for (const child of this.children) child.emit(...data);
    return true;
  }

  /**
   * The sockets of one child can be fetched, but nobody knows which children other servers have.
   *
   * @throws {Error} Always.
   */
  override fetchSockets(): Promise<unknown[]> {
    throw new Error("fetchSockets() is not supported on parent namespaces");
  }

  /** Makes a child with the middlewares and connection listeners that the parent has now. */
  createChild(name: string): Namespace {
    debug("creating child namespace %s", name);
    const child = new Namespace(name, this.deps);
    for (const fn of this._fns) child.use(fn);
    for (const event of ["connect", "connection"]) {
      for (const listener of this.listeners(event)) {
        child.on(event, listener as (...args: unknown[]) => void);
      }
    }
    this.children.add(child);
    if (this.#init.cleanupEmptyChildren) child.watchEmptiness(() => this.#close(child));
    return child;
  }

  protected override makeAdapter(): AdapterContract {
    return new ParentBroadcastAdapter(this as unknown as AdapterNamespace, () => this.children);
  }

  #close(child: Namespace): void {
    if (!this.children.delete(child)) return;
    debug("closing child namespace %s", child.name);
    closeAdapter(child);
    this.#init.onChildClosed(child);
  }
}

function closeAdapter(nsp: Namespace): void {
  try {
    watchAdapter(nsp, nsp.adapter.close());
  } catch (error) {
    nsp.handlerFailed(error, "adapter");
  }
}

/** Passes broadcasts on to the children. */
class ParentBroadcastAdapter extends Adapter {
  readonly #children: () => Iterable<Namespace>;

  constructor(nsp: AdapterNamespace, children: () => Iterable<Namespace>) {
    super(nsp);
    this.#children = children;
  }

  override broadcast(packet: AdapterPacket, options: BroadcastOptions): void {
    // Adapters write on packets: each gets one of its own.
    for (const child of this.#children()) {
      child.adapter.broadcast({ ...packet, data: [...packet.data] }, options);
    }
  }
}
