/** Damaged checkpoints opened as far as their configuration means something: GGUF metadata and CTranslate2 models. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MemorySource, readCtranslate2, readGguf, readTensorBytes } from "../../src/formats/index.js";
import { interpret, type OpenedCheckpoint } from "../../src/models/checkpoint.js";
import { openGguf } from "../../src/models/gguf/open-gguf.js";
import { openCtranslate2 } from "../../src/models/open-ctranslate2.js";
import { byteMutations, type MutationRandom, mutate, withinHeader } from "./mutate.js";
import { survivalTimeoutMs, survive } from "./survive.js";

const options = { timeout: survivalTimeoutMs };
const folder = new URL("../parity/gguf/", import.meta.url);
const ggufFiles = readdirSync(folder).map((name) => new Uint8Array(readFileSync(new URL(name, folder))));

describe("damaged checkpoints", () => {
  test("GGUF, as a configuration and a tokenizer", options, async () => {
    const { accepted, refused } = await survive({
      format: "GGUF checkpoint",
      damage: (random, i) => {
        const within = byteMutations.map((one) => withinHeader(3000, one));
        return mutate(ggufFiles[i % ggufFiles.length]!, random, within);
      },
      read: async (bytes) => {
        const checkpoint = await openGguf("damaged.gguf", await readGguf(new MemorySource(bytes)));
        meaningOf(checkpoint);
        checkpoint.tokenizer?.tokenizer.encode("Once upon a time");
      },
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), UNSUPPORTED: expect.any(Number) });
  });

  test("CTranslate2", options, async () => {
    const whole = ctranslate2Model();
    const { accepted, refused } = await survive({
      format: "CTranslate2 checkpoint",
      damage: (random: MutationRandom) => mutate(whole, random, byteMutations),
      read: async (bytes) => {
        const model = await readCtranslate2(new MemorySource(bytes));
        for (const tensor of model.tensors.values()) await readTensorBytes(tensor);
        meaningOf(openCtranslate2("model.bin", model, {}));
      },
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), TRUNCATED_FILE: expect.any(Number) });
  });
});

/** Throws unless the configuration makes sense, and then has as many layers as a file can back. */
function meaningOf(checkpoint: OpenedCheckpoint): void {
  const { config } = interpret(checkpoint);
  expect(config.decoder.layers.length).toBeLessThanOrEqual(checkpoint.tensors.size + 64);
}

/** The smallest model that opens: two quantized matrices with scales, and one layer's sizes. */
function ctranslate2Model(): Uint8Array {
  const bytes: number[] = [];
  const number = (value: number, size: number) => {
    for (let i = 0; i < size; i++) bytes.push((value >>> (8 * i)) & 0xff);
  };
  const string = (text: string) => {
    number(text.length + 1, 2);
    bytes.push(...new TextEncoder().encode(text), 0);
  };
  const variable = (name: string, shape: number[], itemSize: number) => {
    string(name);
    number(shape.length, 1);
    for (const size of shape) number(size, 4);
    const items = shape.reduce((product, size) => product * size, 1);
    number(itemSize, 1);
    number(items, 4);
    for (let i = 0; i < items * itemSize; i++) bytes.push(i % 63);
  };
  number(2, 4);
  string("TransformerBase");
  number(2, 4);
  number(6, 4);
  variable("encoder/embeddings/weight", [3, 8], 1);
  variable("encoder/embeddings/weight_scale", [3], 4);
  variable("decoder/projection/weight", [4, 8], 2);
  variable("decoder/projection/weight_scale", [], 4);
  variable("encoder/layer_0/ffn/linear_0/weight", [8, 8], 4);
  variable("decoder/layer_0/ffn/linear_0/weight", [8, 8], 4);
  return Uint8Array.from(bytes);
}
