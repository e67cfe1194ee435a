/** Writes a GGUF file of a given shape with random weights, such as other engines also open. */

import { quantize, writeGguf } from "hitherto/formats";
import { createFileSink } from "hitherto/formats/node";
import type { Shape } from "./shapes.js";

type Storage = "f32" | "f16" | "q8_0" | "q4_0";
/** Bytes and elements of a block. */
const blocks: Readonly<Record<Storage, readonly [bytes: number, elements: number]>> = {
  f32: [4, 1],
  f16: [2, 1],
  q8_0: [34, 32],
  q4_0: [18, 32],
};
type Contents = Parameters<typeof writeGguf>[1];
type Tensor = Contents["tensors"] extends Iterable<infer T> ? T : never;

/** Matrices in `storage`, norms in f32; the vocabulary is made up, but complete enough for llama.cpp. */
export async function writeRandomGguf(path: string, shape: Shape, storage: Storage): Promise<void> {
  await writeGguf(await createFileSink(path), { metadata: metadata(shape), tensors: tensors(shape, storage) });
}

function metadata(shape: Shape): Contents["metadata"] {
  const { vocabSize } = shape;
  const special = ["<unk>", "<s>", "</s>"];
  const tokens = Array.from(
    { length: vocabSize },
    (_, id) => special[id] ?? (id < 259 ? byteToken(id - 3) : `▁t${id}`),
  );
  const types = Int32Array.from({ length: vocabSize }, (_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
  const u32 = (value: number) => ({ type: "u32", value }) as const;
  const f32 = (value: number) => ({ type: "f32", value }) as const;
  const text = (value: string) => ({ type: "string", value }) as const;
  return [
    ["general.architecture", text("llama")],
    ["general.name", text("random")],
    ["llama.context_length", u32(shape.contextLength)],
    ["llama.embedding_length", u32(shape.hiddenSize)],
    ["llama.block_count", u32(shape.layerCount)],
    ["llama.feed_forward_length", u32(shape.intermediateSize)],
    ["llama.attention.head_count", u32(shape.headCount)],
    ["llama.attention.head_count_kv", u32(shape.keyValueHeadCount)],
    ["llama.attention.layer_norm_rms_epsilon", f32(1e-5)],
    ["llama.rope.freq_base", f32(10000)],
    ["llama.vocab_size", u32(vocabSize)],
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", { type: "array", of: "string", value: tokens }],
    ["tokenizer.ggml.scores", { type: "array", of: "f32", value: Float32Array.from(tokens, (_, id) => -id) }],
    ["tokenizer.ggml.token_type", { type: "array", of: "i32", value: types }],
    ["tokenizer.ggml.bos_token_id", u32(1)],
    ["tokenizer.ggml.eos_token_id", u32(2)],
  ];
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function tensors(shape: Shape, storage: Storage): Tensor[] {
  const { hiddenSize, intermediateSize, headCount, keyValueHeadCount } = shape;
  const keyValueSize = (hiddenSize / headCount) * keyValueHeadCount;
  const matrix = (name: string, out: number, width: number) => randomTensor(name, [out, width], storage);
  const norm = (name: string) => randomTensor(name, [hiddenSize], "f32");
  const layers = Array.from({ length: shape.layerCount }, (_, i) => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, hiddenSize, hiddenSize),
    matrix(`blk.${i}.attn_k.weight`, keyValueSize, hiddenSize),
    matrix(`blk.${i}.attn_v.weight`, keyValueSize, hiddenSize),
    matrix(`blk.${i}.attn_output.weight`, hiddenSize, hiddenSize),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, intermediateSize, hiddenSize),
    matrix(`blk.${i}.ffn_up.weight`, intermediateSize, hiddenSize),
    matrix(`blk.${i}.ffn_down.weight`, hiddenSize, intermediateSize),
  ]);
  return [matrix("token_embd.weight", shape.vocabSize, hiddenSize), ...layers.flat(), norm("output_norm.weight")];
}

/** A tensor that repeats one stretch of random blocks: as good as random for speed, and free to make. */
function randomTensor(name: string, shape: number[], wanted: Storage): Tensor {
  const width = shape.at(-1)!;
  const storage = width % blocks[wanted][1] === 0 ? wanted : "f16";
  const [blockBytes, blockElements] = blocks[storage];
  const elements = shape.reduce((product, extent) => product * extent, 1);
  const stretch = randomStretch(
    storage,
    shape.length === 1 ? 0.02 : 1.7 / Math.sqrt(width),
    shape.length === 1 ? 1 : 0,
  );
  return {
    name,
    shape,
    storage,
    byteLength: (elements / blockElements) * blockBytes,
    read: async (offset, into) => {
      for (let i = 0; i < into.length; ) {
        const from = (offset + i) % stretch.length;
        const piece = stretch.subarray(from, Math.min(stretch.length, from + into.length - i));
        into.set(piece, i);
        i += piece.length;
      }
    },
  };
}

const stretches = new Map<string, Uint8Array>();
/** Not a multiple of any row, so that rows differ. */
const stretchElements = 32 * 32749;

function randomStretch(storage: Storage, spread: number, centre: number): Uint8Array {
  const key = `${storage} ${spread} ${centre}`;
  const existing = stretches.get(key);
  if (existing !== undefined) return existing;
  let state = 12345;
  const values = Float32Array.from({ length: stretchElements }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return centre + spread * (state / 2 ** 31);
  });
  const bytes = new Uint8Array((stretchElements / blocks[storage][1]) * blocks[storage][0]);
  if (storage === "f32") bytes.set(new Uint8Array(values.buffer));
  else quantize(storage, values, bytes);
  stretches.set(key, bytes);
  return bytes;
}
