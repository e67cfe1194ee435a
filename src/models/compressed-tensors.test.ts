import { describe, expect, test } from "vitest";
import type { StoredTensor } from "../core/checkpoint.js";
import { convertTensor, memoryTensor, readTensorBytes } from "../formats/index.js";
import { compress, uncompress } from "./compressed-tensors.js";

function matrix(name: string, rows: number, columns: number): StoredTensor {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i) * (1 + (i % 7)));
  return memoryTensor(name, [rows, columns], "f32", values);
}

const byName = (tensors: readonly StoredTensor[]) => new Map(tensors.map((tensor) => [tensor.name, tensor]));

describe("weights of eight bits in a Hugging Face folder", () => {
  test("what is written and read again is Q8_0, block for block", async () => {
    const tensor = matrix("model.layers.0.mlp.up_proj.weight", 5, 96);
    const { tensors, quantization } = compress([tensor], () => true);
    expect(tensors.map(({ name, shape, storage }) => [name, shape, storage])).toEqual([
      ["model.layers.0.mlp.up_proj.weight", [5, 96], "i8"],
      ["model.layers.0.mlp.up_proj.weight_scale", [5, 3], "f16"],
    ]);
    const opened = uncompress({ config: { quantization_config: quantization }, tensors: byName(tensors) }, "here");
    expect(opened.config).toEqual({});
    const again = opened.tensors.get(tensor.name)!;
    expect([...opened.tensors.keys()]).toEqual([tensor.name]);
    expect(again.storage).toBe("q8_0");
    expect(await readTensorBytes(again)).toEqual(await readTensorBytes(convertTensor(tensor, "q8_0")));
  });

  test("any part of the blocks can be read, from any byte on", async () => {
    const tensor = matrix("x.weight", 4, 64);
    const { tensors, quantization } = compress([tensor], () => true);
    const opened = uncompress({ config: { quantization_config: quantization }, tensors: byName(tensors) }, "here");
    const whole = await readTensorBytes(convertTensor(tensor, "q8_0"));
    for (const [start, length] of [
      [0, 1],
      [33, 2],
      [35, 70],
      [101, 171],
    ] as const) {
      const part = new Uint8Array(length);
      await opened.tensors.get("x.weight")!.read(start, part);
      expect(part).toEqual(whole.slice(start, start + length));
    }
  });

  test("vectors, odd widths and what is no module stay floats, and are named so", () => {
    const norm = memoryTensor("norm.weight", [64], "f32", new Float32Array(64));
    const { tensors, quantization } = compress(
      [norm, matrix("narrow.weight", 3, 40), matrix("bias.weight", 3, 64)],
      (name) => name !== "bias.weight",
    );
    expect(tensors.map(({ storage }) => storage)).toEqual(["f16", "f16", "f16"]);
    expect(quantization.ignore).toEqual(["narrow", "bias"]);
  });

  test("other schemes of the package are refused by what is different", () => {
    const { quantization } = compress([], () => true);
    const group = (quantization.config_groups as { group_0: { weights: object } }).group_0;
    const withWeights = (weights: object) => ({
      ...quantization,
      config_groups: { group_0: { ...group, weights: { ...group.weights, ...weights } } },
    });
    const open = (config: object) => () =>
      uncompress({ config: { quantization_config: config }, tensors: new Map() }, "x");
    expect(open(quantization)).not.toThrow();
    expect(open({ ...quantization, format: "pack-quantized" })).toThrow(/format "pack-quantized"/);
    expect(open(withWeights({ num_bits: 4 }))).toThrow(/weights.*num_bits.*4/);
    expect(open(withWeights({ group_size: 128 }))).toThrow(/group_size.*128/);
    expect(open({ ...quantization, config_groups: { a: 3 } })).toThrow(/weights/);
  });

  test("scales that do not fit their integers are refused by name", () => {
    const { tensors, quantization } = compress([matrix("x.weight", 4, 64)], () => true);
    const scale = memoryTensor("x.weight_scale", [4, 1], "f16", new Uint16Array(4));
    const broken = byName([tensors[0]!, scale]);
    const open = () => uncompress({ config: { quantization_config: quantization }, tensors: broken }, "x");
    expect(open).toThrow(/x\.weight_scale.*\[4, 2\]/);
  });
});
