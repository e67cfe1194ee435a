/** From a configuration's file to a checked configuration whose paths are absolute. */
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { FileNotFoundError, InvalidValueError } from "../../core/errors.js";
import { type ResolvedTrainingConfig, readTrainingConfig } from "../../training/config/config.js";
import { ConfigError } from "../../training/config/kinds.js";
import { withOverrides } from "../../training/config/overrides.js";
import { absolutePaths } from "./paths.js";
import { importTypeScript } from "./type-stripping.js";

/** A configuration that is ready to be run: `run.name` and `run.folder` are settled, all paths absolute. */
export interface SettledConfig extends ResolvedTrainingConfig {
  readonly run: ResolvedTrainingConfig["run"] & { readonly name: string; readonly folder: string };
}

/**
 * Reads `path`, a .json, .ts, .mts, .js or .mjs file.
 * @param overrides - `key.path=value` each, applied before the check
 * @param mustExist - whether paths in it that do not exist are refused
 * @throws FileNotFoundError, ConfigError (which names the file and the key), TypeScriptFileError, DataNotFoundError
 */
export async function loadConfig(
  path: string,
  overrides: readonly string[] = [],
  mustExist = true,
): Promise<SettledConfig> {
  return settle(await readWritten(path), overrides, path, mustExist);
}

/**
 * Checks what was written and settles names and paths.
 * @param path - of the file, which relative paths are read from and which errors name
 */
export function settle(written: unknown, overrides: readonly string[], path: string, mustExist = true): SettledConfig {
  try {
    const config = readTrainingConfig(withOverrides(written, overrides));
    const name = config.run.name ?? basename(path, extname(path));
    const run = { ...config.run, name, folder: resolve(config.run.folder ?? `runs/${name}`) };
    return { ...absolutePaths(config, dirname(resolve(path)), mustExist), run };
  } catch (error) {
    throw error instanceof ConfigError ? error.in(path) : error;
  }
}

/** What the file says, unchecked. @throws FileNotFoundError, TypeScriptFileError, ConfigError for what is no JSON */
export async function readWritten(path: string): Promise<unknown> {
  const extension = extname(path);
  if (![".json", ".ts", ".mts", ".js", ".mjs"].includes(extension)) {
    throw new InvalidValueError("configuration", "a .json, .ts, .mts, .js or .mjs file", path);
  }
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new FileNotFoundError(path, "a training configuration", error.code);
  });
  if (extension !== ".json")
    return importTypeScript(resolve(path), extension.includes("j") ? { kind: "node" } : undefined);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError("", `is not JSON: ${(error as Error).message}`, path);
  }
}
