/** Checkpoint files from strangers. `HITHERTO_FUZZ=700000` tries more of them than the 20,000 of an ordinary run. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { StoredTensor } from "../../src/core/checkpoint.js";
import { type StorageType, storageBytes, storageTypes } from "../../src/core/storage.js";
import {
  type GgufValue,
  MemorySink,
  MemorySource,
  memoryFolder,
  memoryTensor,
  readGguf,
  readHuggingFace,
  readLlama2c,
  readSafetensors,
  readTensorFloats,
  type TensorFile,
  writeGguf,
  writeSafetensors,
} from "../../src/formats/index.js";
import { byteMutations, concat, type MutationRandom, mutate, mutateJson, withinHeader } from "./mutate.js";
import { type Attack, type Survival, survivalTimeoutMs, survive } from "./survive.js";

async function attack(attacked: Attack): Promise<Survival> {
  const survival = await survive(attacked);
  if (process.env.HITHERTO_FUZZ !== undefined) console.log(attacked.format, JSON.stringify(survival));
  return survival;
}

/** As far as a model would go: every tensor's values. */
async function readEverything(file: TensorFile): Promise<void> {
  for (const tensor of file.tensors.values()) await readTensorFloats(tensor);
  await file.close();
}

function someTensor(name: string, storage: StorageType, shape: number[]): StoredTensor {
  const bytes = storageBytes(
    storage,
    shape.reduce((product, size) => product * size, 1),
  );
  return memoryTensor(
    name,
    shape,
    storage,
    Uint8Array.from({ length: bytes }, (_, i) => i * 11),
  );
}

const safetensors = await (async () => {
  const sink = new MemorySink();
  const tensors = (["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool"] as const).map((storage, i) =>
    someTensor(`layers.${i}.${storage}`, storage, [i % 3, 2, 3].slice(i % 4)),
  );
  await writeSafetensors(sink, tensors, { format: "pt", about: "a fixture" });
  return sink.bytes();
})();

const gguf = await (async () => {
  const sink = new MemorySink();
  const metadata: [string, GgufValue][] = [
    ["general.architecture", { type: "string", value: "llama" }],
    ["general.alignment", { type: "u32", value: 32 }],
    ["llama.block_count", { type: "u64", value: 2 }],
    ["tokenizer.ggml.tokens", { type: "array", of: "string", value: ["<s>", "Ġthe", "▁a", "🙂"] }],
    ["tokenizer.ggml.scores", { type: "array", of: "f32", value: new Float32Array(4) }],
    ["flags", { type: "array", of: "bool", value: Uint8Array.of(1, 0) }],
    ["big", { type: "array", of: "i64", value: BigInt64Array.of(2n ** 60n) }],
    ["nested", { type: "array", of: "array", value: [{ type: "array", of: "u8", value: Uint8Array.of(1) }] }],
  ];
  const quantized = Object.entries(storageTypes).filter(([name]) => name !== "u8" && name !== "bool");
  const tensors = quantized.map(([name, { blockSize }], i) =>
    someTensor(`blk.${i}.${name}`, name as StorageType, blockSize === 1 ? [2, 3] : [blockSize]),
  );
  await writeGguf(sink, { metadata, tensors });
  return sink.bytes();
})();

const pythonGguf = new Uint8Array(readFileSync(new URL("../fixtures/gguf/complete.gguf", import.meta.url)));

/** A llama2.c checkpoint: hiddenSize 8, intermediateSize 6, 2 layers, 4 heads over 2, 5 tokens, context 3. */
function llama2c(version: 0 | 1): Uint8Array<ArrayBuffer> {
  const perLayer = 8 + 8 * 8 + 4 * 8 + 4 * 8 + 8 * 8 + 8 + 3 * 6 * 8;
  const floats = 5 * 8 + 2 * perLayer + 8 + (version === 0 ? 3 * 2 : 0);
  const start = version === 0 ? 28 : 256;
  const bytes = new Uint8Array(start + 4 * floats);
  const header = version === 0 ? [] : [0x616b3432, 1];
  new Int32Array(bytes.buffer, 0, 10).set([...header, 8, 6, 2, 4, 2, 5, 3]);
  if (version === 1) bytes[36] = 1;
  return bytes;
}

/** The header's JSON damaged as JSON; its length mostly right. */
function damageHeader(random: MutationRandom): Uint8Array {
  const length = new DataView(safetensors.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(safetensors.subarray(8, 8 + length)));
  let value: unknown = header;
  for (let times = 1 + random.below(2); times > 0; times--) {
    value = mutateJson(value, random, ["F16", "F8_E5M2", [0, 24], [2 ** 26, 2 ** 27], "__metadata__"]);
  }
  const json = new TextEncoder().encode(JSON.stringify(value) ?? "");
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setUint32(0, json.length + (random.below(8) === 0 ? random.below(9) - 4 : 0), true);
  return concat([prefix, json, safetensors.subarray(8 + length)]);
}

const config = { model_type: "llama", hidden_size: 8, rope_scaling: { factor: 2 }, eos_token_id: [1, 2] };
const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const index = { metadata: { total_size: 64 }, weight_map: { "layers.1.f32": shards[0], "layers.2.f16": shards[1] } };

describe("a hostile file is read or refused with a typed error", () => {
  const options = { timeout: survivalTimeoutMs };

  test("safetensors", options, async () => {
    const { accepted, refused } = await attack({
      format: "safetensors",
      damage: (random, i) => (i % 2 === 0 ? mutate(safetensors, random) : damageHeader(random)),
      read: async (bytes) => readEverything(await readSafetensors(new MemorySource(bytes))),
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), TRUNCATED_FILE: expect.any(Number) });
  });

  test("GGUF", options, async () => {
    const { accepted, refused } = await attack({
      format: "GGUF",
      damage: (random, i) => {
        const whole = i % 2 === 0 ? gguf : pythonGguf;
        return mutate(whole, random, i % 3 === 0 ? byteMutations : byteMutations.map((one) => withinHeader(1400, one)));
      },
      read: async (bytes) => readEverything(await readGguf(new MemorySource(bytes))),
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), UNSUPPORTED: expect.any(Number) });
  });

  test("llama2.c", options, async () => {
    const { accepted, refused } = await attack({
      format: "llama2.c",
      damage: (random, i) => {
        const whole = llama2c(i % 2 === 0 ? 0 : 1);
        return mutate(whole, random, i % 3 === 0 ? byteMutations : byteMutations.map((one) => withinHeader(40, one)));
      },
      read: async (bytes) => readEverything(await readLlama2c(new MemorySource(bytes))),
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), TRUNCATED_FILE: expect.any(Number) });
  });

  test("a Hugging Face folder with shards", options, async () => {
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? "");
    const { accepted, refused } = await attack({
      format: "Hugging Face folder",
      damage: (random, i) => {
        const names = [...shards, "model.safetensors", "../model.safetensors", "config.json", "/etc/passwd"];
        return i % 4 === 0 ? mutate(text(index), random) : text(mutateJson(index, random, names));
      },
      read: async (bytes) => {
        const files = new Map([
          ["config.json", text(config)],
          ["model.safetensors.index.json", bytes],
          [shards[0], safetensors],
          [shards[1], safetensors],
        ]);
        await readEverything(await readHuggingFace(memoryFolder(files)));
      },
    });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), MISSING_TENSOR: expect.any(Number) });
  });
});
