/**
 * Where the real checkpoints and reference outputs lie: beside the project, never in it.
 *
 * `HITHERTO_DATA` names the folder; without it, `../shared/data` beside the repository. A test that needs a
 * folder which is absent is skipped, and says so.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = process.env.HITHERTO_DATA ?? join(repository, "..", "shared", "data");

/**
 * The path of a folder of reference data, such as `"format-fixtures"`.
 *
 * @returns undefined when it is not there.
 */
export function dataFolder(name: string): string | undefined {
  const path = join(root, name);
  return existsSync(path) ? path : undefined;
}

/** `describe`, for tests that need the data folder `name`; skipped, with the reason printed, where it is absent. */
export function describeWithData(name: string, title: string, tests: (folder: string) => void): void {
  const folder = dataFolder(name);
  if (folder !== undefined) {
    describe(title, () => tests(folder));
    return;
  }
  const reason = `${join(root, name)} is absent; set HITHERTO_DATA to the folder that holds ${name}`;
  console.warn(`skipped: ${title}: ${reason}`);
  describe(title, () => test.skip(`skipped: ${reason}`, () => {}));
}
