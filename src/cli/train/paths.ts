/** Paths in configurations: from the configuration's folder, or from a folder that the environment names. */
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { HithertoError } from "../../core/errors.js";
import { embeddedModels, packageFolder } from "../../embedded-models.node.js";
import type { ResolvedTrainingConfig } from "../../training/config/config.js";
import { isObject } from "../../training/config/kinds.js";

/** A file that a configuration names is not there. */
export class DataNotFoundError extends HithertoError {
  readonly code = "DATA_NOT_FOUND";

  constructor(
    readonly written: string,
    readonly path: string,
    readonly advice: string,
  ) {
    super(`${written}: ${path} does not exist${advice}`);
  }
}

/** The variable that names the folder of the recipes' data; unset: `../shared/data` beside this package. */
const dataVariable = "HITHERTO_DATA";

/**
 * The configuration with every path absolute.
 * @param folder - what relative paths start from
 * @param mustExist - whether a path that does not exist is refused
 * @throws DataNotFoundError, which says what to set
 */
export function absolutePaths(
  config: ResolvedTrainingConfig,
  folder: string,
  mustExist: boolean,
): ResolvedTrainingConfig {
  const one = (path: string) => absolutePath(path, folder, mustExist);
  const data = withAbsoluteLists(config.data, one) as ResolvedTrainingConfig["data"];
  const { model, tokenizer } = config;
  return {
    ...config,
    data,
    model:
      model.kind === "checkpoint" && !embeddedModels().includes(model.path)
        ? { ...model, path: one(model.path) }
        : model,
    ...(tokenizer?.kind === "file" ? { tokenizer: { ...tokenizer, path: one(tokenizer.path) } } : {}),
  };
}

const pathKeys = ["files", "source", "target"];

/** Lists of paths below these keys, however deep. */
function withAbsoluteLists(value: unknown, absolute: (path: string) => string, key = ""): unknown {
  if (Array.isArray(value)) return pathKeys.includes(key) ? value.map((path) => absolute(String(path))) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withAbsoluteLists(each, absolute, name)]),
  );
}

function absolutePath(path: string, folder: string, mustExist: boolean): string {
  const variable = /^\$(\w+)(?=\/|$)/.exec(path);
  const place = variable === null ? folder : folderOf(variable[1]!, path);
  const rest = variable === null ? path : path.slice(variable[0].length + 1);
  const absolute = isAbsolute(rest) ? rest : resolve(place, rest);
  if (!mustExist || existsSync(absolute)) return absolute;
  const name = variable?.[1];
  const advice = name === undefined ? "" : `; set ${name} to the folder that holds ${rest}`;
  throw new DataNotFoundError(path, absolute, advice);
}

function folderOf(variable: string, path: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== "") return resolve(value);
  if (variable === dataVariable) return join(packageFolder(), "..", "shared", "data");
  throw new DataNotFoundError(path, `$${variable}`, `; set ${variable} to a folder`);
}
