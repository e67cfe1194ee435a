/** The smallest published Llama: its published greedy text, reference log-probabilities and logits. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSafetensors, readTensorFloats } from "../../src/formats/index.js";
import { openFileSource } from "../../src/formats/index.node.js";
import { loadModel } from "../../src/load-model.node.js";
import { describeWithData } from "../data.js";
import { availableBackends } from "../support/backends.js";

interface ReferenceCase {
  readonly text: string;
  readonly ids_with_bos: number[];
  readonly token_logprobs: number[];
  readonly argmax_after_last: number;
}

describeWithData("llama2c-stories260K", "stories260K", (folder) => {
  const published = readFileSync(join(folder, "greedy_200_steps.expected.txt"), "utf8");
  const { cases } = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as { cases: ReferenceCase[] };

  test.each(availableBackends)("writes the published text, character for character: %s", async (backend) => {
    for (const file of ["stories260K.bin", "stories260K_v1.bin"]) {
      await using model = await loadModel(join(folder, file), { backend });
      let text = "";
      // The program that published the text counts the beginning token among its 200 steps.
      for await (const step of model.generate("", { maxTokens: 200 })) text += step.text;
      expect(text.trimStart()).toBe(published);
    }
  });

  test.each(availableBackends)("gives the reference logits and log-probabilities: %s", async (backend) => {
    await using file = await readSafetensors(await openFileSource(join(folder, "reference_logits.safetensors")));
    await using model = await loadModel(join(folder, "stories260K.bin"), { backend });
    for (const [index, { text, ids_with_bos: ids, token_logprobs: logprobs }] of cases.entries()) {
      expect(Array.from(model.tokenizer.encode(text))).toEqual(ids);
      const expected = await readTensorFloats(file.tensors.get(`logits_${index}`)!);
      const actual = await model.logits(ids);
      expect(largestDifference(actual, expected)).toBeLessThan(1e-4);
      const predicted = ids.slice(1).map((id, i) => logProbability(actual.subarray(i * 512, (i + 1) * 512), id));
      expect(largestDifference(predicted, logprobs)).toBeLessThan(1e-4);
    }
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

function logProbability(logits: Float32Array, id: number): number {
  const largest = Math.max(...logits);
  return logits[id]! - largest - Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
