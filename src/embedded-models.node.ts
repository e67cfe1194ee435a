/** Models that lie inside the package, by name; a name also works where a path does. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HithertoError, InternalError } from "./core/errors.js";

/** The model that commands use when none is named. */
export const defaultModel = "stories";

/** The model that `hitherto translate` uses when none is named. */
export const defaultTranslator = "translate-en-fr";

/** No model was named, and this copy of the package has none inside. */
export class NoDefaultModelError extends HithertoError {
  readonly code = "NO_DEFAULT_MODEL";

  constructor(readonly expectedAt: string) {
    super(`no model was named, and the package comes without its own (${expectedAt}); name one with --model PATH`);
  }
}

/**
 * The path of a model: of the embedded `byDefault` when nothing is named, of an embedded model when `nameOrPath` is the
 * name of one and no such file lies in the working folder, else `nameOrPath` itself.
 *
 * @throws NoDefaultModelError when nothing is named and the package has no default model.
 */
export function modelPath(nameOrPath?: string, byDefault = defaultModel): string {
  const embedded = join(packageFolder(), "models", nameOrPath ?? byDefault);
  if (nameOrPath === undefined) {
    if (!existsSync(embedded)) throw new NoDefaultModelError(embedded);
    return embedded;
  }
  return !existsSync(nameOrPath) && embeddedModels().includes(nameOrPath) ? embedded : nameOrPath;
}

/** Names of the embedded models, sorted. */
export function embeddedModels(): string[] {
  const folder = join(packageFolder(), "models");
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The version in the package's own package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as { version: string }).version;
}

/** The folder of this package's package.json, wherever below it this file was compiled to. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new InternalError("the package has no package.json");
    folder = parent;
  }
  return folder;
}
