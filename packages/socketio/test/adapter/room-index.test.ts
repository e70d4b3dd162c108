import { expect, test } from "vitest";
import { Adapter } from "../../src/adapter/in-memory.js";
import type { AdapterNamespace } from "../../src/adapter/contract.js";

const EVENTS = ["create-room", "join-room", "leave-room", "delete-room"] as const;

type Sets = Map<string, Set<string>>;
type Side = "rooms" | "sids";

/** What can be done with rooms, here and in the adapter. */
interface Rooms {
  rooms: Sets;
  sids: Sets;
  add(id: string, room: string): unknown;
  addAll(id: string, rooms: Set<string>): unknown;
  del(id: string, room: string): unknown;
  delAll(id: string): void;
}

/** Two maps of sets that know nothing of each other: what the adapter has to look like. */
class PlainRooms implements Rooms {
  rooms: Sets = new Map();
  sids: Sets = new Map();
  tell: (...event: string[]) => void = () => {};

  add(id: string, room: string): void {
    setOf(this.sids, id).add(room);
    const isNew = !this.rooms.has(room);
    const members = setOf(this.rooms, room);
    if (members.has(id)) return;
    members.add(id);
    if (isNew) this.tell("create-room", room);
    this.tell("join-room", room, id);
  }

  addAll(id: string, rooms: Set<string>): void {
    for (const room of rooms) this.add(id, room);
  }

  del(id: string, room: string): void {
    this.sids.get(id)?.delete(room);
    this.#leave(id, room);
  }

  delAll(id: string): void {
    const rooms = this.sids.get(id);
    this.sids.delete(id);
    for (const room of rooms ?? []) this.#leave(id, room);
  }

  #leave(id: string, room: string): void {
    const members = this.rooms.get(room);
    if (members?.delete(id) !== true) return;
    const isEmpty = members.size === 0;
    if (isEmpty) this.rooms.delete(room);
    this.tell("leave-room", room, id);
    if (isEmpty) this.tell("delete-room", room);
  }
}

function setOf(map: Sets, key: string): Set<string> {
  const set = map.get(key) ?? new Set();
  map.set(key, set);
  return set;
}

/** Numbers that look random, the same for the same seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 7919 + 1;
  }

  /** An integer below the limit. */
  roll(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % limit;
  }

  /** One of these. */
  choose<T>(from: readonly T[]): T {
    return from[this.roll(from.length)] as T;
  }
}

interface World {
  readonly ids: readonly string[];
  /** Some of them are ids: a room may be that of another socket. */
  readonly rooms: readonly string[];
  /** Of a hundred steps, how many join, and how many change sets or maps from outside. */
  readonly joins: number;
  readonly readings: number;
  readonly setChanges: number;
  readonly mapChanges: number;
  /** A listener does something itself once in so many times. */
  readonly idleness: number;
}

type Step = (target: Rooms) => unknown;

/** The next thing to happen. */
function nextStep(world: World, dice: Dice): Step {
  const id = dice.choose(world.ids);
  const room = dice.choose(world.rooms);
  const kind = dice.roll(100);
  const { joins, readings, setChanges, mapChanges } = world;
  let limit = joins;
  if (kind < limit) return kind % 4 === 0 ? ownFirst(id, room) : (target) => target.add(id, room);
  if (kind < (limit += readings)) return reading(id, room, dice);
  if (kind < (limit += setChanges)) return setChange(id, room, dice);
  if (kind < (limit += mapChanges)) return mapChange(id, room, dice);
  return kind % 5 === 0 ? (target) => target.delAll(id) : (target) => target.del(id, room);
}

/** What a server does with a new socket. */
function ownFirst(id: string, room: string): Step {
  return (target) => {
    target.add(id, id);
    return target.addAll(id, new Set([room, id]));
  };
}

function reading(id: string, room: string, dice: Dice): Step {
  switch (dice.roll(3)) {
    case 0:
      return (target) => target.rooms.get(room);
    case 1:
      return (target) => target.sids.get(id);
    default:
      return (target) => [target.rooms.size, target.sids.size, target.sids.has(id)];
  }
}

function setChange(id: string, room: string, dice: Dice): Step {
  const side: Side = dice.choose(["rooms", "sids"]);
  const [key, element] = side === "rooms" ? [room, id] : [id, room];
  const kind = dice.roll(5);
  return (target) => {
    const set = target[side].get(key);
    if (kind === 0) set?.clear();
    else if (kind < 3) set?.delete(element);
    else set?.add(element);
  };
}

function mapChange(id: string, room: string, dice: Dice): Step {
  const side: Side = dice.choose(["rooms", "sids"]);
  const [key, element] = side === "rooms" ? [room, id] : [id, room];
  const kind = dice.roll(8);
  return (target) => {
    if (kind === 0) target[side].clear();
    else if (kind === 1) target[side] = new Map([[key, new Set([element])]]);
    else if (kind < 5) target[side].set(key, new Set([element]));
    else target[side].delete(key);
  };
}

function makeAdapter(ids: readonly string[]): Adapter {
  const sockets = new Map(ids.map((id) => [id, { id }]));
  return new Adapter({ name: "/", sockets, _ids: 0 } as unknown as AdapterNamespace);
}

/** Everything in the maps, in order. */
function contents({ rooms, sids }: Rooms): unknown[] {
  return [rooms, sids].map((map) => [...map].map(([key, set]) => [key, ...set]));
}

/** Does the same to both, and returns what they told and have become. */
async function compare(world: World, seed: number, steps: number): Promise<[unknown, unknown]> {
  const adapter = makeAdapter(world.ids);
  const model = new PlainRooms();
  const dice = new Dice(seed);
  const logs: unknown[][] = [[], []];
  const targets: Rooms[] = [adapter, model];
  // Listeners do something themselves from time to time, and something may come of that.
  const tellers = [0, 1].map((which) => {
    const own = new Dice(seed + 1);
    let depth = 0;
    return (...event: string[]) => {
      logs[which]?.push(event);
      if (depth === 3 || own.roll(world.idleness) > 0) return;
      depth += 1;
      nextStep(world, own)(targets[which] as Rooms);
      depth -= 1;
    };
  });
  for (const name of EVENTS) adapter.on(name, (...args) => tellers[0]?.(name, ...args));
  model.tell = (...event) => tellers[1]?.(...event);
  for (let step = 0; step < steps; step += 1) {
    const next = nextStep(world, dice);
    for (const [which, target] of targets.entries()) {
      const result = next(target);
      if (result instanceof Set) logs[which]?.push([...(result as Set<string>)]);
      else logs[which]?.push(result);
    }
    // Who is in a room, without anybody reading the set.
    const room = dice.choose(world.rooms);
    const known = new Set(world.ids);
    logs[0]?.push([...(await adapter.sockets(new Set([room])))]);
    logs[1]?.push([...(model.rooms.get(room) ?? [])].filter((id) => known.has(id)));
  }
  return [
    [logs[0], contents(adapter)],
    [logs[1], contents(model)],
  ];
}

/** `count` names. */
function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => prefix + index);
}

const IDS = names("s", 6);
const SMALL: World = {
  ids: IDS,
  rooms: [...names("r", 5), ...IDS.slice(0, 3)],
  joins: 60,
  readings: 0,
  setChanges: 0,
  mapChanges: 0,
  idleness: 4,
};

/** Listeners have sockets join that are about to leave all their rooms. */
const RESTLESS: World = {
  ...SMALL,
  ids: names("s", 2),
  rooms: ["r", "s0", "s1"],
  joins: 45,
  idleness: 2,
};

/** Many sockets in a room: lists turn into crowds. */
const LARGE: World = { ...SMALL, ids: names("s", 200), rooms: names("r", 3), joins: 80 };

test.each([
  ["nobody looks", SMALL, 400, 100],
  ["listeners join and leave", RESTLESS, 2000, 30],
  ["sets are read", { ...SMALL, readings: 10 }, 400, 100],
  ["sets are changed", { ...SMALL, readings: 5, setChanges: 8 }, 600, 100],
  ["maps are changed", { ...SMALL, readings: 5, setChanges: 5, mapChanges: 3 }, 600, 100],
  ["rooms are large, and nobody looks", LARGE, 10, 3000],
  ["rooms are large, and sets are read", { ...LARGE, readings: 1, setChanges: 1 }, 10, 3000],
  [
    "sockets are in many rooms",
    { ...LARGE, ids: names("s", 3), rooms: names("r", 200), joins: 85 },
    10,
    3000,
  ],
])("it is two maps of sets where %s", async (_, world, seeds, steps) => {
  const differences: number[] = [];
  for (let seed = 0; seed < seeds; seed += 1) {
    const [actual, expected] = await compare(world, seed, steps);
    if (JSON.stringify(actual) !== JSON.stringify(expected)) differences.push(seed);
  }
  expect(differences).toEqual([]);
});

test.each<[string, Step]>([
  [
    "is back in its own room, leaves that and joins another",
    (target) => {
      target.del("s", "s");
      target.add("s", "r3");
    },
  ],
  [
    "is back in its own room, is read, and leaves another",
    (target) => {
      target.sids.get("s");
      target.del("s", "r2");
    },
  ],
  [
    "is back in its own room, is changed, and leaves all",
    (target) => {
      target.sids.get("s")?.add("r2");
      target.delAll("s");
    },
  ],
  ["is back in a room that it has yet to leave", (target) => target.add("s", "r2")],
])("a socket that leaves all rooms and meanwhile %s", (_, act) => {
  const adapter = makeAdapter(["s"]);
  const model = new PlainRooms();
  const logs = [adapter, model].map((target) => {
    const log: string[][] = [];
    const tell = (...event: string[]): void => {
      log.push(event);
      if (event[0] !== "leave-room" || event[1] !== "s" || log.length > 10) return;
      void target.add("s", "s");
      act(target);
    };
    for (const name of EVENTS)
      adapter.on(name, (...args) => target === adapter && tell(name, ...args));
    if (target === model) model.tell = tell;
    void target.addAll("s", new Set(["s", "r1", "r2"]));
    target.delAll("s");
    return log;
  });
  expect(logs[0]).toEqual(logs[1]);
  expect(contents(adapter)).toEqual(contents(model));
});

test("a set that was read stays the same object", () => {
  const adapter = makeAdapter(IDS);
  void adapter.addAll("s0", new Set(["s0", "r"]));
  const ids = adapter.rooms.get("r");
  const rooms = adapter.sids.get("s0");
  void adapter.add("s1", "r");
  void adapter.add("s0", "r2");
  expect(ids).toEqual(new Set(["s0", "s1"]));
  expect(rooms).toEqual(new Set(["s0", "r", "r2"]));
  expect(adapter.rooms.get("r")).toBe(ids);
  expect(adapter.sids.get("s0")).toBe(rooms);
});

/** A socket of a broadcast, in which somebody does something. */
interface Visitor {
  readonly id: string;
  join(): void;
}

// In one list, with an index, and read from outside.
test.each([
  [5, false],
  [100, false],
  [300, false],
  [5, true],
  [300, true],
])(
  "of %d sockets, everybody who stays is visited once, and nobody who has left",
  (size, isRead) => {
    const ids = names("s", size);
    const dice = new Dice(size);
    const visits: string[] = [];
    const mistakes: string[] = [];
    const stayed = new Set(ids);
    const here = new Set(ids);
    const sockets = new Map<string, Visitor>();
    const adapter = new Adapter({ name: "/", sockets } as unknown as AdapterNamespace);
    const visit = (id: string): void => {
      if (!here.has(id) || visits.includes(id)) mistakes.push(id);
      visits.push(id);
      const leaver = dice.choose(ids);
      stayed.delete(leaver);
      here.delete(leaver);
      if (dice.roll(2) === 0) adapter.delAll(leaver);
      else void adapter.del(leaver, "room");
      void adapter.add(`new ${id}`, "room");
    };
    for (const id of ids) {
      sockets.set(id, { id, join: () => visit(id) });
      void adapter.addAll(id, new Set([id, "room"]));
    }
    if (isRead) adapter.rooms.get("room");
    adapter.addSockets({ rooms: new Set(["room"]) }, ["other"]);
    expect(mistakes).toEqual([]);
    expect(visits).toEqual(expect.arrayContaining([...stayed]));
    expect(visits.length).toBeLessThan(size);
  },
);

test("a socket that leaves and comes back while others are visited is not visited twice", () => {
  const ids = names("s", 4);
  const sockets = new Map<string, Visitor>();
  const adapter = new Adapter({ name: "/", sockets } as unknown as AdapterNamespace);
  const visits: string[] = [];
  const visit = (id: string): void => {
    visits.push(id);
    void adapter.del("s3", "room");
    void adapter.del("s0", "room");
    void adapter.add("s0", "room");
  };
  for (const id of ids) {
    sockets.set(id, { id, join: () => visit(id) });
    void adapter.addAll(id, new Set([id, "room"]));
  }
  adapter.addSockets({ rooms: new Set(["room"]) }, ["other"]);
  expect(visits).toEqual(["s0", "s1", "s2"]);
});

test("who is in an excepted room is left out, however the room is kept", async () => {
  const ids = names("s", 300);
  const adapter = makeAdapter(ids);
  for (const [at, id] of ids.entries()) {
    void adapter.addAll(id, new Set([id, "all"]));
    if (at < 2) void adapter.add(id, "two");
    if (at < 200) void adapter.add(id, "many");
  }
  const left = async (...except: string[]) => {
    const options = { rooms: new Set(["all"]), except: new Set(except) };
    const sockets = await adapter.fetchSockets(options);
    return sockets.map((socket) => (socket as Visitor).id);
  };
  expect(await left("s0")).toEqual(ids.slice(1));
  expect(await left("two")).toEqual(ids.slice(2));
  expect(await left("many")).toEqual(ids.slice(200));
  expect(await left("two", "s299")).toEqual(ids.slice(2, -1));
  adapter.rooms.get("two")?.add("s5");
  expect(await left("two")).toEqual(ids.filter((id) => !["s0", "s1", "s5"].includes(id)));
});

test.each([2, 20, 200])(
  "who leaves an excepted room of %i during a visit is visited, if it is not too late",
  (size) => {
    const ids = names("s", size);
    const sockets = new Map<string, Visitor>();
    const adapter = new Adapter({ name: "/", sockets } as unknown as AdapterNamespace);
    const visits: string[] = [];
    const last = ids.at(-1) ?? "";
    const visit = (id: string): void => {
      visits.push(id);
      void adapter.del(last, "excepted");
    };
    for (const id of ["first", ...ids]) {
      sockets.set(id, { id, join: () => visit(id) });
      void adapter.addAll(id, new Set([id, "all"]));
      if (id !== "first") void adapter.add(id, "excepted");
    }
    adapter.addSockets({ rooms: new Set(["all"]), except: new Set(["excepted"]) }, ["other"]);
    expect(visits).toEqual(["first", last]);
  },
);
