import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

test("every example has a command, and the documents name it", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const examples = readdirSync(new URL("examples/", ROOT)).filter((name) => name !== "chat");
  const commands = examples.map((name) => [`example:${name}`, `node scripts/example.mjs ${name}`]);
  expect(Object.entries(scripts).filter(([name]) => name.startsWith("example:"))).toEqual(commands);
  for (const name of examples) {
    expect(read("docs/examples.md")).toContain(`npm run example:${name}\``);
    const { main } = JSON.parse(read(`examples/${name}/package.json`)) as { main: string };
    expect(main).toMatch(/^(dist\/)?server\.js$/);
  }
});
