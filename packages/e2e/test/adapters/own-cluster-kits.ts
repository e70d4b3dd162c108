import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as official from "socket.io";
import * as npm from "socket.io-adapter";
import * as own from "@jackfield/socketio";
import { rolldown } from "rolldown";
import { inProcessKit, type Kit } from "./cluster.js";

/** Ignored by git, and near enough to `node_modules` for what is loaded from there. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/adapters", import.meta.url));

/** What stands for `socket.io-adapter`. */
const OURS = fileURLToPath(new URL("../../../socketio/src/index.ts", import.meta.url));

/** How often a server tells the others that it is there. */
const HEARTBEAT_MS = 100;

interface Message {
  readonly uid: string;
}

/** What both classes look like from outside. */
interface ClusterAdapter {
  onMessage(message: Message, offset?: string): void;
  onResponse(response: Message): void;
}

type Bus = Set<ClusterAdapter>;

/** Brings copies to everybody, a turn later, in order. */
function carry(bus: Bus, bring: (adapter: ClusterAdapter) => void): void {
  setImmediate(() => {
    for (const adapter of bus) bring(adapter);
  });
}

// The same adapter twice: once on the class of this project, once on that of npm.

class OwnAdapter extends own.ClusterAdapterWithHeartbeat {
  readonly #bus: Bus;

  constructor(nsp: own.AdapterNamespace, bus: Bus) {
    super(nsp, { heartbeatInterval: HEARTBEAT_MS });
    this.#bus = bus;
    bus.add(this);
  }

  override close(): void {
    super.close();
    this.#bus.delete(this);
  }

  protected override doPublish(message: own.ClusterMessage): Promise<string> {
    const copy = structuredClone(message);
    carry(this.#bus, (adapter) => adapter.onMessage(copy));
    return Promise.resolve("");
  }

  protected override doPublishResponse(_to: string, response: own.ClusterResponse): Promise<void> {
    const copy = structuredClone(response);
    carry(this.#bus, (adapter) => adapter.onResponse(copy));
    return Promise.resolve();
  }
}

class NpmAdapter extends npm.ClusterAdapterWithHeartbeat {
  readonly #bus: Bus;

  constructor(nsp: unknown, bus: Bus) {
    super(nsp, { heartbeatInterval: HEARTBEAT_MS });
    this.#bus = bus;
    bus.add(this);
  }

  override close(): void {
    super.close();
    this.#bus.delete(this);
  }

  protected override doPublish(message: npm.ClusterMessage): Promise<string> {
    const copy = structuredClone(message);
    carry(this.#bus, (adapter) => adapter.onMessage(copy));
    return Promise.resolve("");
  }

  protected override doPublishResponse(_to: string, response: npm.ClusterResponse): Promise<void> {
    const copy = structuredClone(response);
    carry(this.#bus, (adapter) => adapter.onResponse(copy));
    return Promise.resolve();
  }
}

/**
 * A cluster without a broker.
 *
 * @param isCrossed whether the servers under test have the adapter of npm, and the official ones
 *   that of this project; otherwise everybody has their own
 */
export function memoryKit(isCrossed = false): Kit {
  const buses = new Map<string, Map<string, Bus>>();
  return inProcessKit({
    name: isCrossed ? "our class under npm socket.io" : "our class, in memory",
    makeAdapter(prefix) {
      const namespaces = buses.get(prefix) ?? new Map<string, Bus>();
      buses.set(prefix, namespaces);
      return Promise.resolve({
        adapter: function make(nsp: own.AdapterNamespace) {
          const bus: Bus = namespaces.get(nsp.name) ?? new Set();
          namespaces.set(nsp.name, bus);
          const isNpm = isOfficial(nsp) !== isCrossed;
          return isNpm ? new NpmAdapter(nsp, bus) : new OwnAdapter(nsp, bus);
        },
        release() {},
      });
    },
  });
}

type Factory = (nsp: own.AdapterNamespace) => unknown;

/** What makes the function that makes the adapters of a server. */
type Create = (...args: never[]) => Factory;

/**
 * A published package with the class of this project in place of the one of `socket.io-adapter`,
 * for servers under test. Official servers get it as it is.
 */
export async function onOurClass<T extends Create>(
  name: string,
  { published, member }: { readonly published: T; readonly member: string },
): Promise<T> {
  const ours = ((await bundle(name)) as Record<string, Create>)[member];
  if (ours === undefined) throw new Error(`${name} has no ${member}`);
  const create = (...args: never[]): Factory => {
    let factory: Factory | undefined;
    return function make(nsp) {
      // Connections are opened by the first call, and only one of the two is to have any.
      factory ??= (isOfficial(nsp) ? published : ours)(...args);
      return factory(nsp);
    };
  };
  return create as T;
}

/** Loads a package whose `socket.io-adapter` is ours. */
async function bundle(name: string): Promise<unknown> {
  await mkdir(CACHE, { recursive: true });
  const dir = await mkdtemp(join(CACHE, "ours-"));
  const build = await rolldown({
    input: { adapter: fileURLToPath(import.meta.resolve(name)) },
    platform: "node",
    resolve: {
      conditionNames: ["@jackfield/source", "node", "import"],
      alias: { "socket.io-adapter": OURS },
    },
    logLevel: "silent",
  });
  await build.write({ dir, format: "esm", entryFileNames: "[name].mjs" });
  await build.close();
  const file = pathToFileURL(join(dir, "adapter.mjs")).href;
  const { default: api } = (await import(/* @vite-ignore */ file)) as { readonly default: unknown };
  await rm(dir, { recursive: true });
  return api;
}

function isOfficial(nsp: own.AdapterNamespace): boolean {
  return (nsp.server as unknown) instanceof official.Server;
}
