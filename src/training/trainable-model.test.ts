/** Masters and what is written of them: the checkpoint that came in, tensor by tensor, for every family. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ReferenceBackend } from "../backends/reference/reference-backend.js";
import type { StoredTensor } from "../core/checkpoint.js";
import { dequantize, readTensorFloats } from "../formats/index.js";
import type { OpenedCheckpoint } from "../models/checkpoint.js";
import { openCheckpoint } from "../models/open.node.js";
import { TrainableModel } from "./trainable-model.js";

const parity = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "test", "parity");
const folders = (path: string) => readdirSync(path).filter((name) => !name.includes(".json"));
const fixtures = folders(join(parity, "fixtures")).filter((name) => name !== "stories-tiny");

async function written(checkpoint: OpenedCheckpoint): Promise<StoredTensor[]> {
  using model = await TrainableModel.open(checkpoint, new ReferenceBackend(dequantize));
  return [...model.contents().tensors];
}

/** Masks, and tables of sines, which every class makes anew. */
const isMade = (name: string) => /\.attn\.(masked_)?bias$|rotary_emb\.inv_freq$/.test(name);

describe("a checkpoint that is opened to be trained is written as it was", () => {
  test.each(fixtures)("%s", async (name) => {
    const checkpoint = await openCheckpoint(join(parity, "fixtures", name));
    const tensors = await written(checkpoint);
    expect(tensors.map((tensor) => tensor.name).sort()).toEqual(
      [...checkpoint.tensors.keys()].filter((tensor) => !isMade(tensor)).sort(),
    );
    for (const tensor of tensors) {
      const before = checkpoint.tensors.get(tensor.name)!;
      expect(tensor.shape).toEqual(before.shape);
      const [a, b] = [await readTensorFloats(tensor), await readTensorFloats(before)];
      // Gemma's norms are one more here than there, which may round their last bit.
      const largest = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
      expect(largest, tensor.name).toBeLessThanOrEqual(/^gemma/.test(name) ? 1e-7 : 0);
    }
    await checkpoint.close();
  });
});

describe("GGUF files are written in Hugging Face's layout", () => {
  test.each(["llama-rope-llama3", "gpt2", "gpt-neox-parallel", "gemma2"])("%s", async (name) => {
    const [file, folder] = await Promise.all([
      openCheckpoint(join(parity, "gguf", `${name}.gguf`)),
      openCheckpoint(join(parity, "fixtures", name)),
    ]);
    const tensors = await written(file);
    expect(tensors.length).toBeGreaterThan(20);
    for (const tensor of tensors) {
      const [a, b] = await Promise.all([readTensorFloats(tensor), readTensorFloats(folder.tensors.get(tensor.name)!)]);
      const largest = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
      expect(largest, tensor.name).toBeLessThan(2e-3); // stored in f16
    }
    await Promise.all([file.close(), folder.close()]);
  });
});

describe("a new model", () => {
  const values = {
    model_type: "gpt2",
    vocab_size: 50,
    n_positions: 32,
    n_embd: 64,
    n_head: 4,
    n_layer: 8,
  };
  const backend = new ReferenceBackend(dequantize);
  const deviation = (model: TrainableModel, name: string) => {
    const { data } = model.parameters.get(name)!.state;
    return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  };

  test("begins with GPT-2's scheme, by role", () => {
    using model = TrainableModel.create(values, { backend, seed: 3 });
    expect(deviation(model, "embedding.weight")).toBeCloseTo(0.02, 3);
    expect(deviation(model, "blocks.3.attention.query.weight")).toBeCloseTo(0.02, 3);
    expect(deviation(model, "blocks.3.feedForward.down.weight")).toBeCloseTo(0.02 / 4, 3);
    expect(deviation(model, "blocks.0.attention.norm.weight")).toBe(1);
    expect(deviation(model, "blocks.0.attention.query.bias")).toBe(0);
  });

  test("is a function of its seed", () => {
    const weights = (seed: number) => {
      using model = TrainableModel.create(values, { backend, seed });
      return model.parameters.get("blocks.0.attention.key.weight")!.state.data.slice();
    };
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1)).not.toEqual(weights(2));
  });

  test("of an encoder-decoder begins with Xavier's scheme, and is written with the bias that its class has", async () => {
    const marian = {
      model_type: "marian",
      vocab_size: 40,
      d_model: 32,
      encoder_layers: 1,
      decoder_layers: 1,
      encoder_attention_heads: 2,
      decoder_attention_heads: 2,
      encoder_ffn_dim: 64,
      decoder_ffn_dim: 64,
      max_position_embeddings: 16,
      scale_embedding: true,
      decoder_start_token_id: 0,
    };
    using model = TrainableModel.create(marian, { backend });
    expect(deviation(model, "decoder.embedding.weight")).toBeCloseTo(32 ** -0.5, 2);
    const { data } = model.parameters.get("encoder.blocks.0.feedForward.up.weight")!.state;
    const bound = Math.sqrt(6 / 96);
    expect(data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeGreaterThan(0.99 * bound);
    expect(deviation(model, "encoder.blocks.0.feedForward.up.weight")).toBeCloseTo(bound / Math.sqrt(3), 2);
    const names = [...model.contents().tensors].map(({ name }) => name);
    expect(names).toContain("final_logits_bias");
    expect(names).toContain("model.shared.weight");
  });
});
