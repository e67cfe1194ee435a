/** Beam search against PyTorch `transformers`: the same hypotheses with the same scores, padded batches included. */
import type { TokenOptions } from "../../src/generation/processors/options.js";
import type { EarlyStopping } from "../../src/generation/search/beams.js";
import { describeSearches, type SearchCase } from "./searches.js";

interface Case extends SearchCase {
  readonly early_stopping: EarlyStopping;
  readonly eos_token_id: number[];
  readonly min_new_tokens?: number;
  readonly bad_words_ids?: number[][];
}

function tokensOf({ min_new_tokens, bad_words_ids }: Case): TokenOptions {
  return {
    ...(min_new_tokens === undefined ? {} : { minNewTokens: min_new_tokens }),
    ...(bad_words_ids === undefined ? {} : { badWords: bad_words_ids }),
  };
}

describeSearches<Case>("beam search", {
  kind: "search",
  moreThan: 40,
  tolerance: 1e-5,
  options: (each) => ({
    earlyStopping: each.early_stopping,
    stopping: { endIds: false, tokenIds: each.eos_token_id },
    tokens: tokensOf(each),
  }),
});
