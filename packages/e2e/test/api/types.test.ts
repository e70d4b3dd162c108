// Programs that were written for the types of npm `socket.io` compile against ours, unchanged.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { needBuild } from "../support/built.js";
import { onCleanup } from "../support/cleanup.js";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const ROOT = path("../../../../");
const TSC = path("../../../../node_modules/typescript/bin/tsc");

/** A CommonJS program, for which the package is a function that has the classes on it. */
const COMMONJS = `
import { createServer } from "node:http";
import socketio = require("socket.io");
import { type DisconnectReason, Namespace, type RemoteSocket, Server, Socket } from "socket.io";
interface Events {
  news: (text: string) => void;
}
export const io: Server<Events> = new Server<Events>(createServer(), { path: "/x" });
export const other: socketio.Server = new socketio.Server(3000);
export const nsp: Namespace<Events> = io.of("/x");
io.on("connection", (socket: Socket<Events>) => {
  socket.on("news", (text) => console.log(text.length));
  socket.on("disconnect", (reason: DisconnectReason) => console.log(reason));
});
export async function all(): Promise<RemoteSocket<Events, unknown>[]> {
  return io.fetchSockets();
}
export const isSocket = (value: unknown): boolean =>
  value instanceof socketio.Socket || value instanceof Namespace || value instanceof Socket;
`;

/** What the compiler says of a program, for which `types` stands for the package `socket.io`. */
function compile(program: string, types: string, options: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-types-"));
  onCleanup(() => rmSync(folder, { recursive: true }));
  if (program === COMMONJS) writeFileSync(join(folder, "program.cts"), program);
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: true,
      typeRoots: [join(ROOT, "node_modules/@types")],
      paths: { "socket.io": [types] },
      ...options,
    },
    files: [program === COMMONJS ? "program.cts" : path(program)],
    include: [],
  };
  const file = join(folder, "tsconfig.json");
  writeFileSync(file, JSON.stringify(config));
  const { stdout, stderr } = spawnSync(process.execPath, [TSC, "-p", file], { encoding: "utf8" });
  return stdout + stderr;
}

const OFFICIAL = path("../../node_modules/socket.io/dist/index.d.ts");
const OURS = path("../../../socketio/src/index.ts");
const OURS_COMMONJS = path("../../../socketio/index.d.cts");

needBuild();

test.each([
  ["npm socket.io", OFFICIAL],
  ["our types", OURS],
])("a program with every part of the API compiles against %s (S1, X4, T4, T7)", (_name, types) => {
  expect(compile("types/program.ts", types)).toBe("");
});

test.each([
  ["npm socket.io", OFFICIAL],
  ["our types for CommonJS", OURS_COMMONJS],
])("a CommonJS program compiles against %s (X1, X2, X4)", (_name, types) => {
  const options = {
    verbatimModuleSyntax: false,
    erasableSyntaxOnly: false,
    // As an application has it: the built packages, whose types need no option of ours.
    customConditions: [],
  };
  expect(compile(COMMONJS, types, options)).toBe("");
});

test("the compiler does look at the types (X4)", () => {
  expect(compile("types/program.ts", path("support.ts"))).toContain("has no exported member");
});

test("every type of the package has its name for CommonJS, too (X2, X4)", () => {
  const names = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].flatMap(([, found = ""]) =>
      found
        .split(",")
        .map((name) => name.replace(/^\s*type\s/, "").replace(/.*\sas\s/, ""))
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    );
  const exported = names(readFileSync(OURS, "utf8"), /^export (?:type )?\{([^}]*)\}/gm);
  const commonJs = names(readFileSync(OURS_COMMONJS, "utf8"), /^ {2}export type (\w+)/gm);
  expect(commonJs.toSorted()).toEqual(exported.toSorted());
});
