import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Socket } from "socket.io-client";
import { beforeAll, describe, expect, test } from "vitest";
import { type Cell, CELLS, collect, connect, ready } from "../support/clients.js";
import { first } from "../support/wait.js";
import { type Example, folderOf, runProgram, startExample, useExample } from "./example.js";

const NAME = "typed-events";
const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);
const [CELL] = CELLS_OF_LATEST as [Cell];

// Compiles the example.
useExample(NAME);

const start = (): Promise<Example> => startExample(NAME);

function enter(example: Example, name: string, cell: Cell = CELL): Promise<Socket> {
  return ready(connect(example.port, cell, { auth: { name } }), cell);
}

function administer(example: Example, level: string): Promise<Socket> {
  return ready(connect(example.port, CELL, { nsp: "/admin", auth: { level } }), CELL);
}

/** What the compiler says of programs; each is one file. */
async function objections(programs: readonly string[]): Promise<string[]> {
  const folder = fileURLToPath(folderOf(NAME));
  // Within the folder of the example, where its packages are found.
  const directory = await mkdtemp(join(folder, "dist", "try-"));
  const files = programs.map((_program, index) => `program-${index}.ts`);
  try {
    for (const [index, file] of files.entries()) {
      await writeFile(join(directory, file), programs[index] ?? "");
    }
    const config = {
      extends: join(folder, "tsconfig.json"),
      compilerOptions: { noEmit: true, rootDir: folder },
      files,
      include: [],
    };
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
    const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", folderOf(NAME)));
    const output = await new Promise<string>((resolve) => {
      execFile(tsc, ["--pretty", "false", "-p", directory], (_error, stdout) => resolve(stdout));
    });
    return output.split("\n").filter((line) => line.includes("error TS"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("the list", { timeout: 30_000 }, () => {
  test.each(CELLS_OF_LATEST)("is the same for all, $transport", async (cell) => {
    const example = await start();
    const clients = [await enter(example, "Ada", cell), await enter(example, "Bob", cell)] as const;
    const [ada, bob] = clients;
    const task = { id: 1, text: "Write types", by: "Ada", isDone: false };
    const added = clients.map((client) => first(client, "task"));
    expect(await ada.emitWithAck("add", "Write types")).toEqual({ ok: true, value: task });
    expect(await Promise.all(added)).toEqual([task, task]);

    const done = { ...task, isDone: true };
    const changed = clients.map((client) => first(client, "task"));
    expect(await bob.emitWithAck("toggle", 1)).toEqual({ ok: true, value: done });
    expect(await Promise.all(changed)).toEqual([done, done]);

    const late = connect(example.port, cell, { auth: { name: "Eve" } });
    expect(await first(late, "tasks")).toEqual([done]);
  });

  test("answers what is wrong, whatever the types of the client were", async () => {
    const example = await start();
    const nobody = connect(example.port, CELL, { auth: { name: 7 } });
    expect(await first(nobody, "connect_error")).toMatchObject({
      message: "please say who you are",
    });
    const ada = await enter(example, "Ada");
    for (const args of [[], [7], ["text", "more"]] as unknown[][]) {
      for (const event of ["add", "toggle"]) ada.emit(event, ...args);
    }
    const wrong = { ok: false, error: "a task has 1 to 100 characters" };
    for (const text of [7, "", "a".repeat(101), null]) {
      expect(await ada.emitWithAck("add", text)).toEqual(wrong);
    }
    const missing = { ok: false, error: "there is no task 7" };
    expect(await ada.emitWithAck("toggle", 7)).toEqual(missing);
    expect(await ada.emitWithAck("add", "text")).toMatchObject({ ok: true, value: { id: 1 } });
  });
});

describe("the namespace /admin", { timeout: 30_000 }, () => {
  test("has events and data of its own", async () => {
    const example = await start();
    const ada = await enter(example, "Ada");
    const [reader, writer] = [
      await administer(example, "read"),
      await administer(example, "write"),
    ] as const;
    const log = first(reader, "log");
    await ada.emitWithAck("add", "Write types");
    expect(await log).toBe('Ada added "Write types"');
    expect(await reader.emitWithAck("clear")).toBe(0);
    const tasks = first(ada, "tasks");
    expect(await writer.emitWithAck("clear")).toBe(1);
    expect(await tasks).toEqual([]);
  });

  test("asks all clients, and does not wait for those who stay silent", async () => {
    const example = await start();
    const [ada] = [await enter(example, "Ada"), await enter(example, "Bob")];
    ada.on("still there?", (answer: (doing: string) => void) => answer("thinking"));
    const admin = await administer(example, "read");
    const logged = collect(admin, "log");
    expect(await admin.emitWithAck("survey")).toEqual(["thinking"]);
    expect(logged).toEqual([]);
  });
});

describe("the client", { timeout: 30_000 }, () => {
  test("speaks with the server", async () => {
    const example = await start();
    const client = runProgram(NAME, "dist/client.js", ["Ada", example.url]);
    expect(await client.ended).toEqual([0, null]);
    const lines = client.output().split("\n");
    expect(lines).toContain("0 tasks");
    expect(lines).toContain("[ ] Write types (Ada)");
    expect(lines).toContain("[x] Write types (Ada)");
    expect(lines.at(-1)).toBe("Ada looks at the list");
  });

  test("says why it was refused", async () => {
    const example = await start();
    const client = runProgram(NAME, "dist/client.js", ["", example.url]);
    expect(await client.ended).toEqual([0, null]);
    expect(client.output()).toBe("please say who you are");
  });
});

describe("the compiler", { timeout: 60_000 }, () => {
  const PREAMBLE = `
import { Server } from "@jackfield/socketio";
import { io as connect, type Socket } from "socket.io-client";
import type * as E from "../../src/events.js";
declare const io: Server<
  E.ClientToServerEvents, E.ServerToClientEvents, E.InterServerEvents, E.SocketData
>;
const admin = io.of<E.AdminToServerEvents, E.ServerToAdminEvents, E.InterServerEvents, E.AdminData>(
  "/admin",
);
const list: Socket<E.ServerToClientEvents, E.ClientToServerEvents> = connect();
`;

  const RIGHT = `
io.emit("tasks", []);
io.on("connection", (socket) => socket.data.name.toUpperCase());
io.serverSideEmit("reload");
admin.emit("log", "line");
admin.on("connection", (socket) => socket.on("clear", (answer) => answer(1)));
const added: Promise<E.Answer<E.Task>> = list.emitWithAck("add", "text");
`;

  const WRONG = [
    ["an event that nobody knows", 'io.emit("taks", []);'],
    ["an argument too few", 'io.emit("tasks");'],
    ["an argument of another type", 'io.emit("tasks", ["text"]);'],
    ["an event of another namespace", 'admin.emit("tasks", []);'],
    ["data of another namespace", 'admin.on("connection", (socket) => socket.data.name);'],
    ["an answer of another type", 'io.on("connection", (s) => s.on("add", (_t, a) => a(7)));'],
    ["an event that only servers send", 'list.emit("task", { id: 1 });'],
    ["an answer that was not looked at", 'void list.emitWithAck("add", "x").then((a) => a.value);'],
  ] as const;

  let said: readonly string[];

  beforeAll(async () => {
    said = await objections([RIGHT, ...WRONG.map(([, line]) => line)].map((it) => PREAMBLE + it));
  }, 60_000);

  /** The numbers of the lines of a program to which the compiler objects. */
  function objectionsTo(index: number): (string | undefined)[] {
    const ofProgram = said.filter((line) => line.includes(`program-${index}.ts`));
    return ofProgram.map((line) => /\.ts\((\d+),\d+\)/.exec(line)?.[1]);
  }

  test("lets through what fits the maps", () => {
    expect(objectionsTo(0)).toEqual([]);
    // Nor to anything else.
    expect(said).toHaveLength(WRONG.length);
  });

  test.each(WRONG.map(([name], index) => [name, index + 1] as const))(
    "refuses %s",
    (_name, index) => {
      expect(objectionsTo(index)).toEqual([`${PREAMBLE.split("\n").length}`]);
    },
  );
});

test.each([["SIGTERM" as const], ["SIGINT" as const]])("the example ends on %s", async (signal) => {
  const example = await start();
  const clients = await Promise.all(CELLS_OF_LATEST.map((cell) => enter(example, "Ada", cell)));
  const gone = clients.map((client) => first(client, "disconnect"));
  expect(await example.stop(signal)).toEqual([0, null]);
  expect(await Promise.all(gone)).toHaveLength(clients.length);
  expect(example.output().split("\n")).toHaveLength(1);
});
