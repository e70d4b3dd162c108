import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

// Every TypeScript program in the guide and in the READMEs of the packages has to compile.

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const home = join(root, "packages/e2e");
const compiler = join(root, "node_modules/.bin/tsc");
const execute = promisify(execFile);

const OPTIONS = {
  noEmit: true,
  composite: false,
  declaration: false,
  declarationMap: false,
  isolatedDeclarations: false,
  noUnusedLocals: false,
  customConditions: ["@jackfield/source"],
  lib: ["es2023", "dom"],
};

const documents = [
  ...readdirSync(join(root, "docs/guide")).map((name) => join(root, "docs/guide", name)),
  join(root, "README.md"),
  ...["parser", "engine-core", "socketio"].map((name) => join(root, "packages", name, "README.md")),
].filter((file) => file.endsWith(".md"));

interface Snippet {
  /** Where it stands, for whoever reads a failure. */
  readonly origin: string;
  readonly code: string;
}

/** The programs of a document, by the name of a file that could hold them. */
function snippetsOf(document: string): Map<string, Snippet> {
  const text = readFileSync(document, "utf8");
  const snippets = new Map<string, Snippet>();
  for (const match of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
    const line = text.slice(0, match.index).split("\n").length + 1;
    const origin = `${relative(root, document)}:${line}`;
    const file = `${origin.replaceAll(/[^\w]/g, "-")}.mts`;
    // Top-level await needs a module, and a program is one by its imports.
    snippets.set(file, { origin, code: match[1] ?? "" });
  }
  return snippets;
}

/** Compiles programs in a folder of their own; resolves with what the compiler says. */
async function compile(snippets: ReadonlyMap<string, Snippet>): Promise<string[]> {
  // Inside the package, because that is where its dependencies are found.
  const folder = mkdtempSync(join(home, "snippets-"));
  try {
    for (const [file, { code }] of snippets) writeFileSync(join(folder, file), code);
    const config = { extends: join(root, "tsconfig.base.json"), compilerOptions: OPTIONS };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await execute(compiler, ["-p", folder]).catch(
      (failure: { stdout: string }) => failure,
    );
    const found = stdout.split("\n").filter((line) => line.includes("error TS"));
    return found.map((line) =>
      line.replace(/^.*?([\w-]+\.mts)\((\d+),\d+\)/, (_all, file: string, row: string) => {
        return `${snippets.get(file)?.origin}+${row}`;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("there are programs to compile", () => {
  const counts = documents.map((document) => snippetsOf(document).size);
  expect(counts.reduce((total, count) => total + count, 0)).toBeGreaterThan(15);
});

test("the programs of the documents compile", { timeout: 120_000 }, async () => {
  const all = new Map(documents.flatMap((document) => [...snippetsOf(document)]));
  expect(await compile(all)).toEqual([]);
});

test("a program that is wrong would be found", { timeout: 120_000 }, async () => {
  const code = 'import { Server } from "@jackfield/socketio";\nnew Server(3000).emmit("x");\n';
  const wrong = new Map([["wrong.mts", { origin: "wrong", code }]]);
  expect(await compile(wrong)).toEqual([
    expect.stringMatching(/^wrong\+2: error TS\d+: Property 'emmit' does not/),
  ]);
});
