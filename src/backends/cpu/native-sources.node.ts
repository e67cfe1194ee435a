/** Whether a native addon is made of the sources that lie beside this package's JavaScript: another runs silently wrong. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Beside `dist` when compiled, beside `src` when the TypeScript sources run directly: as far up either way. */
const kernelsFolder = fileURLToPath(new URL("../../../kernels", import.meta.url));

/**
 * SHA-256 of the names and contents of the C runtime's sources, as the addon's build writes it into the addon.
 * @returns undefined where there are no sources
 */
export function kernelsFingerprint(folder = kernelsFolder): string | undefined {
  if (!existsSync(folder)) return undefined;
  const hash = createHash("sha256");
  const names = readdirSync(folder).filter((name) => /\.[ch]$/.test(name));
  for (const name of names.sort()) hash.update(`${name}\0${readFileSync(join(folder, name), "utf8")}\0`);
  return hash.digest("hex");
}

/**
 * Why an addon that says what it was built from is not to be used; undefined where it may be, or where nobody can tell:
 * the sources are not there, or the addon was compiled by other means than `dist/tools/build-kernels.js`.
 *
 * @param builtFrom - the addon's answer; empty or undefined where it has none
 * @param expected - `kernelsFingerprint()`
 */
export function whyStale(builtFrom: string | undefined, expected: string | undefined): string | undefined {
  if (expected === undefined || !builtFrom || builtFrom === expected) return undefined;
  return "the native addon was built from other sources than kernels/ has; build it again: node dist/tools/build-kernels.js native";
}
