import { ClusterAdapterWithHeartbeat } from "socket.io-adapter";
import { expect, onTestFinished, test } from "vitest";
import type { AdapterConstructor } from "../../src/adapter/contract.js";
import type { RemoteSocket } from "../../src/api.js";
import { Harness, settled } from "../harness.js";

/** Two servers whose adapters, published ones, talk to each other without a broker. */
async function cluster(): Promise<[Harness, Harness]> {
  const nodes = new Set<MemoryAdapter>();
  class MemoryAdapter extends ClusterAdapterWithHeartbeat {
    constructor(nsp: never) {
      super(nsp, {});
      nodes.add(this);
    }

    protected override doPublish(message: never): Promise<string> {
      const copy = structuredClone(message);
      setImmediate(() => {
        for (const node of nodes) node.onMessage(copy, "0-0");
      });
      return Promise.resolve("0-0");
    }

    protected override doPublishResponse(_uid: never, response: never): Promise<void> {
      const copy = structuredClone(response);
      setImmediate(() => {
        for (const node of nodes) node.onResponse(copy);
      });
      return Promise.resolve();
    }
  }
  const adapter = MemoryAdapter as unknown as AdapterConstructor;
  const harnesses: [Harness, Harness] = [new Harness({ adapter }), new Harness({ adapter })];
  onTestFinished(async () => {
    for (const { io } of harnesses) await io.close();
  });
  // Each has to hear of the other first.
  for (const { io } of harnesses) {
    while ((await io.sockets.adapter.serverCount()) < 2) await settled();
  }
  return harnesses;
}

test("broadcasts reach the sockets of both servers, local ones do not", async () => {
  const [a, b] = await cluster();
  const [near, far] = [a.join(), b.join()];
  void far.socket.join("room");
  const message = far.peer.next();
  a.io.to("room").emit("news", 1);
  expect(await message).toBe('2["news",1]');
  const next = far.peer.next();
  a.io.local.emit("here");
  a.io.emit("everywhere");
  expect(await next).toBe('2["everywhere"]');
  expect(near.peer.take()).toEqual(['2["here"]', '2["everywhere"]']);
  expect([...a.errors, ...b.errors]).toEqual([]);
});

test("the responses of both servers are collected", async () => {
  const [a, b] = await cluster();
  const [near, far] = [a.join(), b.join()];
  const answers = a.io.timeout(10_000).emitWithAck("question");
  for (const { peer } of [near, far]) {
    const packet = String(await peer.next());
    peer.send(`3${packet.slice(1, packet.indexOf("["))}["${peer === near.peer ? "near" : "far"}"]`);
  }
  expect(((await answers) as string[]).toSorted()).toEqual(["far", "near"]);
});

test("sockets of the other server are fetched, moved and disconnected", async () => {
  const [a, b] = await cluster();
  const { socket, peer } = b.join();
  socket.data = { user: "far" };
  const [found] = (await a.io.fetchSockets()) as RemoteSocket<never, unknown>[];
  expect(found).toMatchObject({ id: socket.id, data: { user: "far" } });
  expect(found?.rooms).toEqual(new Set([socket.id]));
  expect(found?.handshake.url).toBe(socket.handshake.url);
  found?.join("room");
  while (!socket.rooms.has("room")) await settled();
  found?.disconnect();
  expect(await peer.next()).toBe("1");
});

test("server-side events reach the other server and bring back its response", async () => {
  const [a, b] = await cluster();
  a.io.on("hello", () => expect.unreachable());
  b.io.on("hello", (name: string, respond: (text: string) => void) => respond(`hi ${name}`));
  expect(await a.io.serverSideEmitWithAck("hello", "a")).toEqual(["hi a"]);
});
