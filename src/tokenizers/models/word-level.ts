/** Whole words only: a piece is in the vocabulary, or it is unknown. */
import type { IdList, SubwordModel, Vocabulary } from "./model.js";

/** Hugging Face's `WordLevel`; also the model of character tokenizers and plain word lists. */
export class WordLevelModel implements SubwordModel {
  /** @param unknownId - without one, unknown pieces are dropped. */
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly unknownId?: number,
  ) {}

  encode(piece: string, out: IdList): void {
    const id = this.vocabulary.get(piece) ?? this.unknownId;
    if (id !== undefined) out.push(id);
  }
}
