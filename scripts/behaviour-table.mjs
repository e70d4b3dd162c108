// Writes docs/behaviour.md: the behaviours of behaviour-rows.mjs, each with the tests that name it.
//
// node scripts/behaviour-table.mjs          writes the file
// node scripts/behaviour-table.mjs --check  fails when the file is stale, or a row has no test
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { ROWS, SECTION_TITLES } from "./behaviour-rows.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = `${root}docs/behaviour.md`;

/** A string in the place of a test's name: the first of several arguments, or the name of a method. */
const NAME =
  /(?:\(\s*|\basync )(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)(?:\s*,|\(\) \{)/g;

/** What names the rows: "(28)", "(33, 64)", "(45 to 47)", "(behaviours 77, 78)", "(57, R4)". */
const REFERENCE = /\((?:behaviours? )?([A-Z]?\d+b?(?:(?:, | to | and )[A-Z]?\d+b?)*)\)(?::.*)?$/;

/** Rows are digits; ids with a letter in front are those of other lists. */
function rowsOf(reference) {
  return reference.split(/, | and /).flatMap((part) => {
    const [first, last = first] = part.split(" to ");
    if (!/^\d+b?$/.test(first)) return [];
    if (first === last) return [first];
    const from = Number(first);
    return Array.from({ length: Number(last) - from + 1 }, (_, index) => String(from + index));
  });
}

function testFiles() {
  return readdirSync(`${root}packages`)
    .flatMap((name) => {
      const folder = `packages/${name}/test`;
      try {
        const names = readdirSync(`${root}${folder}`, { recursive: true });
        return names.map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
      } catch {
        return []; // a package without tests
      }
    })
    .filter((file) => file.endsWith(".ts"))
    .sort();
}

/** The tests by row number: a map of file to names for each. */
function collect() {
  const tests = new Map(ROWS.map(({ number }) => [number, new Map()]));
  const unknown = [];
  for (const file of testFiles()) {
    for (const match of readFileSync(`${root}${file}`, "utf8").matchAll(NAME)) {
      const name = (match[1] ?? match[2] ?? match[3]).replaceAll(/\\(["'`\\])/g, "$1");
      const [, reference] = REFERENCE.exec(name) ?? [];
      for (const row of reference === undefined ? [] : rowsOf(reference)) {
        const files = tests.get(row);
        if (files === undefined) unknown.push(`${file}: ${name}`);
        else files.set(file, [...(files.get(file) ?? []), name]);
      }
    }
  }
  return { tests, unknown };
}

const INTRODUCTION = `# Behaviour and tests

What clients on the wire, and the applications of the official server, rely on; of each, the tests
that show it. This file is made by \`node scripts/behaviour-table.mjs\`: the titles are in
\`scripts/behaviour-rows.mjs\`, and a test names its rows by their numbers, in parentheses at the end
of its name.
`;

function code(text) {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function describeRow({ number, title, isPlanned }, files) {
  const lines = [`- **${number}** ${title}${isPlanned && files.size === 0 ? " (planned)" : ""}`];
  for (const [file, names] of files) {
    lines.push(
      `  - [${file.replace("packages/", "")}](../${file}): ${names.map(code).join(" · ")}`,
    );
  }
  return lines;
}

function render(tests) {
  const lines = [INTRODUCTION];
  for (const { section, title } of SECTION_TITLES) {
    lines.push(`## ${section} ${title}`, "");
    for (const row of ROWS.filter((candidate) => candidate.section === section)) {
      lines.push(...describeRow(row, tests.get(row.number)));
    }
    lines.push("");
  }
  return format(lines.join("\n"), { parser: "markdown", printWidth: 100 });
}

function readOutput() {
  try {
    return readFileSync(output, "utf8");
  } catch {
    return undefined; // not made yet
  }
}

const { tests, unknown } = collect();
const rendered = await render(tests);
const problems = unknown.map((test) => `names a row that there is not: ${test}`);
for (const { number, title, isPlanned } of ROWS) {
  if (!isPlanned && tests.get(number).size === 0) {
    problems.push(`no test names row ${number}: ${title}`);
  }
}
if (!process.argv.includes("--check")) writeFileSync(output, rendered);
else if (readOutput() !== rendered) {
  problems.push("docs/behaviour.md is stale: run node scripts/behaviour-table.mjs");
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
