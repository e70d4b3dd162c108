import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { type Cell, CELLS, collect, connect, ready } from "../support/clients.js";
import { first, received } from "../support/wait.js";
import {
  type Example,
  isAlive,
  processesOf,
  runProgram,
  startExample,
  useExample,
} from "./example.js";

const NAME = "cluster-redis";
const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);

useExample(NAME);

interface Person {
  readonly name: string;
  readonly node: string;
}

interface Guest extends Person {
  readonly client: Socket;
}

const start = (env?: NodeJS.ProcessEnv): Promise<Example> => startExample(NAME, env);

async function enter(example: Example, name: string, cell: Cell): Promise<Guest> {
  const client = connect(example.port, cell, { auth: { name }, reconnection: true });
  const welcome = first<Person>(client, "welcome");
  await ready(client, cell);
  return { client, name, node: (await welcome).node };
}

/** Two guests over each transport, one after the other, so that the nodes take turns. */
async function fill(example: Example): Promise<Guest[]> {
  const guests: Guest[] = [];
  for (const cell of [...CELLS_OF_LATEST, ...CELLS_OF_LATEST]) {
    guests.push(await enter(example, `Guest ${guests.length}`, cell));
  }
  return guests;
}

const who = async ({ client }: Guest): Promise<Person[]> =>
  (await client.emitWithAck("who")) as Person[];

const byName = (people: readonly Person[]): Person[] =>
  people
    .map(({ name, node }) => ({ name, node }))
    .toSorted((one, other) => one.name.localeCompare(other.name));

/** What each guest is told when one says something. */
async function said(speaker: Guest, audience: readonly Guest[], text: string): Promise<unknown[]> {
  const heard = audience.map(({ client }) => first(client, "said"));
  speaker.client.emit("say", text);
  return Promise.all(heard);
}

describe("the cluster", { timeout: 60_000 }, () => {
  test("spreads clients over its nodes, and is one server to them", async () => {
    const guests = await fill(await start());
    expect(guests.map(({ node }) => node).toSorted()).toEqual(["A", "A", "A", "B", "B", "B"]);

    // Several requests each: those of the polling clients reach the node that knows them.
    for (const guest of guests) expect(byName(await who(guest))).toEqual(byName(guests));

    for (const speaker of guests) {
      const { name, node } = speaker;
      const message = { name, node, room: "lobby", text: "hello" };
      expect(await said(speaker, guests, "hello")).toEqual(guests.map(() => message));
    }

    const [left, ...others] = guests as [Guest, ...Guest[]];
    const news = others.map(({ client }) => first(client, "news"));
    left.client.disconnect();
    const text = `${left.name} has left node ${left.node}`;
    expect(await Promise.all(news)).toEqual(others.map(() => text));
  });

  test("has rooms that reach over nodes, and no further than the room", async () => {
    const guests = await fill(await start());
    const [inside, outside] = [guests.slice(0, 4), guests.slice(4)];
    expect(new Set(inside.map(({ node }) => node)).size).toBe(2);
    expect(new Set(outside.map(({ node }) => node)).size).toBe(2);
    for (const { client } of inside) {
      expect(await client.emitWithAck("join", "tea")).toEqual({ room: "tea" });
    }
    const wrong = outside.map(({ client }) => collect(client, "said"));
    for (const speaker of inside) {
      const { name, node } = speaker;
      const message = { name, node, room: "tea", text: "sugar?" };
      expect(await said(speaker, inside, "sugar?")).toEqual(inside.map(() => message));
    }
    // Messages keep their order, so these are the first only if no other was before.
    const [speaker] = outside as [Guest];
    await said(speaker, outside, "anybody?");
    for (const calls of wrong)
      expect(calls).toEqual([[expect.objectContaining({ room: "lobby" })]]);
    expect(byName(await who(inside[0] as Guest))).toEqual(byName(inside));
  });

  test("loses nodes: their clients come back, the others notice nothing, new nodes come", async () => {
    const example = await start();
    let guests = await fill(example);
    for (const [name, signal] of [
      ["A", "SIGKILL"],
      ["B", "SIGTERM"],
    ] as const) {
      const pid = processesOf(example.output()).get(`Node ${name}`) as number;
      const lost = guests.filter(({ node }) => node === name);
      const kept = guests.filter(({ node }) => node !== name);
      expect([lost.length > 0, kept.length > 0]).toEqual([true, true]);
      const ids = kept.map(({ client }) => client.id);
      const back = lost.map(async (guest) => {
        const { node } = await first<Person>(guest.client, "welcome");
        return { ...guest, node };
      });
      process.kill(pid, signal);
      const found = await Promise.all(back);
      expect(kept.map(({ client }) => client.id)).toEqual(ids);
      await example.printed(new RegExp(`^Node ${name}: process (?!${pid}\\b)\\d+`, "m"));
      // The new node takes its turn.
      const [cell] = CELLS_OF_LATEST as [Cell];
      const newcomers = [
        await enter(example, `1 after ${name}`, cell),
        await enter(example, `2 after ${name}`, cell),
      ];
      expect(newcomers.map(({ node }) => node).toSorted()).toEqual(["A", "B"]);
      guests = [...kept, ...found, ...newcomers];
      for (const speaker of newcomers) {
        const heard = await said(speaker, guests, "hello");
        expect(heard).toEqual(guests.map(() => expect.objectContaining({ name: speaker.name })));
      }
    }
  });

  test("takes no harm from what it does not understand", async () => {
    const example = await start();
    const [ada, bob] = (await fill(example)) as [Guest, Guest];
    const heard = collect(bob.client, "said");
    for (const args of [[], [null], [7], [{ toString: 1 }, 2]] as unknown[][]) {
      for (const event of ["join", "say", "who"]) ada.client.emit(event, ...args);
    }
    expect(await ada.client.emitWithAck("join", { room: 1 })).toEqual({ room: "lobby" });
    // Terminals obey control characters.
    await said(ada, [ada, bob], " a\u001b[31mb ");
    expect(heard).toEqual([[expect.objectContaining({ text: "a[31mb" })]]);
    const bad = await fetch(`${example.url}/socket.io/?EIO=4&transport=polling&sid=A-nobody`);
    expect([bad.status, await bad.json()]).toEqual([
      400,
      { code: 1, message: "Session ID unknown" },
    ]);
  });

  test("has a page, and a client for the terminal", async () => {
    const example = await start();
    const page = await fetch(example.url);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toContain('<script src="/socket.io/socket.io.js">');
    expect((await fetch(`${example.url}/socket.io/socket.io.js`)).status).toBe(200);

    const [cell] = CELLS_OF_LATEST as [Cell];
    const ada = runProgram(NAME, "client.js", ["Ada", example.url]);
    const [, node] = await ada.printed(/You are on node ([AB]), in lobby/);
    const bob = await enter(example, "Bob", cell);
    expect(bob.node).not.toBe(node);
    const heard = first(bob.client, "said");
    ada.child.stdin?.write("hello\n/who\n");
    expect(await heard).toEqual({ name: "Ada", node, room: "lobby", text: "hello" });
    await ada.printed(new RegExp(`^\\* .*Bob@${bob.node}`, "m"));
    bob.client.emit("say", "hello Ada");
    await ada.printed(new RegExp(`^lobby\\| Bob@${bob.node}: hello Ada$`, "m"));
    ada.child.stdin?.end("/join tea\n");
    expect(await ada.ended).toEqual([0, null]);
    expect(ada.output()).toContain("* You are in tea");
  });
});

describe("the command", { timeout: 60_000 }, () => {
  test("ends on Ctrl+C and on SIGTERM with all that it has started, and nothing else", async () => {
    const examples = await Promise.all([start(), start()]);
    for (const [example, end] of [
      // The terminal sends the signal to all processes of the command.
      [examples[0], () => process.kill(-(examples[0].child.pid as number), "SIGINT")],
      [examples[1], () => examples[1].child.kill("SIGTERM")],
    ] as const) {
      const guests = await fill(example);
      expect(byName(await who(guests[0] as Guest))).toEqual(byName(guests));
      const gone = guests.map(({ client }) => received(client, "disconnect"));
      const processes = [...processesOf(example.output())];
      expect(processes.map(([name]) => name)).toEqual(["Redis", "Node A", "Node B"]);
      expect(processes.map(([, pid]) => isAlive(pid))).toEqual([true, true, true]);
      const before = example.output();
      end();
      expect(await example.ended).toEqual([0, null]);
      expect(processes.map(([, pid]) => isAlive(pid))).toEqual([false, false, false]);
      // Nobody complains on the way.
      expect(example.output()).toBe(before);
      await Promise.all(gone);
    }
  });

  test("ends with an explanation when Redis is not installed", async () => {
    const { ended, output } = runProgram(NAME, "server.js", [], { PATH: "/nowhere" });
    expect(await ended).toEqual([1, null]);
    expect(output()).toContain("apt-get install redis-server");
    expect(output()).not.toContain("process ");
  });

  test("ends with an explanation when REDIS_URL leads nowhere", async () => {
    const env = { REDIS_URL: "redis://127.0.0.1:1" };
    const { ended, output } = runProgram(NAME, "server.js", [], env);
    expect(await ended).toEqual([1, null]);
    expect(output()).toContain("ECONNREFUSED");
  });

  test("uses the Redis of REDIS_URL, and leaves it alone", async () => {
    const other = await start();
    const [, port] = (await other.printed(/^Redis: .*port (\d+)/m)) as unknown as [string, string];
    const example = await start({ REDIS_URL: `redis://127.0.0.1:${port}` });
    expect([...processesOf(example.output()).keys()]).toEqual(["Node A", "Node B"]);
    const [cell] = CELLS_OF_LATEST as [Cell];
    const guests = [await enter(other, "Ada", cell), await enter(example, "Bob", cell)] as const;
    // Four nodes on one Redis.
    expect(await said(guests[0], guests, "hello")).toHaveLength(2);
    expect(await example.stop()).toEqual([0, null]);
    expect(await who(guests[0])).toHaveLength(1);
  });

  test("ends when Redis dies", async () => {
    const example = await start();
    const processes = processesOf(example.output());
    process.kill(processes.get("Redis") as number, "SIGKILL");
    expect(await example.ended).toEqual([1, null]);
    expect(example.output()).toContain("Redis has ended (SIGKILL).");
    expect([...processes.values()].map(isAlive)).toEqual([false, false, false]);
  });

  test("ends with what it has started when the port is taken", async () => {
    const squatter = createServer().listen(0);
    await once(squatter, "listening");
    onCleanup(() => squatter.close());
    const { port } = squatter.address() as AddressInfo;
    const { ended, output } = runProgram(NAME, "server.js", [], { PORT: `${port}` });
    expect(await ended).toEqual([1, null]);
    expect(output()).toContain("EADDRINUSE");
    expect([...processesOf(output()).values()].map(isAlive)).toEqual([false, false, false]);
  });
});
