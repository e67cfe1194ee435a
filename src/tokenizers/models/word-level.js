/** Hugging Face's `WordLevel`; also the model of character tokenizers and plain word lists. */
export class WordLevelModel {
    vocabulary;
    unknownId;
    /** @param unknownId - without one, unknown pieces are dropped. */
    constructor(vocabulary, unknownId) {
        this.vocabulary = vocabulary;
        this.unknownId = unknownId;
    }
    encode(piece, out) {
        const id = this.vocabulary.get(piece) ?? this.unknownId;
        if (id !== undefined)
            out.push(id);
    }
}
