/** Beam search against PyTorch `transformers`: the same hypotheses with the same scores, padded batches included. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TokenOptions } from "../../src/generation/processors/options.js";
import type { EarlyStopping } from "../../src/generation/search/beams.js";
import type { BeamSearchOptions } from "../../src/generation/search/options.js";
import { loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";

interface Case {
  readonly num_beams: number;
  readonly length_penalty: number;
  readonly early_stopping: EarlyStopping;
  readonly eos_token_id: number[];
  readonly min_new_tokens?: number;
  readonly bad_words_ids?: number[][];
  readonly prompts: number[][];
  readonly hypotheses: { readonly ids: number[]; readonly score: number }[][];
}

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(join(folder, "search")).map((file) => file.replace(/\.json$/, ""));

function optionsOf(each: Case, maxTokens: number): BeamSearchOptions {
  return {
    beams: each.num_beams,
    count: each.num_beams,
    maxTokens,
    lengthPenalty: each.length_penalty,
    earlyStopping: each.early_stopping,
    stopping: { endIds: false, tokenIds: each.eos_token_id },
    tokens: tokensOf(each),
  };
}

function tokensOf({ min_new_tokens, bad_words_ids }: Case): TokenOptions {
  return {
    ...(min_new_tokens === undefined ? {} : { minNewTokens: min_new_tokens }),
    ...(bad_words_ids === undefined ? {} : { badWords: bad_words_ids }),
  };
}

describe.each(availableBackends)("beam search as PyTorch's on %s", (backend) => {
  test.each(names)("%s", async (name) => {
    const { cases, maxNewTokens } = JSON.parse(readFileSync(join(folder, "search", `${name}.json`), "utf8")) as {
      readonly cases: Case[];
      readonly maxNewTokens: number;
    };
    expect(cases.length).toBeGreaterThan(40);
    await using model = await loadModel(join(folder, "fixtures", name), { backend });
    // The slow backend proves nothing more with each width than with some.
    for (const each of cases.filter((_, i) => backend !== "reference" || i % 4 === 0)) {
      const { prompts, hypotheses, ...setting } = each;
      const isDecoder = model.config.kind === "decoder-only";
      const found = await model.beamSearchAll(
        prompts.map((ids) => (isDecoder ? ids : { source: ids })),
        optionsOf(each, maxNewTokens),
      );
      const what = JSON.stringify(setting);
      const ids = found.map((row) => row.map(({ tokens }) => tokens));
      expect(ids, what).toEqual(hypotheses.map((row) => row.map((hypothesis) => hypothesis.ids)));
      for (const [i, { score }] of found.flat().entries()) {
        const expected = hypotheses.flat()[i]!.score;
        expect(Math.abs(score - expected), what).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      }
    }
  });
});
