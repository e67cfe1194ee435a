import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import { MemorySource } from "../memory-source.js";
import { readTensorBytes } from "../stored-tensor.js";
import { readLlama2c } from "./read.js";

/** A version-0 file: hiddenSize 8, intermediateSize 6, 2 layers, 4 heads over 2, 5 tokens, context 3. */
function legacy(vocabSize: number): Uint8Array<ArrayBuffer> {
  const numbers = [8, 6, 2, 4, 2, vocabSize, 3];
  const perLayer = 8 + 8 * 8 + 4 * 8 + 4 * 8 + 8 * 8 + 8 + 3 * 6 * 8;
  const floats = 5 * 8 + 2 * perLayer + 8 + 3 * 2 + (vocabSize < 0 ? 5 * 8 : 0);
  const bytes = new Uint8Array(28 + 4 * floats);
  new Int32Array(bytes.buffer, 0, 7).set(numbers);
  new Float32Array(bytes.buffer, 28).forEach((_, i, all) => {
    all[i] = i;
  });
  return bytes;
}

const read = (bytes: Uint8Array) => readLlama2c(new MemorySource(bytes, "model.bin"));

describe("a llama2.c checkpoint", () => {
  test("of version 0 gives Hugging Face names and shapes", async () => {
    const file = await read(legacy(5));
    expect(file.config).toEqual({
      hiddenSize: 8,
      intermediateSize: 6,
      layerCount: 2,
      headCount: 4,
      keyValueHeadCount: 2,
      vocabSize: 5,
      contextLength: 3,
      tied: true,
    });
    expect(file.tensors.size).toBe(2 + 2 * 9);
    expect(file.tensors.get("model.layers.1.self_attn.k_proj.weight")?.shape).toEqual([4, 8]);
    expect(file.tensors.get("model.layers.1.mlp.down_proj.weight")?.shape).toEqual([8, 6]);
    const norms = await readTensorBytes(file.tensors.get("model.layers.1.input_layernorm.weight")!);
    expect([...new Float32Array(norms.buffer)]).toEqual([48, 49, 50, 51, 52, 53, 54, 55]);
  });

  test("with its own output projection says so by a negative vocabulary", async () => {
    const file = await read(legacy(-5));
    expect(file.config).toMatchObject({ vocabSize: 5, tied: false });
    const head = new Float32Array((await readTensorBytes(file.tensors.get("lm_head.weight")!)).buffer);
    expect(head[39]).toBe((legacy(-5).length - 28) / 4 - 1);
  });

  test("that lies is refused, naming the field", async () => {
    const cases: [number, number, string, RegExp][] = [
      [0, 0, "BAD_FORMAT", /hiddenSize/],
      [1, -1, "BAD_FORMAT", /intermediateSize/],
      [2, 5000, "BAD_FORMAT", /layerCount/],
      [2, 3, "TRUNCATED_FILE", /weights/],
      [2, 1, "BAD_FORMAT", /file size/],
      [3, 3, "BAD_FORMAT", /headCount/],
      [4, 3, "BAD_FORMAT", /keyValueHeadCount/],
      [5, 2 ** 31 - 1, "TRUNCATED_FILE", /weights/],
      [5, 0, "BAD_FORMAT", /vocabSize/],
      [6, 0, "BAD_FORMAT", /contextLength/],
    ];
    for (const [at, value, code, message] of cases) {
      const bytes = legacy(5);
      new Int32Array(bytes.buffer, 0, 7)[at] = value;
      await expect(read(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });

  test("of int8 weights is refused", async () => {
    const bytes = new Uint8Array(1000);
    new Int32Array(bytes.buffer, 0, 2).set([0x616b3432, 2]);
    await expect(read(bytes)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/version "2"/),
    });
  });

  test("that ends early, at every length", async () => {
    const whole = legacy(5);
    for (let length = 1; length < whole.length; length += 7) {
      await expect(read(whole.slice(0, length))).rejects.toMatchObject({ code: "TRUNCATED_FILE" });
    }
  });
});

describeWithData("llama2c-stories260K", "stories260K", (folder) => {
  const open = (name: string) => readLlama2c(new MemorySource(readFileSync(join(folder, name)), name));

  test("versions 0 and 1 hold the same model", async () => {
    const [legacyFile, file] = [await open("stories260K.bin"), await open("stories260K_v1.bin")];
    expect([legacyFile.version, file.version]).toEqual([0, 1]);
    expect(file.config).toEqual(legacyFile.config);
    expect([...file.tensors.keys()].sort()).toEqual([...legacyFile.tensors.keys()].sort());
    for (const [name, tensor] of file.tensors) {
      const other = await readTensorBytes(legacyFile.tensors.get(name)!);
      expect(Buffer.compare(await readTensorBytes(tensor), other), name).toBe(0);
    }
  });
});
