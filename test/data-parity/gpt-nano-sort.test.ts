/** A trained minGPT against PyTorch's activations: every step of block 0, through the program that generates. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryTensor } from "../../src/formats/index.js";
import type { Model } from "../../src/generation/model.js";
import { modelFrom } from "../../src/load-model.js";
import { createBackend } from "../../src/load-model.node.js";
import type { OpenedCheckpoint } from "../../src/models/checkpoint.js";
import { ConfigReader } from "../../src/models/config-reader.js";
import { huggingFaceDialect } from "../../src/models/family.js";
import { describeWithData } from "../data.js";
import { availableBackends } from "../support/backends.js";

interface Stored {
  readonly shape: number[];
  readonly data: string;
}

/** Our names for what the partials file calls by minGPT's variables; those with heads are [batch, head, token, …]. */
const rows: Readonly<Record<string, string>> = {
  tok_emb: "tokenEmbedding",
  x: "embedding",
  ln1: "blocks.0.attention.norm",
  y: "blocks.0.attention.mixed",
  yProj: "blocks.0.attention.output",
  attnResid: "blocks.0.attention.residual",
  ln2: "blocks.0.feedForward.norm",
  fc: "blocks.0.feedForward.up",
  gelu: "blocks.0.feedForward.activated",
  mlp: "blocks.0.feedForward.output",
  mlpResid: "blocks.0.feedForward.residual",
  block0: "blocks.0.output",
  block1: "blocks.1.output",
  block2: "blocks.2.output",
  ln_f: "norm",
  lm_head: "logits",
};
const heads: Readonly<Record<string, string>> = {
  q: "blocks.0.attention.query",
  k: "blocks.0.attention.key",
  v: "blocks.0.attention.value",
  att: "blocks.0.attention.scores",
  attSm: "blocks.0.attention.probabilities",
};
const tokens = 11;

describeWithData("gpt-nano-sort", "gpt-nano-sort", (folder) => {
  const partials = readTensors(join(folder, "gpt-nano-sort-t0-partials.json"));

  test.each(availableBackends)("every activation of block 0 and the logits: %s", async (name) => {
    const backend = await createBackend({ backend: name });
    await using model = await modelFrom(checkpoint(folder), backend, {}, () => backend.dispose());
    const ids = partials.get("idx")!;
    for (let batch = 0; batch < 3; batch++) {
      await checkSequence(model, partials, Array.from(ids.subarray(batch * tokens, (batch + 1) * tokens)), batch);
    }
  });
});

async function checkSequence(
  model: Model,
  partials: ReadonlyMap<string, Float32Array>,
  ids: number[],
  batch: number,
): Promise<void> {
  const names = [...Object.values(rows), ...Object.values(heads), "positionEmbedding"];
  const actual = await model.inspect(ids, names);
  const part = (name: string) => {
    const all = partials.get(name)!;
    return all.subarray((batch * all.length) / 3, ((batch + 1) * all.length) / 3);
  };
  expectClose(actual.get("positionEmbedding")!.values, partials.get("pos_emb")!, "pos_emb");
  for (const [theirs, ours] of Object.entries(rows)) expectClose(actual.get(ours)!.values, part(theirs), theirs);
  for (const [theirs, ours] of Object.entries(heads)) {
    expectClose(headsFirst(actual.get(ours)!.values), part(theirs), theirs);
  }
  const [q, k, v] = ["q", "k", "v"].map((each) => actual.get(heads[each]!)!.values);
  const fused = Float32Array.from({ length: tokens * 144 }, (_, i) => {
    const [token, column] = [Math.floor(i / 144), i % 144];
    return [q!, k!, v!][Math.floor(column / 48)]![token * 48 + (column % 48)]!;
  });
  expectClose(fused, part("qkv"), "qkv");
}

/** [tokens, 3 · width] as [3, tokens, width]. */
function headsFirst(values: Float32Array): Float32Array {
  const width = values.length / tokens / 3;
  return Float32Array.from(values, (_, i) => {
    const [head, token, element] = [Math.floor(i / (tokens * width)), Math.floor(i / width) % tokens, i % width];
    return values[(token * 3 + head) * width + element]!;
  });
}

/** Within 1e-5; what is masked must be masked in both. */
function expectClose(actual: Float32Array, expected: Float32Array, name: string): void {
  expect(actual.length, name).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] === expected[i]) continue;
    expect(Math.abs(actual[i]! - expected[i]!), `${name}[${i}]`).toBeLessThan(1e-5);
  }
}

function checkpoint(folder: string): OpenedCheckpoint {
  const stored = JSON.parse(readFileSync(join(folder, "gpt-nano-sort-model.json"), "utf8")) as Record<string, Stored>;
  const tensors = [...readTensors(join(folder, "gpt-nano-sort-model.json"))].map(
    ([name, values]) => [name, memoryTensor(name, stored[name]!.shape, "f32", values)] as const,
  );
  const config = {
    architectures: ["GPT2LMHeadModel"],
    vocab_size: 3,
    n_positions: 11,
    n_embd: 48,
    n_head: 3,
    n_layer: 3,
  };
  return {
    path: folder,
    format: "hugging-face",
    config: new ConfigReader({ ...config, tie_word_embeddings: false }),
    // minGPT keeps its matrices [out, in].
    dialect: { ...huggingFaceDialect, transposed: false },
    tensors: new Map(tensors),
    close: async () => {},
  };
}

function readTensors(path: string): Map<string, Float32Array> {
  const entries = Object.entries(JSON.parse(readFileSync(path, "utf8")) as Record<string, Stored>);
  const tensors = entries.filter(([, value]) => typeof value?.data === "string");
  return new Map(
    tensors.map(([name, { data }]) => {
      const bytes = Uint8Array.from(Buffer.from(data, "base64"));
      return [name, new Float32Array(bytes.buffer)];
    }),
  );
}
