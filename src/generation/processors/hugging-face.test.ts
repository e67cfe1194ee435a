/** The whole chain of processors and filters against Hugging Face's own, in its order, alone and switched on together. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Pipeline } from "../sampling/pipeline.js";
import { type ChoiceOptions, createStages } from "../sampling/stages.js";

interface Case {
  readonly options: ChoiceOptions;
  readonly promptLength: number;
  readonly ids: number[];
  readonly logits: number[];
  /** By id, of the tokens that are left. */
  readonly probabilities: Record<string, number>;
}

const { cases, ends } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/processors/processors.json", import.meta.url), "utf8"),
) as { readonly cases: Case[]; readonly ends: number[] };

const uniform = () => {
  throw new Error("nothing here is random");
};

function distribution({ options, promptLength, ids, logits }: Case): Map<number, number> {
  const model = { vocabSize: logits.length, endIds: ends, bannedIds: [] };
  const pipeline = new Pipeline(createStages(options, model), logits.length);
  const candidates = pipeline.run(Float32Array.from(logits), { ids, promptLength, uniform });
  const probabilities = candidates.probabilities();
  const all = Array.from(candidates.ids.subarray(0, candidates.count), (id, i) => [id, probabilities[i]!] as const);
  return new Map(all.filter(([, probability]) => probability > 0));
}

describe("Hugging Face's distributions", () => {
  const title = ({ options }: Case) =>
    Object.values(options)
      .flatMap((group) => Object.keys(group as object))
      .join(", ") || "no option";

  test.each(cases.map((each, i) => [i, title(each), each] as const))("%i: %s", (_, __, each) => {
    const actual = distribution(each);
    const expected = new Map(Object.entries(each.probabilities).map(([id, probability]) => [Number(id), probability]));
    expect([...actual.keys()].sort((a, b) => a - b)).toEqual([...expected.keys()].sort((a, b) => a - b));
    for (const [id, probability] of expected) expect(Math.abs(actual.get(id)! - probability)).toBeLessThan(1e-6);
  });

  test("cover every option that both have", () => {
    const names = new Set(cases.flatMap((each) => title(each).split(", ")));
    expect(names.size).toBeGreaterThanOrEqual(17);
  });
});
