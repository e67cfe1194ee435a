import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { llamaConfig, randomLlama, smallShape } from "../../test/support/random-llama.js";
import { type CacheOptions, modelFrom } from "../load-model.js";
import { createBackend } from "../load-model.node.js";
import { ConfigReader } from "../models/config-reader.js";
import type { Model } from "./model.js";

/** Layer 0 sees everything, the others 20 positions. */
const windowed = {
  ...llamaConfig(smallShape),
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  sliding_window: 20,
  layer_types: ["full_attention", "sliding_attention", "sliding_attention"],
};

async function load(cache: CacheOptions, config: object = llamaConfig(smallShape)): Promise<Model> {
  const backend = await createBackend({ threads: 1 });
  const checkpoint = { ...randomLlama(smallShape), config: new ConfigReader(config as Record<string, unknown>) };
  return modelFrom(checkpoint, backend, { cache }, () => backend.dispose());
}

const prompt = Array.from({ length: 100 }, (_, i) => (i * 37) % smallShape.vocabSize);
/** Bytes of a head of 16 numbers at 16 positions, as bytes with a half for each position. */
const int8Part = 16 * 16 + 2 * 16;

describe("the report of a session's cache", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load({ codec: "int8" });
  });
  afterAll(() => model.dispose());

  test("bytes moved follow live tokens in steps of one block", async () => {
    using session = await model.session(prompt.slice(0, 1));
    const blockBytes = 3 * 2 * 3 * int8Part;
    expect(session.cacheReport()).toMatchObject({ positions: 0, blocks: 0, bytesHeld: 0, bytesMoved: 0 });
    for (let length = 1; length <= 40; length++) {
      await session.logits();
      const blocks = Math.ceil(length / 16);
      const bytes = blocks * blockBytes;
      const counted = { blockSize: 16, positions: length, blocks, bytesHeld: bytes, bytesMoved: bytes };
      expect(session.cacheReport()).toMatchObject(counted);
      session.extend([7]);
    }
  });

  test("bytes moved do not depend on what the cache could hold", async () => {
    await using small = await load({ codec: "int8", positions: 128 });
    const moved = async (of: Model) => {
      using session = await of.session(prompt);
      await session.logits();
      return session.cacheReport().bytesMoved;
    };
    expect(small.engine.pool.size).toBeLessThan(model.engine.pool.size);
    expect(await moved(small)).toBe(await moved(model));
  });

  test("says how much each layer is compressed, and what is shared", async () => {
    await using mixed = await load({ keys: "bf16", values: "int4" });
    using session = await mixed.session(prompt);
    await session.logits();
    using fork = session.fork();
    await fork.append([1]);
    const { layers, blocks, sharedBlocks } = fork.cacheReport();
    expect([blocks, sharedBlocks]).toEqual([7, 6]);
    expect(layers).toHaveLength(3);
    const part = (codec: string, bytes: number) => ({
      codec,
      bytes: 7 * bytes,
      compression: bytes / (3 * 16 * 16 * 4),
    });
    for (const layer of layers) {
      expect(layer.keys).toEqual(part("bf16", 3 * 16 * 16 * 2));
      expect(layer.values).toEqual(part("int4", 3 * (16 * 8 + 64)));
    }
  });
});

test("a codec that there is not is refused, with those that there are", async () => {
  await expect(load({ values: "int3" as "int4" })).rejects.toThrow(
    'cache.values "int3" is not supported; supported: f32, f16, bf16, int8, int4',
  );
});

describe("what is not counted is not read", () => {
  /** Logits after 100 tokens and one more, where blocks of layer `layer` were spoiled before that one. */
  async function spoiled(model: Model, layer: number, isSpoiled: (block: number) => boolean) {
    using session = await model.session(prompt);
    await session.logits();
    const { blocks } = session.engine.network.cache;
    const { keys, values } = session.engine.network.cache.layers[layer]!;
    const kept = [keys, values].map(({ data }) => data.slice());
    for (const { data } of [keys, values]) {
      const width = data.length / blocks;
      for (let block = 0; block < blocks; block++)
        if (isSpoiled(block)) data.fill(Number.NaN, block * width, (block + 1) * width);
    }
    session.extend([7]);
    const logits = (await session.logits()).slice();
    for (const [i, { data }] of [keys, values].entries()) data.set(kept[i]!);
    return { logits, report: session.cacheReport() };
  }

  test("blocks behind the window of a layer, and those of nobody; and all others are", async () => {
    await using model = await load({}, windowed);
    const whole = await spoiled(model, 0, () => false);
    // The session's blocks are the first 7 of the cache, for it is alone.
    expect(whole.report.layers.map((layer) => layer.blocksRead)).toEqual([7, 2, 2]);
    const first = [0, 5, 5];
    for (const layer of [0, 1, 2]) {
      const behind = await spoiled(model, layer, (block) => block < first[layer]! || block >= 7);
      expect(behind.logits).toEqual(whole.logits);
      for (let block = first[layer]!; block < 7; block++) {
        const { logits } = await spoiled(model, layer, (each) => each === block);
        expect(logits.some(Number.isNaN), `layer ${layer}, block ${block}`).toBe(true);
      }
    }
  });
});
