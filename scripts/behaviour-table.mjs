// Writes docs/behaviour.md: the behaviours of behaviour-rows.mjs, each with the tests that name it.
//
// node scripts/behaviour-table.mjs          writes the file
// node scripts/behaviour-table.mjs --check  fails when the file is stale, or a row has no test
import { ROWS, SECTION_TITLES } from "./behaviour-rows.mjs";
import { code, collect, linkTo, publish } from "./tests-by-row.mjs";

const INTRODUCTION = `# Behaviour and tests

What clients on the wire, and the applications of the official server, rely on; of each, the tests
that show it. This file is made by \`node scripts/behaviour-table.mjs\`: the titles are in
\`scripts/behaviour-rows.mjs\`, and a test names its rows by their numbers, in parentheses at the end
of its name.
`;

function describeRow({ number, title, isPlanned }, files) {
  const lines = [`- **${number}** ${title}${isPlanned && files.size === 0 ? " (planned)" : ""}`];
  for (const [file, names] of files) {
    lines.push(`  - ${linkTo(file)}: ${names.map(code).join(" · ")}`);
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
  return lines.join("\n");
}

// Rows are digits; ids with a letter in front are those of other lists.
const { tests, unknown } = collect(
  ROWS.map(({ number }) => number),
  (id) => /^\d+b?$/.test(id),
);
const problems = unknown.map((test) => `names a row that there is not: ${test}`);
for (const { number, title, isPlanned } of ROWS) {
  if (!isPlanned && tests.get(number).size === 0) {
    problems.push(`no test names row ${number}: ${title}`);
  }
}
await publish({
  file: "docs/behaviour.md",
  command: "node scripts/behaviour-table.mjs",
  markdown: render(tests),
  problems,
});
