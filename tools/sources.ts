/**
 * What the C runtime in `kernels/` is made of, and for which instruction sets its kernels are compiled.
 *
 * `kernels.c` includes every operation and is compiled once for each instruction set, told which by HH_ISA; the other
 * sources are compiled once.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder; this file runs as `dist/tools/sources.js`. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const kernelsFolder = join(root, "kernels");

/** Compiled once for each instruction set. */
export const kernelSource = "kernels.c";
/** Compiled once for the native addon. */
export const nativeSources = ["runtime.c", "pool.c", "pack.c", "native.c", "addon.c", "plain_loop.c"];
/** Compiled once for the WebAssembly modules. */
export const wasmSources = ["runtime.c", "pool.c", "pack.c", "wasm.c", "plain_loop.c"];

export interface InstructionSet {
  readonly name: string;
  readonly flags: readonly string[];
}

const avx2 = ["-mavx2", "-mfma", "-mf16c"];
const avx512 = [...avx2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"];
/** The least optimisation: this one is for comparing with, and much of it unrolled takes long to compile. */
const scalar: InstructionSet = { name: "scalar", flags: ["-O1"] };

/** What a processor of each architecture (as Node names them) can have. Which it has is found out when it runs. */
export const nativeInstructionSets: Readonly<Record<string, readonly InstructionSet[]>> = {
  x64: [
    scalar,
    { name: "avx2", flags: avx2 },
    { name: "avx512", flags: avx512 },
    { name: "avx512_vnni", flags: [...avx512, "-mavx512vnni"] },
    { name: "amx", flags: [...avx512, "-mavx512vnni", "-mavx512bf16", "-mamx-tile", "-mamx-int8", "-mamx-bf16"] },
  ],
  arm64: [scalar, { name: "neon", flags: [] }],
};

export const wasmInstructionSets: readonly InstructionSet[] = [
  { name: "simd128", flags: ["-msimd128"] },
  { name: "relaxed_simd", flags: ["-msimd128", "-mrelaxed-simd"] },
  { name: "relaxed_dot", flags: ["-msimd128", "-mrelaxed-simd"] },
  { name: "relaxed_signed_dot", flags: ["-msimd128", "-mrelaxed-simd"] },
];

/** Flags of every compilation. Contraction is off: where a product and a sum fuse is written down, never guessed. */
export const commonFlags = ["-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"];

/** Flags of one source alone: the yardstick is to stay as it is, whatever the kernels are compiled with. */
export function sourceFlags(source: string): string[] {
  return source === "plain_loop.c" ? ["-O1"] : [];
}

/** Which instruction set a compilation of `kernels.c` is for: HH_ISA is its name, as in the names of its functions. */
export function instructionSetFlags(set: InstructionSet): string[] {
  return [...set.flags, `-DHH_ISA=${set.name}`, `-DHH_ISA_${set.name.toUpperCase()}=1`];
}

/** C sources and headers by name. */
export function readSources(folder = kernelsFolder): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.[ch]$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/**
 * Of the sources, by which an addon that was built from others is told apart: SHA-256 of their names and contents. The
 * same as `kernelsFingerprint` of `src/backends/cpu/native-sources.node.ts`, which a test holds.
 */
export function fingerprint(sources: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(sources).sort()) hash.update(`${name}\0${sources[name]}\0`);
  return hash.digest("hex");
}

/** Tells whether `folder` already holds what `inputs` would give, and records that it does. */
export class Stamp {
  readonly #path: string;
  readonly #hash: string;

  constructor(folder: string, inputs: unknown) {
    this.#path = join(folder, "built-from");
    this.#hash = createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
  }

  get current(): boolean {
    try {
      return readFileSync(this.#path, "utf8") === this.#hash;
    } catch {
      return false;
    }
  }

  write(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, this.#hash);
  }
}
