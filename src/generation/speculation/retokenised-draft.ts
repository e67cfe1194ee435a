/**
 * A draft with another vocabulary: it reads the text, writes on, and what it wrote is read by the target's tokenizer.
 * Its probabilities are of other tokens, so what it proposes stands for itself, without any.
 *
 * Compare Timor et al., 2025 (arXiv:2502.05202).
 */
import type { Tokenizer } from "../../tokenizers/tokenizer.js";
import type { DraftProposer } from "./draft.js";
import { noProposal, type Proposal, type ProposalPlace, type Proposer } from "./proposer.js";

export class RetokenisedDraft implements Proposer {
  readonly name = "draft";

  /**
   * @param tokenizer - the target's
   * @param draft - proposes in its own vocabulary
   */
  constructor(
    readonly tokenizer: Tokenizer,
    readonly draft: DraftProposer,
    readonly draftTokenizer: Tokenizer,
  ) {}

  async propose({ ids, count, sequence, signal }: ProposalPlace): Promise<Proposal> {
    const own = [...this.draftTokenizer.encode(this.tokenizer.decode(ids))];
    if (own.length === 0) return noProposal;
    const place = { ids: own, promptLength: own.length, count, sequence, signal };
    const { tokens } = await this.draft.propose(place);
    const stream = this.draftTokenizer.stream({ after: own });
    const added = tokens.map((token) => stream.push(token)).join("");
    return added === "" ? noProposal : { tokens: this.#continue(ids, added).slice(0, count) };
  }

  dispose(): void {
    this.draft.dispose();
  }

  /** The tokens of `added` behind `ids`. */
  #continue(ids: readonly number[], added: string): readonly number[] {
    const text = this.tokenizer.decode(ids, { skipSpecialTokens: false });
    const all = this.tokenizer.encode(text + added, { addSpecialTokens: false });
    if (ids.every((id, i) => id === all[i])) return [...all.subarray(ids.length)];
    // The tokens are not those that the tokenizer would make of their own text: what is added is read by itself.
    return [...this.tokenizer.encode(added, { addSpecialTokens: false, parseSpecialTokens: false })];
  }
}
