/**
 * Remembers the ids of pieces already encoded: natural text repeats its words.
 *
 * Bounded, so that a long-running server does not grow with what its clients send: when full it starts over.
 */
import { IdList } from "./model.js";
const maxPieces = 50_000;
const maxPieceLength = 40;
/** Wraps a model whose result for a piece depends on that piece alone. */
export class CachedModel {
    model;
    rewrite;
    known = new Map();
    scratch = new IdList();
    /**
     * @param rewrite - applied to a piece before the model sees it, such as writing it in the byte alphabet;
     *   the cache is keyed by the piece as it comes.
     */
    constructor(model, rewrite) {
        this.model = model;
        this.rewrite = rewrite;
    }
    encode(piece, out) {
        const ids = this.known.get(piece) ?? this.encodeAndRemember(piece);
        if (typeof ids === "number")
            out.push(ids);
        else
            out.append(ids);
    }
    encodeAndRemember(piece) {
        this.scratch.length = 0;
        this.model.encode(this.rewrite === undefined ? piece : this.rewrite(piece), this.scratch);
        const all = this.scratch.toArray();
        const ids = all.length === 1 ? all[0] : all;
        if (piece.length <= maxPieceLength) {
            if (this.known.size >= maxPieces)
                this.known.clear();
            this.known.set(detach(piece), ids);
        }
        return ids;
    }
}
/** A copy that does not keep the text that `piece` was cut from alive. */
function detach(piece) {
    return piece.length < 13 ? piece : piece.split("").join("");
}
