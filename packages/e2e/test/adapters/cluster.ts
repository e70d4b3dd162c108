import { afterAll, beforeAll, expect, vi } from "vitest";
import * as official from "socket.io";
import { SubjectServer } from "../support/subject.js";
import { type Actions, type Host, startHost } from "./host.js";

/** One server of a cluster, in this process or another. */
export interface ClusterNode {
  readonly name: string;
  readonly port: number;
  call<Name extends keyof Actions>(
    action: Name,
    ...args: Parameters<Actions[Name]>
  ): Promise<Awaited<ReturnType<Actions[Name]>>>;
  readonly close: () => Promise<void>;
}

/** Servers that share a broker. */
export interface Cluster {
  /** What the names of its channels begin with. No other cluster shares it. */
  readonly prefix: string;
  readonly nodes: readonly ClusterNode[];
  /** Resolves when so many servers are told what is sent to the room. */
  roomReady(room: RoomOfNamespace, nodes: number): Promise<void>;
  readonly close: () => Promise<void>;
}

/** Which implementation a server is: `subject` is the one under test. */
export type NodeKind = "subject" | "official";

/** A way to make servers share a broker. */
export interface Kit {
  readonly name: string;
  /** Starts a cluster whose servers all know each other. */
  start(kinds: readonly NodeKind[]): Promise<Cluster>;
}

/** The adapter of one server, with the connections to the broker that it has. */
export interface AdapterParts {
  /** What the option `adapter` takes. */
  readonly adapter: unknown;
  /** Closes the connections. The server is closed before. */
  release(): Promise<void> | void;
}

/** What makes an in-process kit. */
export interface KitInit {
  readonly name: string;
  /** Makes the adapter of one server. */
  makeAdapter(prefix: string): Promise<AdapterParts>;
  /** Resolves when so many servers hear each other. They count each other right already. */
  ready?(prefix: string, nodes: number): Promise<void>;
  /** Resolves when so many servers are subscribed to the room. */
  roomReady?(prefix: string, room: RoomOfNamespace, nodes: number): Promise<void>;
  /** Called between the closing of the servers and that of their connections. */
  beforeRelease?(prefix: string): Promise<void>;
}

/** The full name of a room. */
export interface RoomOfNamespace {
  readonly nsp: string;
  readonly room: string;
}

let clusters = 0;

const PATIENCE = { timeout: 15_000, interval: 2 } as const;

/** Resolves when what `look` returns equals `expected`; fails with the difference if it never does. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  expected: Awaited<T>,
): Promise<void> {
  await vi.waitFor(async () => expect(await look()).toEqual(expected), PATIENCE);
}

/** A kit whose servers live in this process. */
export function inProcessKit(init: KitInit): Kit {
  return {
    name: init.name,
    async start(kinds) {
      const prefix = `cluster${++clusters}`;
      const hosted = await Promise.all(
        kinds.map(async (kind, index) => {
          const parts = await init.makeAdapter(prefix);
          return { parts, node: await startNode(kind, `node ${index}`, parts.adapter) };
        }),
      );
      const nodes = hosted.map(({ node }) => node);
      await acquainted(nodes, "/", "/side");
      await init.ready?.(prefix, nodes.length);
      return {
        prefix,
        nodes,
        roomReady: async (...room) => init.roomReady?.(prefix, ...room),
        async close() {
          await Promise.all(nodes.map((node) => node.close()));
          await init.beforeRelease?.(prefix);
          await Promise.all(hosted.map(async ({ parts }) => parts.release()));
        },
      };
    },
  };
}

async function startNode(kind: NodeKind, name: string, adapter: unknown): Promise<ClusterNode> {
  const Server = kind === "official" ? official.Server : SubjectServer;
  return localNode(name, await startHost(Server, name, adapter));
}

function localNode(name: string, { port, actions, close }: Host): ClusterNode {
  return {
    name,
    port,
    close,
    // The compiler does not see that the arguments and the result belong to one action.
    async call(action, ...args) {
      const run = actions[action] as (...given: unknown[]) => unknown;
      return (await run(...args)) as never;
    },
  };
}

/** Resolves when each of the servers counts all of them, in each of the namespaces. */
export async function acquainted(
  nodes: readonly ClusterNode[],
  ...namespaces: readonly string[]
): Promise<void> {
  for (const nsp of namespaces) {
    const counts = () => Promise.all(nodes.map((node) => node.call("serverCount", nsp)));
    await eventually(
      counts,
      nodes.map(() => nodes.length),
    );
  }
}

/** Runs a cluster for the tests of the calling `describe`. */
export function useCluster(kit: Kit, kinds: readonly NodeKind[]): () => Cluster {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await kit.start(kinds);
  });
  afterAll(async () => {
    await cluster?.close();
  });
  return () => {
    if (cluster === undefined) throw new Error("the cluster does not run");
    return cluster;
  };
}
