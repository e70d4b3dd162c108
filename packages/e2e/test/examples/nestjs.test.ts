import { createRequire } from "node:module";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { ask } from "../ecosystem/host.js";
import { type Cell, CELLS, connect, ready } from "../support/clients.js";
import { first } from "../support/wait.js";
import { type Example, folderOf, startExample, useExample } from "./example.js";

const NAME = "nestjs";
const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);

useExample(NAME);

const start = (): Promise<Example> => startExample(NAME);

const open = (example: Example, cell: Cell): Promise<Socket> =>
  ready(connect(example.port, cell), cell);

describe("the example with NestJS", { timeout: 30_000 }, () => {
  test("has Jackfield under the name socket.io, in its own modules and in those of NestJS", () => {
    const own = createRequire(folderOf(NAME));
    const gateway = createRequire(realpathSync(own.resolve("@nestjs/platform-socket.io")));
    const ours = realpathSync(
      fileURLToPath(new URL("../../../socketio/package.json", import.meta.url)),
    );
    for (const require of [own, gateway]) {
      expect(realpathSync(require.resolve("socket.io/package.json"))).toBe(ours);
    }
  });

  test.each(CELLS_OF_LATEST)("who enters hears what is said, $transport", async (cell) => {
    const example = await start();
    const [ada, bob, eve] = [
      await open(example, cell),
      await open(example, cell),
      await open(example, cell),
    ] as const;
    expect(await ada.emitWithAck("enter", "Ada")).toEqual(["Ada"]);
    expect(await bob.emitWithAck("enter", "Bob")).toEqual(["Ada", "Bob"]);
    const overheard: unknown[] = [];
    eve.on("said", (message) => overheard.push(message));
    const heard = [ada, bob].map((client) => first(client, "said"));
    expect(await ada.emitWithAck("say", "hello")).toBe(true);
    const message = { name: "Ada", text: "hello" };
    expect(await Promise.all(heard)).toEqual([message, message]);

    const people = first(eve, "people");
    eve.emit("who");
    expect(await people).toEqual(["Ada", "Bob"]);
    expect(overheard).toEqual([]);
  });

  test("who leaves is no longer there", async () => {
    const example = await start();
    const [cell] = CELLS_OF_LATEST as [Cell];
    const [ada, bob] = [await open(example, cell), await open(example, cell)] as const;
    await ada.emitWithAck("enter", "Ada");
    ada.disconnect();
    // The server learns of it over another connection than what it is asked on.
    await expect.poll(() => bob.emitWithAck("enter", "Bob"), { timeout: 10_000 }).toEqual(["Bob"]);
  });

  test("what is wrong is answered with an exception, and harms nobody", async () => {
    const example = await start();
    const [cell] = CELLS_OF_LATEST as [Cell];
    const [ada, bob] = [await open(example, cell), await open(example, cell)] as const;
    await bob.emitWithAck("enter", "Bob");
    for (const [event, argument, text] of [
      ["enter", { toString: 1 }, "a name has 1 to 20 characters"],
      ["enter", "a".repeat(21), "a name has 1 to 20 characters"],
      ["say", "hello", "please enter first"],
    ]) {
      const exception = first<{ message: string }>(ada, "exception");
      ada.emit(event as string, argument);
      expect(await exception).toMatchObject({ status: "error", message: text });
    }
    expect(await bob.emitWithAck("say", { toString: 1 })).toBe(false);
    expect(await bob.emitWithAck("say", "hello")).toBe(true);
  });

  test("serves a page on the same port", async () => {
    const { port } = await start();
    expect(await ask(port, "/")).toMatchObject({
      status: 200,
      body: expect.stringContaining('<script src="/socket.io/socket.io.js">') as unknown,
    });
    expect((await ask(port, "/socket.io/socket.io.js")).status).toBe(200);
  });

  test.each([["SIGTERM" as const], ["SIGINT" as const]])("ends on %s", async (signal) => {
    const example = await start();
    const clients = await Promise.all(CELLS_OF_LATEST.map((cell) => open(example, cell)));
    const gone = clients.map((client) => first(client, "disconnect"));
    // NestJS closes everything, and then lets the signal do what it does.
    expect(await example.stop(signal)).toEqual([null, signal]);
    expect(await Promise.all(gone)).toHaveLength(clients.length);
    expect(example.output().split("\n")).toHaveLength(1);
  });
});
