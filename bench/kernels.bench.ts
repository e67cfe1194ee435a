/**
 * How fast the CPU backend runs whole decoders with random weights, without anything above it.
 *
 *   npx vitest bench bench/kernels.bench.ts
 *
 * `hz` of a decode step is tokens per second; of a prefill it is to be multiplied by its 512 tokens.
 * BENCH_SHAPES=15M,135M, BENCH_STORAGE=f32,q8_0, BENCH_THREADS=1,2 and BENCH_SETS=avx2,avx512_vnni choose.
 */
import { bench, describe } from "vitest";
import { Transformer, type TransformerShape } from "../src/backends/conformance/transformer.js";
import { CpuBackend } from "../src/backends/cpu/cpu-backend.js";
import { createNativeRuntime, nativeInstructionSets } from "../src/backends/cpu/native-runtime.node.js";

const prefillTokens = 512;
/** Decoding goes round in a cache of this much context. */
const decodeTokens = 256;

type Sizes = Omit<TransformerShape, "storage" | "contextLength" | "tokens">;

function sizes(
  [hiddenSize, layerCount, headCount, keyValueHeadCount, intermediateSize, vocabSize]: readonly number[],
  rotaryLayout: Sizes["rotaryLayout"],
): Sizes {
  return { hiddenSize, layerCount, headCount, keyValueHeadCount, intermediateSize, vocabSize, rotaryLayout } as Sizes;
}

const shapes: Readonly<Record<string, Sizes>> = {
  "260K": sizes([64, 5, 8, 4, 172, 512], "interleaved"),
  "15M": sizes([288, 6, 6, 6, 768, 32000], "interleaved"),
  "135M": sizes([576, 30, 9, 3, 1536, 49152], "half"),
  "1.1B": sizes([2048, 22, 32, 4, 5632, 32000], "half"),
};

/** What is measured when nothing is chosen. */
const usual = [
  ["260K", "f32"],
  ["15M", "f32"],
  ["135M", "q8_0"],
] as const;

function chosen(variable: string, otherwise: readonly string[]): readonly string[] {
  return process.env[variable]?.split(",") ?? otherwise;
}

const pairs =
  process.env.BENCH_SHAPES === undefined
    ? usual
    : chosen("BENCH_SHAPES", []).flatMap((name) =>
        chosen("BENCH_STORAGE", ["f32"]).map((type) => [name, type] as const),
      );

for (const [name, storage] of pairs) {
  for (const instructionSet of chosen("BENCH_SETS", nativeInstructionSets().slice(-1))) {
    for (const threads of chosen("BENCH_THREADS", ["1", "2"])) {
      measure(name, storage as TransformerShape["storage"], instructionSet, Number(threads));
    }
  }
}

function measure(name: string, storage: TransformerShape["storage"], instructionSet: string, threads: number): void {
  describe(`${name} ${storage}, ${instructionSet}, ${threads} threads`, async () => {
    const backend = new CpuBackend(createNativeRuntime({ instructionSet, threads })!);
    const room = { contextLength: prefillTokens, tokens: prefillTokens };
    const transformer = await Transformer.on(backend, { ...shapes[name]!, storage, ...room });
    const prompt = Array.from({ length: prefillTokens }, (_, i) => (i * 37) % 500);
    let position = 0;

    const step = (): void => {
      transformer.run([position % 500], position);
      position = (position + 1) % decodeTokens;
    };
    bench("decode step", step, { time: 3000 });
    bench(`prefill of ${prefillTokens}`, () => void transformer.run(prompt, 0, 1), { time: 3000 });
  });
}
