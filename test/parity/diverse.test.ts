/** Diverse beam search against transformers 4.49, the last that had it in `generate`. */
import { describeSearches, type SearchCase } from "./searches.js";

interface Case extends SearchCase {
  readonly num_beam_groups: number;
  readonly diversity_penalty: number;
  readonly early_stopping: boolean;
  readonly eos_token_id: number;
}

describeSearches<Case>("diverse beam search", {
  kind: "diverse",
  moreThan: 20,
  tolerance: 1e-4,
  options: (each) => ({
    groups: each.num_beam_groups,
    diversityPenalty: each.diversity_penalty,
    earlyStopping: each.early_stopping,
    stopping: { endIds: false, tokenIds: [each.eos_token_id] },
  }),
});
