// What the generated tables of docs/ share: the tests by the rows that they name, and the writing.
//
// A test names its rows in parentheses at the end of its name, "a pong restarts the interval (57)",
// or, if they are defects of the official server, at its beginning: "FIX 126: a broker that ...".
// Behaviours have numbers, rows of the API have a letter in front: "close() closes all (106, S17)".
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A string in the place of a test's name: the first of several arguments, or the name of a method. */
const NAME =
  /(?:\(\s*|\basync )(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)(?:\s*,|\(\) \{)/g;

/** What names the rows: "(28)", "(33, 64)", "(45 to 47)", "(behaviours 77, 78)", "(57, R4)". */
const REFERENCE = /\((?:behaviours? )?([A-Z]?\d+b?(?:(?:, | to | and )[A-Z]?\d+b?)*)\)(?::.*)?$/;

/** What names a defect of the official server: "FIX 122: ...", "FIX 122, Q7: ...". */
const FIX = /^FIX ([A-Z]?\d+b?(?:(?:, | to | and )[A-Z]?\d+b?)*):/;

/** The rows of "33, 64", "45 to 47" or "S7 to S10". */
function rowsOf(reference) {
  return reference.split(/, | and /).flatMap((part) => {
    const [first, last = first] = part.split(" to ");
    if (first === last) return [first];
    const [letter] = /^[A-Z]?/.exec(first);
    const from = Number(first.slice(letter.length));
    const to = Number(last.slice(letter.length));
    return Array.from({ length: to - from + 1 }, (_, index) => `${letter}${from + index}`);
  });
}

/** Every file of tests, as a path from the root. */
export function findTestFiles() {
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

/** Every test: its file, its name, and the rows that it names. */
export function findTests() {
  return findTestFiles().flatMap((file) =>
    [...readFileSync(`${root}${file}`, "utf8").matchAll(NAME)].map((match) => {
      const name = (match[1] ?? match[2] ?? match[3]).replaceAll(/\\(["'`\\])/g, "$1");
      const references = [FIX.exec(name)?.[1], REFERENCE.exec(name)?.[1]];
      const rows = references.filter((reference) => reference !== undefined).flatMap(rowsOf);
      return { file, name, rows: [...new Set(rows)] };
    }),
  );
}

/**
 * The tests by row: for each of `ids` a map of file to names. `unknown` are the references that
 * `isOurs` takes for rows of this list, which are none.
 */
export function collect(ids, isOurs) {
  const tests = new Map(ids.map((id) => [id, new Map()]));
  const unknown = [];
  for (const { file, name, rows } of findTests()) {
    for (const row of rows.filter(isOurs)) {
      const files = tests.get(row);
      if (files === undefined) unknown.push(`${file}: ${name}`);
      else addTest(files, file, name);
    }
  }
  return { tests, unknown };
}

/** Adds a test to the tests of a row. */
export function addTest(files, file, name) {
  const names = files.get(file) ?? [];
  if (!names.includes(name)) files.set(file, [...names, name]);
}

/** Text as code in Markdown. */
export function code(text) {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A link from docs/ to a test file. */
export function linkTo(file) {
  return `[${file.replace("packages/", "")}](../${file})`;
}

/**
 * Writes a document, or with the argument `--check` compares it with what is there. Reports the
 * problems, and makes the process fail if there are any.
 */
export async function publish({ file, command, markdown, problems }) {
  const output = `${root}${file}`;
  const rendered = await format(markdown, { parser: "markdown", printWidth: 100 });
  const found = [...problems];
  if (!process.argv.includes("--check")) writeFileSync(output, rendered);
  else if (readOutput(output) !== rendered) found.push(`${file} is stale: run ${command}`);
  for (const problem of found) console.error(problem);
  process.exitCode = found.length === 0 ? 0 : 1;
}

function readOutput(output) {
  try {
    return readFileSync(output, "utf8");
  } catch {
    return undefined; // not made yet
  }
}
