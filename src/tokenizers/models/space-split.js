import { CachedModel } from "./word-cache.js";
const space = "▁";
/** `model`, applied word by word if `vocabulary` allows that without changing a result; otherwise `model` itself. */
export function splitAtSpaces(model, vocabulary) {
    if (!vocabulary.has(space))
        return model;
    for (const token of vocabulary.keys())
        if (/[^▁]▁/u.test(token))
            return model;
    return new WordByWord(new CachedModel(model));
}
/** Cuts before every `▁` that follows another character. */
class WordByWord {
    model;
    constructor(model) {
        this.model = model;
    }
    encode(piece, out) {
        let start = 0;
        for (let at = piece.indexOf(space, 1); at >= 0; at = piece.indexOf(space, at + 1)) {
            if (piece[at - 1] === space)
                continue;
            this.model.encode(piece.slice(start, at), out);
            start = at;
        }
        if (start < piece.length)
            this.model.encode(start === 0 ? piece : piece.slice(start), out);
    }
}
