import { io as connect, type Socket } from "socket.io-client";
import { expect } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { type Cluster, type ClusterNode, eventually } from "./cluster.js";
import type { Fetched, Introduction, Target } from "./host.js";

/** A client of one of the servers. */
export interface Member {
  readonly name: string;
  readonly client: Socket;
  /** The number of its server. */
  readonly home: number;
  /** What it got, without acknowledgement functions. */
  readonly got: unknown[][];
}

/** Four clients, `m0` and `m1` at the first server, `m2` at the second and `m3` at the last. */
export interface Crowd {
  readonly nsp: string;
  readonly members: readonly Member[];
  readonly nodes: readonly ClusterNode[];
  member(index: number): Member;
  node(index: number): ClusterNode;
  /** The first server, which the tests command unless they say otherwise. */
  readonly first: ClusterNode;
  /** The second one. */
  readonly second: ClusterNode;
  /** The id of a member. */
  id(index: number): string;
  /** Calls `send`, and checks that it makes exactly these members get the event exactly once. */
  expectAt(
    members: readonly number[],
    event: readonly unknown[],
    send: () => Promise<unknown>,
  ): Promise<void>;
  /** Resolves when what was sent before the fence has arrived everywhere. */
  settled(): Promise<void>;
  /** Resolves when the first server finds these members, in the rooms if there are any. */
  expectFound(members: readonly number[], target?: Target): Promise<void>;
}

/** What a crowd is like. */
export interface CrowdOptions {
  readonly nsp?: string;
  /** The rooms of each member. */
  readonly rooms?: readonly (readonly string[])[];
  /**
   * Sends `fence` with this number to everybody, the same way as what is tested. Default: the first
   * server broadcasts it.
   */
  readonly fence?: (number: number) => unknown;
}

let fences = 0;

/** Connects four clients, who are in their rooms when this resolves, for all servers. */
export async function gather(cluster: Cluster, options: CrowdOptions = {}): Promise<Crowd> {
  const { nsp = "/", rooms = [] } = options;
  const { nodes } = cluster;
  const homes = [0, 0, 1, nodes.length - 1];
  onCleanup(() => emptied(nodes, nsp));
  const members = await Promise.all(
    homes.map((home, index) => {
      const introduction = { name: `m${index}`, rooms: rooms[index] ?? [] };
      return join(at(nodes, home), { home, nsp, introduction });
    }),
  );
  for (const room of new Set(rooms.flat())) {
    const homesOfRoom = homes.filter((...[, index]) => rooms[index]?.includes(room));
    await cluster.roomReady({ nsp, room }, new Set(homesOfRoom).size);
  }
  const broadcastFence = (number: number) => at(nodes, 0).call("emit", { nsp }, "fence", number);
  return makeCrowd(nsp, { nodes, members, sendFence: options.fence ?? broadcastFence });
}

interface CrowdParts {
  readonly nodes: readonly ClusterNode[];
  readonly members: readonly Member[];
  readonly sendFence: (number: number) => unknown;
}

function makeCrowd(nsp: string, { nodes, members, sendFence }: CrowdParts): Crowd {
  const first = at(nodes, 0);
  const crowd: Crowd = {
    nsp,
    nodes,
    members,
    member: (index) => at(members, index),
    node: (index) => at(nodes, index),
    first,
    second: at(nodes, 1),
    id: (index) => at(members, index).client.id ?? "",
    async expectAt(expected, event, send) {
      const whoGot = () =>
        members.flatMap(({ got }, index) =>
          got.filter(([name]) => name === event[0]).map(() => index),
        );
      expect(whoGot()).toEqual([]);
      await send();
      await eventually(whoGot, [...expected]);
      await crowd.settled();
      expect(whoGot()).toEqual(expected);
      for (const index of expected) {
        const { got } = at(members, index);
        const received = got.find(([name]) => name === event[0]);
        expect(received).toEqual(event);
        got.splice(0);
      }
    },
    async settled() {
      const number = ++fences;
      await sendFence(number);
      const present = members.filter(({ client }) => client.connected);
      await eventually(
        () =>
          present.map(({ got }) =>
            got.some(([event, value]) => event === "fence" && value === number),
          ),
        present.map(() => true),
      );
    },
    async expectFound(expected, target) {
      const names = async () => namesOf(await first.call("fetchSockets", { nsp, ...target }));
      await eventually(
        names,
        expected.map((index) => at(members, index).name),
      );
    },
  };
  return crowd;
}

/** The names of sockets, sorted. */
export function namesOf(sockets: readonly Fetched[]): string[] {
  return sockets.map(({ data }) => (data as { name: string }).name).toSorted();
}

/** Everything but acknowledgement functions; bytes as `Buffer`s. */
function plain(args: readonly unknown[]): unknown[] {
  return args.filter((each) => typeof each !== "function");
}

async function join(
  node: ClusterNode,
  options: { home: number; nsp: string; introduction: Introduction },
): Promise<Member> {
  const { home, nsp, introduction } = options;
  const client = connect(`http://127.0.0.1:${node.port}${nsp}`, {
    auth: introduction,
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
  });
  onCleanup(() => {
    client.disconnect();
    client.io.engine.close();
  });
  const { name } = introduction;
  const got: unknown[][] = [];
  client.onAny((...args: unknown[]) => got.push(plain(args)));
  // The last argument of a question is the acknowledgement, the one before it who is to be silent.
  client.on("question", (silent: readonly string[], answer: (value: unknown) => void) => {
    if (!silent.includes(name)) answer(name);
  });
  client.on("binary question", (answer: (value: unknown) => void) => {
    answer({ name, bytes: Buffer.from(name) });
  });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  return { name, client, home, got };
}

/** Resolves when the servers have noticed that the clients are gone. */
export async function emptied(nodes: readonly ClusterNode[], nsp: string): Promise<void> {
  const ids = () => Promise.all(nodes.map((node) => node.call("localIds", nsp)));
  await eventually(
    ids,
    nodes.map(() => []),
  );
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no number ${index}`);
  return found;
}
