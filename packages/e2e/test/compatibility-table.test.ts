import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

test(
  "docs/compatibility.md is what the tests say, and every row has one",
  { timeout: 60_000 },
  () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["scripts/compatibility-table.mjs", "--check"],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  },
);

test("no cell of docs/compatibility.md is empty", () => {
  const rows = readFileSync(`${ROOT}docs/compatibility.md`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| **"))
    // Pipes within a cell are escaped.
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1));
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((cells) => cells.length !== 4)).toEqual([]);
  expect(rows.filter((cells) => cells.some((cell) => cell.trim() === ""))).toEqual([]);
});
