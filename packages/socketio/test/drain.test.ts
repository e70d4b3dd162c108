import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { type DrainableClient, drainClients } from "../src/drain.js";
import { Harness, noop, record, settled } from "./harness.js";

/** Moves the clock in small steps, so that promises settle between its timers. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed <= ms; passed += 10) {
    clock.advance(passed === 0 ? 0 : 10);
    // oxlint-disable-next-line no-await-in-loop
    await settled();
  }
}

/** A client that can be told when it owes something, and when its connection ends. */
class FakeClient implements DrainableClient {
  pendingAcks = 0;
  releasedAt: number | undefined;
  patience: number | undefined;
  isSlow = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  release(ms: number): Promise<boolean> {
    this.releasedAt = this.#clock.now();
    this.patience = ms;
    if (!this.isSlow) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#clock.setTimeout(() => resolve(false), ms);
    });
  }
}

function crowd(size: number): { clock: FakeClock; clients: FakeClient[] } {
  const clock = new FakeClock();
  return { clock, clients: Array.from({ length: size }, () => new FakeClient(clock)) };
}

test("clients are let go batch by batch", async () => {
  const { clock, clients } = crowd(5);
  const options = { batch: 2, interval: 100, jitter: 0 };
  const done = drainClients(clients, options, { clock, random: () => 0.5 });
  await pass(clock, 500);
  expect(await done).toEqual({ released: 5, cut: 0, lostAcks: 0 });
  expect(clients.map(({ releasedAt }) => releasedAt)).toEqual([0, 0, 100, 100, 200]);
});

test("jitter spreads a batch", async () => {
  const { clock, clients } = crowd(3);
  const numbers = [0, 0.5, 0.9];
  const options = { batch: 3, interval: 100, jitter: 1 };
  const done = drainClients(clients, options, { clock, random: () => numbers.shift() ?? 0 });
  await pass(clock, 200);
  await done;
  expect(clients.map(({ releasedAt }) => releasedAt)).toEqual([0, 50, 90]);
});

test("many clients go in larger batches, because the time has to suffice", async () => {
  const { clock, clients } = crowd(1000);
  const options = { batch: 1, interval: 100, jitter: 0, timeout: 2000 };
  const done = drainClients(clients, options, { clock, random: () => 0 });
  await pass(clock, 2000);
  expect((await done).released).toBe(1000);
  expect(Math.max(...clients.map(({ releasedAt }) => releasedAt ?? 0))).toBeLessThan(1000);
});

test("acknowledgements are waited for, but not for ever", async () => {
  const { clock, clients } = crowd(2);
  const [one, other] = clients as [FakeClient, FakeClient];
  one.pendingAcks = 1;
  other.pendingAcks = 3;
  clock.setTimeout(() => {
    one.pendingAcks = 0;
  }, 300);
  const options = { timeout: 1000, jitter: 0 };
  const done = drainClients(clients, options, { clock, random: () => 0 });
  await pass(clock, 1000);
  expect(await done).toEqual({ released: 2, cut: 0, lostAcks: 3 });
  expect(one.releasedAt).toBe(300);
  expect(other.releasedAt).toBe(500);
});

test("who does not read is cut when the time is over", async () => {
  const { clock, clients } = crowd(3);
  const slow = clients[1] as FakeClient;
  slow.isSlow = true;
  const options = { timeout: 1000, batch: 1, jitter: 0 };
  const done = drainClients(clients, options, { clock, random: () => 0 });
  await pass(clock, 1000);
  expect(await done).toEqual({ released: 2, cut: 1, lostAcks: 0 });
  expect(slow.patience).toBe(900);
  expect(clock.pending).toBe(0);
});

test("without clients it is over at once", async () => {
  const { clock } = crowd(0);
  expect(await drainClients([], {}, { clock, random: () => 0 })).toEqual({
    released: 0,
    cut: 0,
    lostAcks: 0,
  });
});

test("the server lets everybody go, in whatever namespace, or in none", async () => {
  const harness = new Harness();
  harness.io.of("/slow").use(noop);
  const { peer, socket } = harness.join();
  harness.joinWith(peer, "/other");
  const silent = harness.open();
  const waiting = harness.open().send("0/slow,");
  const reasons = record(socket, "disconnecting", "disconnect");
  expect(harness.io.draining).toBe(false);
  const done = harness.io.drain({ timeout: 1000 });
  expect(harness.io.draining).toBe(true);
  expect(harness.io.drain()).toBe(done);
  await pass(harness.clock, 200);
  const { released, cut } = await done;
  expect([released + cut, cut]).toEqual([2, 0]);
  expect(reasons).toEqual([
    ["disconnecting", "server shutting down", undefined],
    ["disconnect", "server shutting down", undefined],
  ]);
  expect(peer.take()).toEqual([]);
  for (const each of [peer, silent, waiting]) expect(each.readyState).toBe("closed");
  expect(harness.engine.isClosed).toBe(true);
});

test("what listeners owe is waited for, and what clients owe", async () => {
  const harness = new Harness();
  const { peer, socket } = harness.join();
  const answers: unknown[] = [];
  let respond = noop;
  socket.on("ask", (callback: () => void) => {
    respond = callback;
  });
  peer.send('27["ask"]');
  socket.emit("asked", (answer: unknown) => answers.push(answer));
  expect(peer.take()).toEqual(['20["asked"]']);
  const done = harness.io.drain({ timeout: 10_000 });
  await pass(harness.clock, 200);
  expect(peer.readyState).toBe("open");
  respond();
  respond();
  await pass(harness.clock, 200);
  expect(peer.readyState).toBe("open");
  peer.send("30[1]");
  await pass(harness.clock, 200);
  expect(await done).toMatchObject({ lostAcks: 0 });
  expect(peer.take()).toEqual(["37[]"]);
  expect(answers).toEqual([1]);
});

test("sessions are there for those who come back (R10)", async () => {
  const kept: unknown[] = [];
  const harness = new Harness({ connectionStateRecovery: {} });
  const { adapter } = harness.io.sockets;
  adapter.persistSession = (session) => kept.push(session.sid);
  const { socket } = harness.join();
  const done = harness.io.drain({ timeout: 1000 });
  await pass(harness.clock, 200);
  await done;
  expect(kept).toEqual([socket.id]);
});

test("close() works after drain(), and does not close the adapter twice", async () => {
  const harness = new Harness();
  let closed = 0;
  harness.io.sockets.adapter.close = () => {
    closed += 1;
  };
  await harness.io.drain();
  await harness.io.close();
  expect(closed).toBe(1);
});

test.each([{ timeout: -1 }, { batch: Number.NaN }, { interval: Infinity }, { jitter: -0.1 }])(
  "its options are checked: %j",
  async (options) => {
    await expect(new Harness().io.drain(options)).rejects.toMatchObject({
      code: "ERR_OPTION_VALUE",
    });
  },
);
