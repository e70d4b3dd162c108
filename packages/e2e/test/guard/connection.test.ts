// What a connection, a membership and an event cost in memory, measured in a process of its own.
// Objects and what they take are counted in a snapshot of the heap, exactly, and hardly depend on the
// machine; another major version of Node.js may need other limits. A change that lowers a number
// should lower its limit, too.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { range } from "../support/range.js";
import { RawClient } from "../support/raw-clients.js";
import { type CallProbe, startProbe } from "./probe-process.js";

/** They come first: what is made once for all connections is there afterwards. */
const FIRST = 200;
const COUNTED = 400;
const ROOMS = 100;
const EVENTS = 1000;
const RECIPIENTS = 100;
const BROADCASTS = 100;

/** A full collection takes its time on a busy machine. */
const PATIENT = { timeout: 120_000 };

/** Compiled code lies on the heap, too, and comes and goes with the load of the machine. */
const STEADY = ["--jitless", "--no-flush-bytecode"];

/** So large a young generation that nothing is collected: the heap grows by what is allocated. */
const UNCOLLECTED = ["--min-semi-space-size=256", "--max-semi-space-size=256"];

/**
 * Opens connections that have joined the main namespace, few at a time: Node.js keeps as many HTTP
 * parsers as were ever needed at once.
 */
async function connect(port: number, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    clients.push(...(await Promise.all(range(10).map(() => join(port)))));
  }
  return clients;
}

async function join(port: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  await client.join();
  return client;
}

test(
  "an idle connection has few objects and bytes, and no timer or table of its own",
  PATIENT,
  async () => {
    const probe = await startProbe(...STEADY);
    const port = await probe("listen");
    await connect(port, FIRST);
    const before = await probe("holdings");
    await connect(port, COUNTED);
    const after = await probe("holdings");

    const each = (name: keyof typeof before.objects) =>
      (after.objects[name] - before.objects[name]) / COUNTED;
    expect({
      maps: each("Map"),
      sets: each("Set"),
      promises: each("Promise"),
      timers: each("Timeout"),
    }).toEqual({ maps: 0, sets: 0, promises: 0, timers: 0 });
    expect(each("Function")).toBeLessThan(2.5);
    expect(each("EventEmitter")).toBeLessThan(5.5);
    expect(each("Object")).toBeLessThan(18.5);
    expect((after.bytes - before.bytes) / COUNTED).toBeLessThan(3300);
  },
);

test(
  "a room membership costs few bytes and no object, and leaves little behind",
  PATIENT,
  async () => {
    const probe = await startProbe(...STEADY);
    await connect(await probe("listen"), COUNTED);
    const first = await probe("holdings");
    await probe("joinRooms", ROOMS);
    await probe("leaveRooms", ROOMS);
    const before = await probe("holdings");
    await probe("joinRooms", ROOMS);
    const after = await probe("holdings");

    const memberships = COUNTED * ROOMS;
    expect((after.objects.Object - before.objects.Object) / memberships).toBeLessThan(0.05);
    expect((after.bytes - before.bytes) / memberships).toBeLessThan(30);
    expect((before.bytes - first.bytes) / memberships).toBeLessThan(6);
  },
);

/** What `work` allocates: the least of several times, because chance only adds. */
async function allocated(probe: CallProbe, work: () => Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let time = 0; time < 8; time++) {
    const before = await probe("heap");
    await work();
    samples.push((await probe("heap")) - before);
  }
  return Math.min(...samples);
}

test("a broadcast allocates little for each recipient", PATIENT, async () => {
  const probe = await startProbe(...UNCOLLECTED);
  await connect(await probe("listen"), RECIPIENTS);

  const bytes = await allocated(probe, () => probe("broadcast", BROADCASTS));
  expect(bytes).toBeGreaterThan(0);
  expect(bytes / BROADCASTS / RECIPIENTS).toBeLessThan(370);
});

test("opening a connection looks up no property in vain", PATIENT, async () => {
  const folder = await mkdtemp(joinPath(tmpdir(), "jackfield-lookups-"));
  onCleanup(() => rm(folder, { recursive: true }));
  const log = joinPath(folder, "log");
  const probe = await startProbe("--log-ic", `--logfile=${log}`, "--no-logfile-per-isolate");
  const port = await probe("listen");
  await connect(port, FIRST);
  const before = await missesIn(log);
  await connect(port, COUNTED);

  expect(before).toBeGreaterThan(0);
  // Without varySocketOptions(): 29.
  expect(((await missesIn(log)) - before) / COUNTED).toBeLessThan(2);
});

/** Lookups in objects of many classes, for which V8 had to search. The last 4 kB may be missing. */
async function missesIn(log: string): Promise<number> {
  return (await readFile(log, "latin1")).match(/^\w*IC,.*,N,N,/gm)?.length ?? 0;
}

test("an echoed event allocates little", PATIENT, async () => {
  const probe = await startProbe(...UNCOLLECTED);
  const client = await join(await probe("listen"));

  const bytes = await allocated(probe, async () => {
    for (let event = 0; event < EVENTS; event++) {
      client.send('42["echo","0123456789012345678901234567890123456789"]');
      await client.next();
    }
  });
  expect(bytes).toBeGreaterThan(0);
  expect(bytes / EVENTS).toBeLessThan(2530);
});
