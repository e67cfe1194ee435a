/** Compiles the C runtime into a Node addon with the system's C compiler, without node-gyp. */
import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import {
  commonFlags,
  fingerprint,
  type InstructionSet,
  instructionSetFlags,
  kernelSource,
  kernelsFolder,
  nativeInstructionSets,
  nativeSources,
  readSources,
  root,
  Stamp,
  sourceFlags,
} from "./sources.js";

const run = promisify(execFile);
const folder = join(root, "dist", "native");

export type NativeOutcome =
  | { readonly kind: "built"; readonly without: readonly string[] }
  | { readonly kind: "unchanged" }
  | { readonly kind: "left out"; readonly reason: string }
  | { readonly kind: "failed"; readonly output: string };

/** Builds `dist/native/hitherto.node`, unless it is already what the sources give. */
export async function buildNative(): Promise<NativeOutcome> {
  const sets = nativeInstructionSets[process.arch];
  const unix = process.platform === "linux" || process.platform === "darwin";
  if (sets === undefined || !unix) return { kind: "left out", reason: `none for ${process.platform}-${process.arch}` };
  const compiler = findCompiler();
  if (compiler === undefined) return { kind: "left out", reason: "no C compiler found" };
  const headers = nodeHeaders();
  if (headers === undefined) return { kind: "left out", reason: "no node_api.h found (npm install node-api-headers)" };
  const flags = [...commonFlags, "-O3", "-fPIC", "-pthread", "-fvisibility=hidden", "-I", headers];
  const sources = readSources();
  const stamp = new Stamp(folder, [compiler, flags, sets, nativeSources, process.arch, sources]);
  if (stamp.current) return { kind: "unchanged" };
  const known = sets.filter((set) => knowsFlags(compiler.command, set.flags));
  const without = sets.filter((set) => !known.includes(set)).map(({ name }) => name);
  try {
    const own = [`-DHH_BUILT_FROM="${fingerprint(sources)}"`, ...withoutFlags(without)];
    await compile(compiler.command, [...flags, ...own], known);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return { kind: "failed", output: stderr || message };
  }
  stamp.write();
  return { kind: "built", without };
}

/** Whether the compiler takes these flags, found by an empty program: each set needs a compiler of some age. */
export function knowsFlags(compiler: string, flags: readonly string[]): boolean {
  const program = ["-x", "c", "-c", "-", "-o", "/dev/null"];
  return spawnSync(compiler, [...commonFlags, ...flags, ...program], { input: "int empty;\n" }).status === 0;
}

/** Tells `native.c` which instruction sets there are no kernels for. */
export function withoutFlags(names: readonly string[]): string[] {
  return names.map((name) => `-DHH_WITHOUT_${name.toUpperCase()}`);
}

/** The first compiler that answers, with what it says it is. */
export function findCompiler(): { command: string; version: string } | undefined {
  const candidates = process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"];
  for (const command of candidates) {
    const answer = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (answer.status === 0) return { command, version: answer.stdout };
  }
  return undefined;
}

/** The folder of `node_api.h`: of the package that has it, or beside Node itself. */
function nodeHeaders(): string | undefined {
  try {
    const { include_dir } = createRequire(import.meta.url)("node-api-headers") as { include_dir: string };
    return include_dir;
  } catch {
    const ownFolder = join(dirname(dirname(realpathSync(process.execPath))), "include", "node");
    return existsSync(join(ownFolder, "node_api.h")) ? ownFolder : undefined;
  }
}

async function compile(compiler: string, flags: readonly string[], sets: readonly InstructionSet[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "hitherto-"));
  try {
    const jobs = [
      ...sets.map((set) => ({ source: kernelSource, object: `${set.name}.o`, flags: instructionSetFlags(set) })),
      ...nativeSources.map((source) => ({ source, object: source.replace(/c$/, "o"), flags: sourceFlags(source) })),
    ];
    await inParallel(jobs, ({ source, object, flags: own }) =>
      run(compiler, [...flags, ...own, "-c", join(kernelsFolder, source), "-o", join(scratch, object)]),
    );
    const library = join(scratch, "hitherto.node");
    const undefinedSymbols = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
    const objects = jobs.map(({ object }) => join(scratch, object));
    await run(compiler, ["-shared", "-pthread", ...undefinedSymbols, "-o", library, ...objects, "-lm"]);
    install(library);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Puts the library in place in one step: a process that has the old one mapped keeps it whole. */
function install(library: string): void {
  mkdirSync(folder, { recursive: true });
  const staged = join(folder, `hitherto.${process.pid}.tmp`);
  copyFileSync(library, staged);
  renameSync(staged, join(folder, "hitherto.node"));
}

/** Runs the jobs, as many at a time as there are processors. */
async function inParallel<T>(jobs: readonly T[], start: (job: T) => Promise<unknown>): Promise<void> {
  const waiting = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await start(job);
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, worker));
}
