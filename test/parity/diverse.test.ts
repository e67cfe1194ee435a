/** Diverse beam search against transformers 4.49, the last that had it in `generate`. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";

interface Case {
  readonly num_beams: number;
  readonly num_beam_groups: number;
  readonly diversity_penalty: number;
  readonly length_penalty: number;
  readonly early_stopping: boolean;
  readonly eos_token_id: number;
  readonly prompts: number[][];
  readonly hypotheses: { readonly ids: number[]; readonly score: number }[][];
}

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(join(folder, "diverse")).map((file) => file.replace(/\.json$/, ""));

describe.each(availableBackends)("diverse beam search as PyTorch's on %s", (backend) => {
  test.each(names)("%s", async (name) => {
    const { cases, maxNewTokens } = JSON.parse(readFileSync(join(folder, "diverse", `${name}.json`), "utf8")) as {
      readonly cases: Case[];
      readonly maxNewTokens: number;
    };
    expect(cases.length).toBeGreaterThan(20);
    await using model = await loadModel(join(folder, "fixtures", name), { backend });
    for (const each of cases.filter((_, i) => backend !== "reference" || i % 4 === 0)) {
      const { prompts, hypotheses, ...setting } = each;
      const isDecoder = model.config.kind === "decoder-only";
      const found = await model.beamSearchAll(
        prompts.map((ids) => (isDecoder ? ids : { source: ids })),
        {
          beams: each.num_beams,
          count: each.num_beams,
          groups: each.num_beam_groups,
          diversityPenalty: each.diversity_penalty,
          maxTokens: maxNewTokens,
          lengthPenalty: each.length_penalty,
          earlyStopping: each.early_stopping,
          stopping: { endIds: false, tokenIds: [each.eos_token_id] },
        },
      );
      const what = JSON.stringify(setting);
      const ids = found.map((row) => row.map(({ tokens }) => tokens));
      expect(ids, what).toEqual(hypotheses.map((row) => row.map((hypothesis) => hypothesis.ids)));
      for (const [i, { score }] of found.flat().entries()) {
        const expected = hypotheses.flat()[i]!.score;
        expect(Math.abs(score - expected), what).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
      }
    }
  });
});
