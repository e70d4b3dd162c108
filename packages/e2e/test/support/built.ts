import { inject } from "vitest";

/**
 * Says that the calling test file loads the build of our packages. That is made before the first of
 * such files (`build.ts`).
 *
 * @throws {Error} if nobody has made it, because the file is not in `BUILT` of vitest.config.ts
 */
export function needBuild(): void {
  if (!inject("isBuilt")) {
    throw new Error("this file needs the build: add it to BUILT in vitest.config.ts");
  }
}
