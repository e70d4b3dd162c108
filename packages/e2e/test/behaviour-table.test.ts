import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

test(
  "docs/behaviour.md is what the tests say, and every behaviour has one",
  { timeout: 60_000 },
  () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["scripts/behaviour-table.mjs", "--check"],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  },
);
