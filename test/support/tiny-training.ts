/** Models of a few thousand weights, and tasks that they learn in seconds. */
import type { Dataset } from "../../src/training/data/batch.js";
import { idDataset } from "../../src/training/data/memory-datasets.js";

const vocabSize = 16;

export const gpt2 = { model_type: "gpt2", vocab_size: vocabSize, n_positions: 24, n_embd: 32, n_head: 2, n_layer: 2 };

export const llama = {
  model_type: "llama",
  vocab_size: vocabSize,
  hidden_size: 32,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 24,
};

export const gemma = { ...llama, model_type: "gemma2", head_dim: 8, query_pre_attn_scalar: 8 };

export const t5 = {
  model_type: "t5",
  vocab_size: vocabSize,
  d_model: 32,
  d_kv: 8,
  d_ff: 64,
  num_layers: 1,
  num_heads: 4,
  decoder_start_token_id: 0,
  n_positions: 24,
};

/** Sequences that count upwards by their first step, modulo 13: two tokens say what follows. */
export function countingData(): Dataset {
  const examples = Array.from({ length: 78 }, (_, i) => {
    const [start, stride] = [i % 13, 1 + (Math.floor(i / 13) % 6)];
    return { target: Array.from({ length: 12 }, (_, k) => 3 + ((start + k * stride) % 13)) };
  });
  return idDataset("text", examples, { vocabSize, startId: 1, endId: 2, heldOut: { count: 10 } });
}

/** Targets are their sources backwards. */
export function reversedData(): Dataset {
  const examples = Array.from({ length: 120 }, (_, i) => {
    const source = Array.from({ length: 3 + (i % 3) }, (_, k) => 3 + ((i * 7 + k * k * 5 + i * k) % 13));
    return { source, target: [...source].reverse() };
  });
  return idDataset("pairs", examples, { vocabSize, startId: 0, endId: 2, heldOut: { count: 10 } });
}
