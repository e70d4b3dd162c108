import { FakeClock } from "@jackfield/testkit";
import { expect, test, vi } from "vitest";
import type { AdapterNamespace, AdapterPacket } from "../../src/adapter/contract.js";
import { SessionAwareAdapter } from "../../src/adapter/session-aware.js";

/** As little of a namespace as tests of published adapters have. */
function namespace(parts: Partial<AdapterNamespace> = {}): AdapterNamespace {
  return {
    server: {
      encoder: { encode: () => ["123"] },
      opts: { connectionStateRecovery: { maxDisconnectionDuration: 5000 } },
    },
    sockets: new Map(),
    ...parts,
  } as unknown as AdapterNamespace;
}

function event(...data: unknown[]): AdapterPacket {
  return { nsp: "/", type: 2, data };
}

const SESSION = { sid: "abc", pid: "def", data: "ghi", rooms: ["r1", "r2"] };
const everybody = { rooms: new Set<string>() };

test("an adapter by itself restores a session with what was missed (A11)", () => {
  const adapter = new SessionAwareAdapter(namespace());
  const received = event("hello");
  adapter.broadcast(received, everybody);
  adapter.persistSession(SESSION);
  const offset = received.data[1] as string;
  adapter.broadcast({ ...event("asked"), id: 0 }, everybody);
  adapter.broadcast(event("volatile"), { ...everybody, flags: { volatile: true } });
  adapter.broadcast({ nsp: "/", type: 0, data: [{}] }, everybody);
  adapter.broadcast(event("in a room"), { rooms: new Set(["r1", "r3"]) });
  adapter.broadcast(event("elsewhere"), { rooms: new Set(["r3"]) });
  adapter.broadcast(event("left out"), { ...everybody, except: new Set(["r2"]) });
  adapter.broadcast(event("others left out"), { ...everybody, except: new Set(["r4"]) });
  const session = adapter.restoreSession("def", offset);
  expect(session).toMatchObject(SESSION);
  expect(session?.missedPackets.map((args) => args[0])).toEqual(["in a room", "others left out"]);
  expect(session?.missedPackets[0]).toHaveLength(2);
});

test("an unknown session or offset restores nothing (125)", () => {
  const adapter = new SessionAwareAdapter(namespace());
  const sent = event("hello");
  adapter.broadcast(sent, everybody);
  expect(adapter.restoreSession("abc", sent.data[1] as string)).toBeNull();
  adapter.persistSession(SESSION);
  expect(adapter.restoreSession("def", "abc")).toBeNull();
});

test("offsets of another adapter are none of ours (125)", () => {
  const [one, two] = [new SessionAwareAdapter(namespace()), new SessionAwareAdapter(namespace())];
  const sent = event("hello");
  for (const adapter of [one, two]) adapter.broadcast(event("first"), everybody);
  one.broadcast(sent, everybody);
  two.broadcast(event("hello"), everybody);
  two.persistSession(SESSION);
  expect(two.restoreSession("def", sent.data[1] as string)).toBeNull();
});

test("who has missed too much to be sent at once starts anew (122)", () => {
  const encode = (): string[] => ["x".repeat(1024 * 1024)];
  const server = { encoder: { encode }, opts: { connectionStateRecovery: {} } };
  const adapter = new SessionAwareAdapter(namespace({ server }));
  for (const count of [8, 9]) {
    void adapter.addAll("abc", new Set(["abc"]));
    adapter.persistSession(SESSION);
    for (let number = 0; number < count; number += 1) adapter.broadcast(event("large"), everybody);
    const session = adapter.restoreSession("def", "");
    expect(session === null).toBe(count === 9);
    adapter.delAll("abc");
  }
});

test("a log of many packets restores the last of them in order", () => {
  const adapter = new SessionAwareAdapter(
    namespace({
      server: {
        encoder: { encode: () => ["x"] },
        opts: {
          connectionStateRecovery: { maxDisconnectionDuration: 5000, maxPackets: 100 } as never,
        },
      },
    }),
  );
  const offsets: unknown[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    const packet = event("n", number);
    adapter.broadcast(packet, everybody);
    offsets.push(packet.data[2]);
  }
  expect(new Set(offsets).size).toBe(10_000);
  adapter.persistSession(SESSION);
  const session = adapter.restoreSession("def", offsets[9899] as string);
  const numbers = session?.missedPackets.map((args) => args[1]);
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => 9900 + index));
  adapter.persistSession(SESSION);
  expect(adapter.restoreSession("def", offsets[9898] as string)).toBeNull();
});

test("what could not be encoded is not kept", () => {
  const encode = vi.fn<() => string[]>(() => {
    throw new TypeError("circular");
  });
  const server = { encoder: { encode }, opts: { connectionStateRecovery: {} } };
  const adapter = new SessionAwareAdapter(namespace({ server }));
  void adapter.addAll("abc", new Set(["abc"]));
  expect(() => adapter.broadcast(event("bad"), everybody)).toThrow("circular");
  adapter.persistSession(SESSION);
  expect(adapter.restoreSession("def", "")?.missedPackets).toEqual([]);
});

test("the heartbeat's time is added to the age of packets: they may never have arrived", () => {
  const clock = new FakeClock();
  const opts = {
    connectionStateRecovery: { maxDisconnectionDuration: 1000 },
    pingInterval: 300,
    pingTimeout: 200,
  };
  const server = { encoder: { encode: () => ["x"] }, opts };
  const adapter = new SessionAwareAdapter(namespace({ server, clock }));
  void adapter.addAll("abc", new Set(["abc"]));
  adapter.broadcast(event("lost"), everybody);
  clock.advance(500);
  adapter.persistSession(SESSION);
  clock.advance(1000);
  expect(adapter.restoreSession("def", "")?.missedPackets.map((args) => args[0])).toEqual(["lost"]);
});

test("a closed adapter keeps nothing, and no timer", () => {
  const clock = new FakeClock();
  const adapter = new SessionAwareAdapter(namespace({ clock }));
  adapter.broadcast(event("hello"), everybody);
  adapter.persistSession(SESSION);
  expect(clock.pending).toBe(1);
  void adapter.close();
  expect(clock.pending).toBe(0);
  expect(adapter.restoreSession("def", "")).toBeNull();
});
