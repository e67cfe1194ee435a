/**
 * Where the real checkpoints and reference outputs lie: beside the project, never in it.
 *
 * `HITHERTO_DATA` names the folder; without it, `../shared/data` beside the repository. A test that needs a
 * folder which is absent is skipped, and says so.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describeUnless } from "./support/describe-unless.js";

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

/** `describe`, for tests that need data folders; skipped, with the reason printed, where one is absent. */
export function describeWithData(
  names: string | readonly string[],
  title: string,
  tests: (...folders: string[]) => void,
): void {
  const wanted = [names].flat();
  const absent = wanted.find((name) => dataFolder(name) === undefined);
  const reason = `${join(root, absent ?? "")} is absent; set HITHERTO_DATA to the folder that holds ${absent}`;
  describeUnless(absent === undefined ? undefined : reason, title, () =>
    tests(...wanted.map((name) => join(root, name))),
  );
}
