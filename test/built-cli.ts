/** The compiled command, for tests of a real process: `dist/` where it is up to date, else compiled afresh. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Path of the compiled `cli/main.js`. */
export function builtCommand(): string {
  const built = join(repository, "dist", "cli", "main.js");
  const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" });
  const newest = Math.max(...sources.map((file) => statSync(join(repository, "src", file)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return built;
  return compile();
}

/** Compiles into a folder inside `node_modules`, from where packages are found; removed when the test file has ended. */
function compile(): string {
  const cache = join(repository, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "hitherto-"));
  const output = join(folder, "dist");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const compiler = join(repository, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [compiler, "-p", join(repository, "tsconfig.build.json"), "--outDir", output]);
  for (const kernels of ["native", "wasm"]) {
    const built = join(repository, "dist", kernels);
    if (existsSync(built)) symlinkSync(built, join(output, kernels));
  }
  return join(output, "cli", "main.js");
}
