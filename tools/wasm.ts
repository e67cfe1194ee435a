/**
 * Compiles the C runtime into WebAssembly modules with `@yowasp/clang`, a compiler that is itself WebAssembly: no tool
 * outside `node_modules` is needed.
 *
 * The modules import their memory, shared, so that every thread is an instance of the same module over one memory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as clang from "@yowasp/clang";
import {
  commonFlags,
  type InstructionSet,
  instructionSetFlags,
  kernelSource,
  readSources,
  root,
  Stamp,
  sourceFlags,
  wasmInstructionSets,
  wasmSources,
} from "./sources.js";

const folder = join(root, "dist", "wasm");

const targetFlags = ["--target=wasm32-unknown-unknown", "-matomics", "-mbulk-memory", "-mnontrapping-fptoint"];

/** 4 GiB, all that 32-bit addresses reach; a host may give less. */
const maximumBytes = 65536 * 65536;

/** Data and the first thread's stack; as much as `wasm-runtime.ts` gives a module to start with. */
const initialBytes = 32 * 65536;

const exportedFunctions = [
  "hh_instruction_sets",
  "hh_create",
  "hh_destroy",
  "hh_allocate",
  "hh_release",
  "hh_packed_bytes",
  "hh_pack",
  "hh_run",
  "hh_offer_threads",
  "hh_thread_main",
];

const linkFlags = [
  "--no-entry",
  "--shared-memory",
  "--import-memory",
  `--max-memory=${maximumBytes}`,
  "--export=__stack_pointer",
  ...exportedFunctions.map((name) => `--export=${name}`),
  "--strip-all",
  `--initial-memory=${initialBytes}`,
  "--stack-first",
  "-z",
  "stack-size=1048576",
];

/** Builds `dist/wasm/<instruction set>.wasm`, unless they are already what the sources give. */
export async function buildWasm(): Promise<"built" | "unchanged"> {
  const sources = readSources();
  const flags = [...commonFlags, "-O2", "-nostdlib", ...targetFlags];
  const inputs = [compilerVersion, flags, linkFlags, wasmInstructionSets, wasmSources, sources];
  const stamp = new Stamp(folder, inputs);
  if (stamp.current) return "unchanged";
  mkdirSync(folder, { recursive: true });
  await clang.commands.clang(undefined, {}, { fetchProgress: () => {} }); // loads it, without a word
  for (const set of wasmInstructionSets) {
    writeFileSync(join(folder, `${set.name}.wasm`), await compile(set, flags, sources));
  }
  stamp.write();
  return "built";
}

/** All of the C library that the kernels call; `wasm.c` has the bodies. */
const stringHeader = `#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
`;

/** @throws Error with the compiler's own message. */
async function compile(set: InstructionSet, flags: readonly string[], sources: clang.Tree): Promise<Uint8Array> {
  const own = instructionSetFlags(set);
  const tree = { ...sources, libc: { "string.h": stringHeader } };
  const objects: clang.Tree = {};
  for (const source of [kernelSource, ...wasmSources]) {
    const object = source.replace(/c$/, "o");
    objects[object] = await make(
      "clang",
      [...flags, ...own, ...sourceFlags(source), "-Ilibc", "-c", source, "-o", object],
      tree,
      object,
    );
  }
  return await make("wasm-ld", [...linkFlags, ...Object.keys(objects), "-o", "out.wasm"], objects, "out.wasm");
}

/** A tool of the compiler to WebAssembly ended with an error, which it has printed. */
export class CompilerError extends Error {
  readonly code = "COMPILER_FAILED";

  constructor(
    readonly tool: string,
    readonly args: readonly string[],
  ) {
    super(`${tool} failed: ${args.join(" ")}`);
  }
}

async function make(
  tool: "clang" | "wasm-ld",
  args: string[],
  files: clang.Tree,
  product: string,
): Promise<Uint8Array> {
  try {
    return (await clang.commands[tool](args, files))![product] as Uint8Array;
  } catch (error) {
    if (error instanceof clang.Exit) throw new CompilerError(tool, args);
    throw error;
  }
}

/** The package exports its version, though its types do not say so. */
const compilerVersion = (clang as unknown as { version: string }).version;
