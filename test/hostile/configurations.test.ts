/** Configurations whose sizes no tensor backs: refused with an error that names the key, before memory is taken. */
import { describe, expect, test } from "vitest";
import { modelFrom } from "../../src/load-model.js";
import { createBackend } from "../../src/load-model.node.js";
import { ConfigReader } from "../../src/models/config-reader.js";
import { llamaConfig, randomLlama, smallShape } from "../support/random-llama.js";

/** Loads the small random Llama with some of its configuration replaced. */
async function load(values: Record<string, unknown>): Promise<void> {
  const config = new ConfigReader({ ...llamaConfig(smallShape), ...values });
  const backend = await createBackend();
  await modelFrom({ ...randomLlama(smallShape), config }, backend, {}, async () => {}).finally(() => backend.dispose());
}

const phi3 = { architectures: ["Phi3ForCausalLM"] };
const neoX = { architectures: ["GPTNeoXForCausalLM"] };
const t5 = {
  architectures: ["T5ForConditionalGeneration"],
  d_model: 96,
  num_heads: 6,
  d_kv: 16,
  d_ff: 8,
  num_layers: 1,
};

describe("a configuration may not claim", () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ["a billion layers", { num_hidden_layers: 1e9 }, /num_hidden_layers.*more than the checkpoint's/],
    ["a billion layers of another family", { ...t5, num_decoder_layers: 1e9 }, /num_decoder_layers/],
    ["an enormous head", { head_dim: 2 ** 31 }, /elements of a head/],
    ["a large head, which tables of angles would be made for", { head_dim: 65_536 }, /q_proj/],
    ["an enormous hidden size", { hidden_size: 2 ** 31, head_dim: 16 }, /embed_tokens/],
    ["an enormous vocabulary", { vocab_size: 2 ** 31 }, /embed_tokens/],
    ["to turn more than a head has", { ...phi3, partial_rotary_factor: 1000 }, /partial_rotary_factor/],
    ["to turn less than nothing", { ...phi3, partial_rotary_factor: -1 }, /partial_rotary_factor/],
    ["the same of GPT-NeoX", { ...neoX, rotary_pct: 4 }, /rotary_pct/],
    ["a base of rotation that gives no angles", { rope_theta: 0 }, /rope_theta/],
    [
      "a norm that divides by the root of less than nothing",
      { rms_norm_eps: -1 },
      /rms_norm_eps: must be a number from 0/,
    ],
    ["more than a size can be", { vocab_size: 1e12 }, /vocab_size: must be a whole number from 1 to 2147483648/],
    ["a table of distances without end", { ...t5, relative_attention_max_distance: 2 ** 31 }, /max_distance/],
  ];
  test.each(cases)("%s", async (_, values, message) => {
    const before = process.memoryUsage().arrayBuffers;
    const began = performance.now();
    await expect(load(values)).rejects.toMatchObject({
      code: expect.any(String),
      message: expect.stringMatching(message),
    });
    expect(performance.now() - began).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });
});
