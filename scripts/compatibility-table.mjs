// Writes docs/compatibility.md: the rows of compatibility-rows.mjs, each with the tests that prove it.
//
// node scripts/compatibility-table.mjs          writes the file
// node scripts/compatibility-table.mjs --check  fails when the file is stale, or a row has no test
import { ABSENT, ROWS, SECTION_TITLES } from "./compatibility-rows.mjs";
import {
  addTest,
  code,
  collect,
  findTestFiles,
  findTests,
  linkTo,
  publish,
} from "./tests-by-row.mjs";

const INTRODUCTION = `# Compatibility with npm socket.io

What the npm packages \`socket.io\`, \`engine.io\` and \`socket.io-adapter\` offer to applications and to
other packages; of each, whether this server deliberately differs, and the tests that prove it. Most
of these tests run against the official server as well. What happens on the wire is in
[behaviour.md](behaviour.md), to whose numbers "behaviour" refers.

This file is made by \`node scripts/compatibility-table.mjs\` from \`scripts/compatibility-rows.mjs\`. A
test names its rows in parentheses at the end of its name.
`;

/** Families of rows in this list; other letters belong to other lists. */
const isOurs = (id) => /^[XSOVNKRBCTADI]\d+$/.test(id) && !(id in ABSENT);

/** Pipes end the cells of a table, even within code. */
function cell(text) {
  return text.replaceAll("|", "\\|");
}

function describeTests(files, whole) {
  const named = [...files]
    .filter(([file]) => !whole.includes(file))
    .map(([file, names]) => `${linkTo(file)}: ${names.map(code).join(" · ")}`);
  return [...whole.map((file) => `${linkTo(file)}: the whole file`), ...named].join("<br>");
}

function describeRow(row, files) {
  const cells = [
    `**${row.id}**`,
    row.what,
    row.differs ?? "nowhere",
    describeTests(files, row.files ?? []),
  ];
  return `| ${cells.map(cell).join(" | ")} |`;
}

function render(tests) {
  const lines = [INTRODUCTION];
  for (const section of SECTION_TITLES) {
    // Aligned by the formatter, every line would be as long as the longest.
    lines.push(`## ${section}`, "", "<!-- prettier-ignore -->");
    lines.push("| Row | What it is | Where we differ | Tests |", "| --- | --- | --- | --- |");
    for (const row of ROWS.filter((candidate) => candidate.section === section)) {
      lines.push(describeRow(row, tests.get(row.id)));
    }
    lines.push("");
  }
  lines.push("## Left out on purpose", "");
  for (const [id, reason] of Object.entries(ABSENT)) lines.push(`- **${id}** ${reason}`);
  return `${lines.join("\n")}\n`;
}

/** Adds the tests that name a behaviour of the row. */
function addTestsOfBehaviours(tests) {
  const all = findTests();
  for (const { id, behaviours = [] } of ROWS) {
    for (const { file, name, rows } of all) {
      if (rows.some((row) => behaviours.includes(row))) addTest(tests.get(id), file, name);
    }
  }
}

const { tests, unknown } = collect(
  ROWS.map(({ id }) => id),
  isOurs,
);
addTestsOfBehaviours(tests);
const problems = unknown.map((test) => `names a row that there is not: ${test}`);
const testFiles = new Set(findTestFiles());
for (const { id, what, files = [] } of ROWS) {
  if (tests.get(id).size + files.length === 0) problems.push(`no test names row ${id}: ${what}`);
  for (const file of files.filter((name) => !testFiles.has(name))) {
    problems.push(`${id} names a file that there is not: ${file}`);
  }
}
await publish({
  file: "docs/compatibility.md",
  command: "node scripts/compatibility-table.mjs",
  markdown: render(tests),
  problems,
});
