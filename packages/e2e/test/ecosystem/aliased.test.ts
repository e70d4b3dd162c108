// What applications get that install our package under the name `socket.io`.
import { once } from "node:events";
import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Cell,
  CELLS,
  collect,
  connect,
  type ConnectOptions,
  ready,
} from "../support/clients.js";
import { first, received } from "../support/wait.js";
import { ask } from "./host.js";
import { Installation } from "./installation.js";

const NAME = process.env["SUBJECT"] === "official" ? "socket.io" : "@jackfield/socketio";
const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);
const WEBSOCKET = CELLS_OF_LATEST.find(({ transport }) => transport === "websocket") as Cell;
const POLLING = CELLS_OF_LATEST.find(({ transport }) => transport === "polling") as Cell;

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create({
    linked: [
      "@nestjs/common",
      "@nestjs/core",
      "@nestjs/platform-express",
      "@nestjs/websockets",
      "@socket.io/cluster-adapter",
      "@socket.io/sticky",
      "reflect-metadata",
      "rxjs",
    ],
    copied: ["@nestjs/platform-socket.io"],
  });
}, 120_000);

afterAll(() => installation.remove());

const open = (port: number, cell: Cell, options: ConnectOptions = {}): Promise<Socket> =>
  ready(connect(port, cell, options), cell);

/**
 * Connects through @socket.io/sticky. It learns of a session by a message of the worker, which the
 * client's next request can overtake: that one goes to the wrong worker and is refused. The official
 * server has the same race, so whoever loses it begins anew, as clients that reconnect do.
 */
async function openThroughSticky(port: number, cell: Cell): Promise<Socket> {
  const client = connect(port, cell);
  const lost = Promise.race([received(client, "connect_error"), received(client, "disconnect")]);
  const served = ready(client, cell).then(
    () => new Promise<boolean>((resolve) => client.emit("who", () => resolve(true))),
    () => false,
  );
  const isServed = await Promise.race([lost.then(() => false), served]);
  return isServed ? client : openThroughSticky(port, cell);
}

describe("require()", () => {
  test("gives a function that makes servers, and the classes", async () => {
    const { facts } = await installation.start(new URL("./fixtures/commonjs.cjs", import.meta.url));
    expect(facts).toEqual({
      callable: "function",
      isServer: true,
      isNamespace: true,
      sameClasses: [true, true],
      withPort: true,
      withoutAnything: true,
      name: NAME,
      port: expect.any(Number) as unknown,
    });
    for (const cell of CELLS) {
      const client = await open(facts.port, cell, { path: "/wire" });
      const answer = new Promise((resolve) => {
        client.emit("add", 1, 2, (...args: unknown[]) => resolve(args));
      });
      expect(await answer).toEqual([3, true]);
    }
    expect(await ask(facts.port, "/wire/socket.io.js")).toMatchObject({ status: 400 });
    expect(await ask(facts.port, "/")).toMatchObject({ body: "application" });
  });
});

describe("import", () => {
  test("gives the classes, and the files of the client are found", async () => {
    const { facts } = await installation.start(new URL("./fixtures/module.mjs", import.meta.url));
    expect(facts).toMatchObject({ isNamespace: true, hasDefault: false });
    const client = await open(facts.port, WEBSOCKET, { path: "/wire" });
    const answer = new Promise((resolve) => {
      client.emit("add", 1, 2, (...args: unknown[]) => resolve(args));
    });
    expect(await answer).toEqual([3, true]);
    const file = await ask(facts.port, "/wire/socket.io.js");
    expect(file.status).toBe(200);
    expect(file.body).toContain("Socket.IO");
  });
});

describe("@socket.io/sticky with @socket.io/cluster-adapter, two workers", () => {
  test("every client stays with one worker, and the workers are one server", async () => {
    const { facts } = await installation.start(new URL("./fixtures/sticky.cjs", import.meta.url));
    // All transports, and with polling many requests of one session.
    const cells = [POLLING, ...CELLS, POLLING];
    const clients: Socket[] = [];
    for (const cell of cells) clients.push(await openThroughSticky(facts.port, cell));
    const workers: number[] = [];
    for (const client of clients) {
      const answers = new Set<number>();
      for (let time = 0; time < 3; time += 1) {
        answers.add(await new Promise<number>((resolve) => client.emit("who", resolve)));
      }
      expect(answers.size).toBe(1);
      workers.push(...answers);
    }
    expect(new Set(workers).size).toBe(2);

    // A body in several TCP segments.
    const large = "é".repeat(150_000);
    for (const client of clients) {
      expect(await new Promise((resolve) => client.emit("echo", large, resolve))).toBe(large);
    }

    const [one, ...others] = clients as [Socket, ...Socket[]];
    const other = clients[workers.findIndex((worker) => worker !== workers[0])] as Socket;
    for (const client of [one, other]) {
      await new Promise<void>((resolve) => client.emit("join", "room", resolve));
    }
    const news = [one, other].map((client) => first<Uint8Array>(client, "news"));
    const got = others.map((client) => (client === other ? [] : collect(client, "news")));
    one.emit("broadcast", "room", Buffer.from([1, 2]));
    for (const data of await Promise.all(news))
      expect(Buffer.from(data)).toEqual(Buffer.from([1, 2]));
    expect(await one.emitWithAck("count")).toBe(clients.length);
    expect(got.flat()).toEqual([]);

    for (const client of clients) {
      client.on("question", (answer: (id: unknown) => void) => answer(client.id));
    }
    const ids = (await one.emitWithAck("ask all")) as string[];
    expect(ids.toSorted()).toEqual(clients.map(({ id }) => id as string).toSorted());
    expect(await one.emitWithAck("ask servers")).toEqual([workers.find((id) => id !== workers[0])]);
  });
});

describe("@nestjs/platform-socket.io", () => {
  test("a gateway serves events, namespaces and rooms over all transports", async () => {
    const { facts, child } = await installation.start(
      new URL("./fixtures/nest.mjs", import.meta.url),
    );
    const { port } = facts;
    expect(facts["socketio"]).toBe(NAME);
    const rounds = CELLS_OF_LATEST.flatMap((cell) =>
      ["/", "/chat"].map((nsp) => [cell, nsp] as const),
    );
    for (const [cell, nsp] of rounds) {
      const client = connect(port, cell, { nsp });
      expect(await first(client, "welcome")).toBe(nsp);
      await ready(client, cell);
      expect(await client.emitWithAck("add", [1, 2, 3])).toBe(6);
      const replied = first(client, "replied");
      client.emit("reply", { x: [1] });
      expect(await replied).toEqual({ x: [1] });
      const joined = first(client, "joined");
      expect(await client.emitWithAck("join", "room")).toBe(2);
      expect(await joined).toBe(client.id);
      const binary = first<Uint8Array>(client, "binary");
      client.emit("binary", Buffer.from([1, 2, 3]));
      expect(Buffer.from(await binary)).toEqual(Buffer.from([3, 2, 1]));
      const failure = first(client, "exception");
      client.emit("fail");
      expect(await failure).toMatchObject({ status: "error", message: "as you wish" });
      const gone = once(child, "message");
      client.disconnect();
      expect((await gone)[0]).toEqual({ event: "disconnected" });
    }
    const answered = once(child, "message");
    child.send("seen");
    const [{ seen }] = (await answered) as [{ seen: unknown[] }];
    expect(seen).toEqual([
      ["init", true],
      ["init", true],
      ...rounds.map(() => ["connection", true]),
    ]);
  });
});
