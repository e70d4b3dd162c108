import { Adapter, ClusterAdapter } from "socket.io-adapter";
import { expect, test } from "vitest";
import type { AdapterConstructor } from "../../src/adapter/contract.js";
import type { ServerOptions } from "../../src/options.js";
import { Harness, settled } from "../harness.js";

const NEVER = new Promise<never>(() => {});

/** A published adapter whose broker never answers. */
class Silent extends ClusterAdapter {
  readonly published: { type: number; data: unknown }[] = [];

  override serverCount(): Promise<number> {
    return NEVER;
  }

  protected override doPublish(message: never): Promise<string> {
    this.published.push(structuredClone(message));
    return NEVER;
  }

  protected override doPublishResponse(): Promise<void> {
    return NEVER;
  }
}

function serverWith(adapter: unknown, options: ServerOptions = {}): Harness {
  return new Harness({ ...options, adapter: adapter as AdapterConstructor });
}

test("FIX 126: sockets of the own server do not wait for the broker of a published adapter", () => {
  const harness = serverWith(Silent);
  const { io } = harness;
  const { socket, peer } = harness.join();
  io.socketsJoin("room");
  expect([...socket.rooms]).toContain("room");
  io.to("room").emit("news", 1);
  expect(peer.take()).toEqual(['2["news",1]']);
  io.socketsLeave("room");
  expect([...socket.rooms]).not.toContain("room");
  io.disconnectSockets();
  expect(socket.connected).toBe(false);
  const { published } = io.sockets.adapter as unknown as Silent;
  expect(published).toMatchObject([
    { type: 4, data: { opts: { rooms: [], except: [] }, rooms: ["room"] } },
    { type: 3, data: { packet: { type: 2, data: ["news", 1] }, opts: { rooms: ["room"] } } },
    { type: 5, data: { rooms: ["room"] } },
    { type: 6, data: { close: false } },
  ]);
});

test("what is local is not published", () => {
  const harness = serverWith(Silent);
  const { peer } = harness.join();
  harness.io.local.emit("news");
  expect(peer.take()).toEqual(['2["news"]']);
  expect((harness.io.sockets.adapter as unknown as Silent).published).toEqual([]);
});

test("packets that clients may miss wait for their offset, five seconds at most", async () => {
  let answer: ((offset: string) => void) | undefined;
  class Logging extends Silent {
    protected override doPublish(): Promise<string> {
      return new Promise((resolve) => {
        answer = resolve;
      });
    }
  }
  const harness = serverWith(Logging, { connectionStateRecovery: {} });
  const { peer } = harness.join();
  harness.io.emit("first");
  expect(peer.take()).toEqual([]);
  answer?.("1-0");
  await settled();
  expect(peer.take()).toEqual(['2["first","1-0"]']);
  harness.io.emit("second");
  harness.clock.advance(10_000);
  expect(peer.take()).toEqual(['2["second"]']);
});

test("an adapter that overrides a command keeps it", () => {
  const seen: unknown[] = [];
  class Overriding extends Silent {
    override async broadcast(packet: { data?: unknown }): Promise<void> {
      await Promise.resolve();
      seen.push(packet.data);
    }
  }
  serverWith(Overriding).io.emit("news");
  expect(seen).toEqual([]);
  return settled().then(() => expect(seen).toEqual([["news"]]));
});

test("who asks other servers gets an error when the broker never answers", async () => {
  const { io, clock } = serverWith(Silent);
  const asked = Promise.allSettled([
    io.fetchSockets(),
    io.timeout(100).fetchSockets(),
    io.serverSideEmitWithAck("who"),
  ]);
  clock.advance(10_000);
  const error = (ms: number, responses?: unknown[]) => ({
    status: "rejected",
    reason: {
      code: "ERR_CLUSTER_TIMEOUT",
      message: `the broker has not answered for ${ms} ms`,
      ...(responses === undefined ? {} : { responses }),
    },
  });
  expect(await asked).toMatchObject([error(10_000), error(200), error(10_000, [])]);
  expect(clock.pending).toBe(0);
});

test("what the client of a broker rejects is told, and does not escape", async () => {
  const escaped: unknown[] = [];
  const note = (reason: unknown) => void escaped.push(reason);
  process.on("unhandledRejection", note);
  class Client {
    #published = 0;
    publish(): Promise<never> {
      this.#published++;
      return Promise.reject(new Error(`closed ${this.#published}`));
    }
  }
  class Dropping extends Adapter {
    readonly pubClient = new Client();
    override broadcast(): void {
      void this.pubClient.publish();
    }
  }
  const { io, errors } = serverWith(Dropping);
  io.emit("one");
  io.emit("two");
  await settled();
  process.off("unhandledRejection", note);
  expect(escaped).toEqual([]);
  expect(errors).toMatchObject([
    { error: { message: "closed 1" }, context: { source: "adapter", nsp: "/" } },
  ]);
});
