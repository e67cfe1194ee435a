/** What a configuration means where a key is absent, and what is refused; the mathematics are in `test/parity/`. */
import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../../core/errors.js";
import { memoryTensor } from "../../formats/index.js";
import { interpret, type OpenedCheckpoint } from "../checkpoint.js";
import { ConfigReader } from "../config-reader.js";
import { huggingFaceDialect } from "../family.js";

const sizes = {
  hidden_size: 24,
  intermediate_size: 32,
  num_attention_heads: 4,
  num_hidden_layers: 4,
  vocab_size: 50,
};

function opened(architecture: string, values: Record<string, unknown>, names = ["a", "b", "c", "d"]): OpenedCheckpoint {
  return {
    path: "test",
    format: "hugging-face",
    config: new ConfigReader({ architectures: [architecture], ...sizes, ...values }),
    dialect: huggingFaceDialect,
    tensors: new Map(names.map((name) => [name, memoryTensor(name, [1], "f32", new Float32Array(1))])),
    close: async () => {},
  };
}
const configOf = (architecture: string, values: Record<string, unknown> = {}) =>
  interpret(opened(architecture, values)).config;
const windowsOf = (architecture: string, values: Record<string, unknown> = {}) =>
  configOf(architecture, values).decoder.layers.map(({ window }) => window);

describe("a key that is absent means what it means to the class that published it", () => {
  test("Gemma 2", () => {
    const { decoder, head } = configOf("Gemma2ForCausalLM");
    expect(decoder.attention).toMatchObject({ headDim: 256, softCap: 50 });
    expect(decoder.feedForward.activation).toBe("gelu-tanh");
    expect(head).toMatchObject({ softCap: 30, tied: true });
    expect(windowsOf("Gemma2ForCausalLM")).toEqual([4096, 0, 4096, 0]);
  });

  test("Gemma 3", () => {
    const { decoder } = configOf("Gemma3ForCausalLM", { sliding_window_pattern: 2 });
    expect(decoder.attention).toMatchObject({ headDim: 256, softCap: 0 });
    expect(decoder.feedForward.activation).toBe("gelu-tanh");
    expect(decoder.layers.map(({ window, rotary }) => [window, rotary])).toEqual([
      [4096, 1],
      [0, 0],
      [4096, 1],
      [0, 0],
    ]);
  });

  test("and one that is null means none", () => {
    const none = { attn_logit_softcapping: null, final_logit_softcapping: null, sliding_window: null };
    const { decoder, head } = configOf("Gemma2ForCausalLM", none);
    expect([decoder.attention.softCap, head.softCap]).toEqual([0, 0]);
    expect(windowsOf("Gemma2ForCausalLM", none)).toEqual([0, 0, 0, 0]);
    expect(windowsOf("MistralForCausalLM", none)).toEqual([0, 0, 0, 0]);
  });

  test("Mistral and Qwen", () => {
    expect(windowsOf("MistralForCausalLM")).toEqual([4096, 4096, 4096, 4096]);
    expect(windowsOf("Qwen2ForCausalLM")).toEqual([0, 0, 0, 0]);
    expect(windowsOf("Qwen2ForCausalLM", { use_sliding_window: true, max_window_layers: 3 })).toEqual([0, 0, 0, 4096]);
  });
});

describe("kinds of layers", () => {
  test("that are unknown are refused", () => {
    const types = ["full_attention", "chunked_attention", "full_attention", "full_attention"];
    expect(() => configOf("MistralForCausalLM", { layer_types: types })).toThrow(UnsupportedError);
  });

  test("must be named for every layer", () => {
    expect(() => configOf("Gemma3ForCausalLM", { layer_types: ["full_attention"] })).toThrow(/layer_types/);
  });
});

test("a base model of BART has names without a prefix, and no bias on its logits", () => {
  const bart = {
    d_model: 24,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: 8,
    decoder_ffn_dim: 8,
  };
  const { config, recipes } = interpret(opened("BartModel", bart));
  expect(config.head.bias).toBe(false);
  expect(recipes.get("decoder.embedding.weight")?.tensor).toContain("shared.weight");
  expect(recipes.get("encoder.blocks.0.attention.query.weight")?.tensor).toEqual([
    "model.encoder.layers.0.self_attn.q_proj.weight",
    "encoder.layers.0.self_attn.q_proj.weight",
  ]);
  const whole = opened("BartForConditionalGeneration", bart, ["a", "b", "c", "final_logits_bias"]);
  expect(interpret(whole).config.head.bias).toBe(true);
});
