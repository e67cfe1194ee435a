/** The preset order "llama.cpp" against llama.cpp's own filters: the same tokens left, with the same probabilities. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { choiceOf } from "../../src/generation/sampling/sampler.js";
import type { ChoiceOptions } from "../../src/generation/sampling/stages.js";

interface Case extends Pick<ChoiceOptions, "sampling"> {
  readonly logits: readonly number[];
  /** Tokens that are left, by id, and the probability of each. */
  readonly left: readonly number[];
  readonly p: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL("llama-cpp-samplers.json", import.meta.url), "utf8")) as {
  readonly cases: Case[];
};

/** What an option asks for, for the title. */
function about({ sampling = {} }: Case): string {
  return Object.keys(sampling).join(", ");
}

test.each([...new Set(cases.map(about))])("%s", (what) => {
  const chosen = cases.filter((each) => about(each) === what);
  expect(chosen.length).toBeGreaterThan(10);
  for (const each of chosen) {
    const { sampling, logits, left, p } = each;
    const options: ChoiceOptions = { sampling: { temperature: 1, ...sampling, order: "llama.cpp", seed: 1 } };
    const { pipeline } = choiceOf(options, { vocabSize: logits.length, endIds: [], bannedIds: [] });
    const place = { ids: [], promptLength: 0, uniform: () => 0 };
    const candidates = pipeline.run(Float32Array.from(logits), place);
    const ids = [...candidates.ids.subarray(0, candidates.count)];
    const probabilities = [...candidates.probabilities().subarray(0, candidates.count)];
    const possible = ids.filter((_, i) => probabilities[i]! > 0);
    expect(possible, JSON.stringify(each)).toEqual(left);
    const found = probabilities.filter((each) => each > 0);
    for (const [i, expected] of p.entries()) expect(Math.abs(found[i]! - expected)).toBeLessThan(1e-6);
  }
});
