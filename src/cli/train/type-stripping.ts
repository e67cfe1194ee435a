/**
 * Reads the default export of a TypeScript file. A Node that strips types does it alone; an older one has the
 * `typescript` package, where the file's own project or this one has it, compile the file and what it imports.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, parse, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { HithertoError } from "../../core/errors.js";

/** A TypeScript file cannot be read here, or its compiler refuses it. */
export class TypeScriptFileError extends HithertoError {
  readonly code = "TYPESCRIPT_FILE";

  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

/** How to read TypeScript: by Node itself, or by the program of the `typescript` package. */
export type TypeScriptReader =
  | { readonly kind: "node" }
  | { readonly kind: "compiler"; readonly program: string }
  | { readonly kind: "none" };

export function typeScriptReaderFor(path: string): TypeScriptReader {
  if ("typescript" in process.features && process.features.typescript) return { kind: "node" };
  const program = [path, import.meta.url].map(compilerBeside).find((found) => found !== undefined);
  return program === undefined ? { kind: "none" } : { kind: "compiler", program };
}

function compilerBeside(pathOrAddress: string): string | undefined {
  try {
    const manifest = createRequire(pathOrAddress).resolve("typescript/package.json");
    return join(dirname(manifest), "bin", "tsc");
  } catch {
    return undefined;
  }
}

/**
 * The default export of the TypeScript module at an absolute `path`.
 * @throws TypeScriptFileError where nothing here reads TypeScript, or the file is not valid
 */
export async function importTypeScript(path: string, reader = typeScriptReaderFor(path)): Promise<unknown> {
  if (reader.kind === "none") {
    const how = "use Node 22.18 or later, `npm install typescript` beside the file, or write it as JSON";
    throw new TypeScriptFileError(path, `Node ${process.versions.node} does not read TypeScript by itself; ${how}`);
  }
  if (reader.kind === "node") return defaultOf(path, pathToFileURL(path).href);
  const folder = await mkdtemp(join(await cacheFolder(path), "hitherto-"));
  try {
    await compile(path, folder, reader.program);
    // Below the output folder a file has the path that it has below the root.
    const compiled = join(folder, relative(parse(path).root, path)).replace(/ts$/, "js");
    return await defaultOf(path, pathToFileURL(compiled).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A folder from where the packages that the file imports are found. */
async function cacheFolder(path: string): Promise<string> {
  let folder = dirname(path);
  while (!existsSync(join(folder, "node_modules")) && folder !== dirname(folder)) folder = dirname(folder);
  const cache = join(folder, "node_modules", ".cache");
  if (!existsSync(dirname(cache))) return tmpdir();
  return mkdir(cache, { recursive: true }).then(
    () => cache,
    () => tmpdir(),
  );
}

async function compile(path: string, folder: string, program: string): Promise<void> {
  const compilerOptions = {
    module: "esnext",
    moduleResolution: "bundler",
    target: "es2022",
    noCheck: true,
    isolatedModules: true,
    rewriteRelativeImportExtensions: true,
    types: [],
    rootDir: parse(path).root,
    outDir: folder,
  };
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [path] }));
  await promisify(execFile)(process.execPath, [program, "-p", folder]).catch((error: { stdout?: string }) => {
    throw new TypeScriptFileError(path, (error.stdout ?? String(error)).trim().replace(/^.*?error/, "error"));
  });
}

async function defaultOf(path: string, address: string): Promise<unknown> {
  const module = (await import(address)) as { default?: unknown };
  if (module.default === undefined) throw new TypeScriptFileError(path, "has no default export");
  return module.default;
}
