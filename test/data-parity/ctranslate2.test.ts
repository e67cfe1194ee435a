/** A published translation model in CTranslate2's own files: its published outputs, scores and reference values. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCtranslate2, readSafetensors, readTensorFloats } from "../../src/formats/index.js";
import { openFileSource } from "../../src/formats/index.node.js";
import type { Model } from "../../src/generation/model.js";
import { loadModel } from "../../src/load-model.node.js";
import { describeWithData } from "../data.js";
import { availableBackends } from "../support/backends.js";

interface Expected {
  readonly translate: readonly { readonly input: string[]; readonly output: string[]; readonly beam_size?: number }[];
  readonly scores: {
    readonly cases: readonly { input: string[]; target: string[]; token_logprobs_including_end: number[] }[];
  };
}

const startId = 1;
const endId = 2;

describeWithData("ct2-aren-transliteration", "ct2-aren-transliteration", (folder) => {
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
  const vocabulary = (side: string) =>
    readFileSync(join(folder, "float32", `${side}_vocabulary.txt`), "utf8")
      .trimEnd()
      .split("\n");
  const [sources, targets] = [vocabulary("source"), vocabulary("target")];
  /** An unknown token is one id past the last line. */
  const idsOf = (tokens: string[], lines: string[]) =>
    tokens.map((token) => (lines.includes(token) ? lines.indexOf(token) : lines.length));

  describe.each(availableBackends)("on %s", (backend) => {
    test("writes the published outputs", async () => {
      await using model = await loadModel(join(folder, "float32"), { backend });
      const greedy = expected.translate.filter((each) => each.beam_size === undefined);
      expect(greedy.length).toBeGreaterThan(1);
      for (const { input, output } of greedy) {
        let text = "";
        for await (const step of model.generate({ source: input.join("") }, { maxTokens: 20 })) text += step.text;
        expect(text).toBe(output.join(""));
      }
    });

    test.each([
      ["float32", 1e-4],
      ["aren-transliteration.safetensors", 1e-4],
      // Weights of 16 and of 8 bits are not the published ones: see below for how near they are.
      ["int16", 0.1],
      ["int8", 1],
    ])("%s gives the published scores and the reference values within %d", async (path, tolerance) => {
      await using file = await readSafetensors(await openFileSource(join(folder, "reference_logprobs.safetensors")));
      const floats = (name: string) => readTensorFloats(file.tensors.get(name)!);
      await using model = await loadModel(join(folder, path), { backend });
      for (const [i, { input, target, token_logprobs_including_end: published }] of expected.scores.cases.entries()) {
        const source = idsOf(input, sources);
        const ids = idsOf(target, targets);
        const logprobs = logProbabilities(
          await model.logits({ source, target: [startId, ...ids] }),
          targets.length + 1,
        );
        expect(largestDifference(logprobs.flat(), await floats(`logprobs_${i}`))).toBeLessThan(tolerance);
        const scores = [...ids, endId].map((id, row) => logprobs[row]![id]!);
        expect(largestDifference(scores, published)).toBeLessThan(tolerance);
        const encoded = await encoderOutput(model, source);
        expect(largestDifference(encoded, await floats(`encoder_${i}`))).toBeLessThan(tolerance);
      }
    });
  });
});

describeWithData("ct2-aren-transliteration", "weights in whole numbers", (folder) => {
  const open = async (name: string) => readCtranslate2(await openFileSource(join(folder, name, "model.bin")));

  // The scale is 1000, or what makes a row's largest weight 127; multiples of it are cut, not rounded.
  test.each([
    ["int16", () => 1 / 1000],
    ["int8", (row: Float32Array) => row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127],
  ] as const)("%s weights are the float32 ones to within a step", async (name, stepOf) => {
    await using exact = await open("float32");
    await using quantized = await open(name);
    expect([...quantized.tensors.keys()].sort()).toEqual([...exact.tensors.keys()].sort());
    for (const [key, tensor] of quantized.tensors) {
      const [a, b] = [await readTensorFloats(tensor), await readTensorFloats(exact.tensors.get(key)!)];
      const width = tensor.shape.at(-1)!;
      for (let at = 0; at < a.length; at += width) {
        const [row, exactRow] = [a.subarray(at, at + width), b.subarray(at, at + width)];
        expect(largestDifference(row, exactRow), key).toBeLessThanOrEqual(stepOf(exactRow) * 1.001);
      }
    }
  });

  test("are read the same in pieces of any size", async () => {
    await using model = await open("int8");
    const tensor = model.tensors.get("encoder/layer_0/ffn/linear_0/weight")!;
    const whole = new Uint8Array(tensor.byteLength);
    await tensor.read(0, whole);
    for (const [at, length] of [
      [0, 1],
      [5, 130],
      [127, 1000],
      [tensor.byteLength - 3, 3],
    ] as const) {
      const piece = new Uint8Array(length);
      await tensor.read(at, piece);
      expect(piece).toEqual(whole.slice(at, at + length));
    }
  });
});

async function encoderOutput(model: Model, source: number[]): Promise<Float32Array> {
  const sequence = await model.engine.sequence(source);
  try {
    return Float32Array.from(sequence.source!.output);
  } finally {
    sequence.dispose();
  }
}

function logProbabilities(logits: Float32Array, vocabSize: number): number[][] {
  return Array.from({ length: logits.length / vocabSize }, (_, row) => {
    const values = Array.from(logits.subarray(row * vocabSize, (row + 1) * vocabSize));
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
    return values.map((value) => value - total);
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
