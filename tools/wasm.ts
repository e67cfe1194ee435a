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
  wasmInstructionSets,
  wasmSources,
} from "./sources.js";

const folder = join(root, "dist", "wasm");

const targetFlags = ["--target=wasm32-unknown-unknown", "-matomics", "-mbulk-memory", "-mnontrapping-fptoint"];

/** 4 GiB, all that 32-bit addresses reach; a host may give less. */
const maximumBytes = 65536 * 65536;

const linkFlags = [
  "--no-entry",
  "--shared-memory",
  "--import-memory",
  `--max-memory=${maximumBytes}`,
  "--export=__stack_pointer",
  "--export=__heap_base",
  "--gc-sections",
  "--strip-all",
  "-z",
  "stack-size=262144",
];

/** Builds `dist/wasm/<instruction set>.wasm`, unless they are already what the sources give. */
export async function buildWasm(): Promise<"built" | "unchanged"> {
  const sources = readSources();
  const flags = [...commonFlags, "-nostdlib", ...targetFlags];
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

async function compile(set: InstructionSet, flags: readonly string[], sources: clang.Tree): Promise<Uint8Array> {
  const own = instructionSetFlags(set);
  const objects: clang.Tree = {};
  for (const source of [kernelSource, ...wasmSources]) {
    const object = source.replace(/c$/, "o");
    const made = await clang.commands.clang([...flags, ...own, "-c", source, "-o", object], sources);
    objects[object] = made![object]!;
  }
  const linked = await clang.commands["wasm-ld"]([...linkFlags, ...Object.keys(objects), "-o", "out.wasm"], objects);
  return linked!["out.wasm"] as Uint8Array;
}

/** The package exports its version, though its types do not say so. */
const compilerVersion = (clang as unknown as { version: string }).version;
