/** Llama-shaped checkpoints with random weights, made in memory: for exactness tests and for benchmarks. */

import type { Shape } from "../../bench/shapes.js";
import type { StoredTensor } from "../../src/core/checkpoint.js";
import { type StorageType, storageBytes, storageTypes } from "../../src/core/storage.js";
import { memoryTensor, quantize } from "../../src/formats/index.js";
import type { OpenedCheckpoint } from "../../src/models/checkpoint.js";
import { ConfigReader } from "../../src/models/config-reader.js";
import { huggingFaceDialect } from "../../src/models/family.js";

/** A small shape whose sizes are no multiples of anything convenient. */
export const smallShape: Shape = {
  hiddenSize: 96,
  layerCount: 3,
  headCount: 6,
  keyValueHeadCount: 3,
  intermediateSize: 160,
  vocabSize: 500,
  contextLength: 512,
};

/** `config.json` of a shape. */
export function llamaConfig(size: Shape): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: size.hiddenSize,
    num_hidden_layers: size.layerCount,
    num_attention_heads: size.headCount,
    num_key_value_heads: size.keyValueHeadCount,
    intermediate_size: size.intermediateSize,
    vocab_size: size.vocabSize,
    max_position_embeddings: size.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
  };
}

/** All tensors under Hugging Face's names; matrices whose rows are whole blocks in `storage`, the rest in f32. */
export function llamaTensors(size: Shape, storage: StorageType, seed = 1): Map<string, StoredTensor> {
  const { hiddenSize, intermediateSize, headCount, keyValueHeadCount, vocabSize } = size;
  const keyValueSize = (hiddenSize / headCount) * keyValueHeadCount;
  const tensors = new Map<string, StoredTensor>();
  const random = new Uint32Array([seed]);
  const put = (name: string, ...extents: number[]): void => {
    tensors.set(name, randomTensor(name, extents, storage, random));
  };
  put("model.embed_tokens.weight", vocabSize, hiddenSize);
  put("model.norm.weight", hiddenSize);
  for (let layer = 0; layer < size.layerCount; layer++) {
    const place = `model.layers.${layer}`;
    put(`${place}.input_layernorm.weight`, hiddenSize);
    put(`${place}.post_attention_layernorm.weight`, hiddenSize);
    put(`${place}.self_attn.q_proj.weight`, hiddenSize, hiddenSize);
    put(`${place}.self_attn.k_proj.weight`, keyValueSize, hiddenSize);
    put(`${place}.self_attn.v_proj.weight`, keyValueSize, hiddenSize);
    put(`${place}.self_attn.o_proj.weight`, hiddenSize, hiddenSize);
    put(`${place}.mlp.gate_proj.weight`, intermediateSize, hiddenSize);
    put(`${place}.mlp.up_proj.weight`, intermediateSize, hiddenSize);
    put(`${place}.mlp.down_proj.weight`, hiddenSize, intermediateSize);
  }
  return tensors;
}

/** The same as an opened checkpoint, ready for `modelFrom`. */
export function randomLlama(size: Shape, storage: StorageType = "f32", seed = 1): OpenedCheckpoint {
  return {
    path: "random",
    format: "hugging-face",
    config: new ConfigReader(llamaConfig(size)),
    dialect: huggingFaceDialect,
    tensors: llamaTensors(size, storage, seed),
    close: async () => {},
  };
}

function randomTensor(name: string, extents: number[], storage: StorageType, state: Uint32Array): StoredTensor {
  const elements = extents.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(elements);
  const isNorm = extents.length === 1;
  const spread = isNorm ? 0.2 : 1.7 / Math.sqrt(extents.at(-1)!);
  for (let i = 0; i < elements; i++) values[i] = (isNorm ? 1 : 0) + spread * uniform(state);
  const wholeBlocks = extents.at(-1)! % storageTypes[storage].blockSize === 0;
  if (isNorm || storage === "f32" || !wholeBlocks) return memoryTensor(name, extents, "f32", values);
  const bytes = new Uint8Array(storageBytes(storage, elements));
  quantize(storage, values, bytes);
  return memoryTensor(name, extents, storage, bytes);
}

/** xorshift: from -1 to 1. */
function uniform(state: Uint32Array): number {
  let x = state[0]! + 0x9e3779b9;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  state[0] = x;
  return (state[0]! / 2 ** 32) * 2 - 1;
}
