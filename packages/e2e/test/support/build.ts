import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Set for tests before which `setup` has built our packages. */
    readonly isBuilt?: boolean;
  }
}

/**
 * Runs the script `build` of a folder, which takes a second when nothing has changed.
 *
 * @throws {Error} with what it has printed, if it fails
 */
export function build(folder: URL): void {
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "build"], {
    cwd: fileURLToPath(folder),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}

/** Builds our packages before the tests of the project run: once for all of their processes. */
export function setup(project: TestProject): void {
  const root = new URL("../../../../", import.meta.url);
  build(root);
  project.onTestsRerun(() => build(root));
  project.provide("isBuilt", true);
}
