/** Beam search that must include phrases against transformers 4.49, the last that had it in `generate`. */
import type { RequiredPhrase } from "../../src/generation/search/phrases.js";
import { describeSearches, type SearchCase } from "./searches.js";

interface Case extends SearchCase {
  /** Phrases, or lists of alternatives. */
  readonly force_words_ids: readonly (readonly number[] | readonly number[][])[];
  readonly early_stopping: boolean;
  readonly eos_token_id: number;
}

function phraseOf(words: readonly number[] | readonly number[][]): RequiredPhrase {
  return typeof words[0] === "number" ? (words as number[]) : { anyOf: words as number[][] };
}

describeSearches<Case>("beam search with phrases", {
  kind: "constrained",
  moreThan: 12,
  tolerance: 1e-4,
  options: (each) => ({
    count: 1,
    mustInclude: each.force_words_ids.map(phraseOf),
    earlyStopping: each.early_stopping,
    stopping: { endIds: false, tokenIds: [each.eos_token_id] },
  }),
});
