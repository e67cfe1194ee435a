/**
 * Unigram language-model segmentation: the split of a text whose pieces have the highest total log-probability.
 *
 * Kudo, 2018 (arXiv:1804.10959), found by the Viterbi recursion of SentencePiece's `EncodeOptimized`.
 */
import { utf8 } from "../text/bytes.js";
import { unitsAt } from "../text/code-points.js";
import { byteFallbackIds } from "./bpe.js";
import { Trie } from "./trie.js";
const unknownPenalty = 10;
/** Viterbi segmentation. A run of unknown characters becomes one unknown id (or bytes). */
export class UnigramModel {
    options;
    trie = new Trie();
    scores;
    unknownScore;
    byteIds;
    constructor(options) {
        this.options = options;
        const { pieces, unmatchable, userDefined } = options;
        const vocabulary = new Map(pieces.map((piece, id) => [piece.text, id]));
        this.byteIds = options.byteFallback === true ? byteFallbackIds(vocabulary) : undefined;
        let lowest = Number.POSITIVE_INFINITY;
        let highest = Number.NEGATIVE_INFINITY;
        pieces.forEach(({ text, score }, id) => {
            if (unmatchable?.(id))
                return;
            this.trie.add(text, id);
            if (userDefined?.(id))
                return;
            lowest = Math.min(lowest, score);
            highest = Math.max(highest, score);
        });
        if (highest < lowest)
            lowest = highest = 0;
        this.unknownScore = lowest - unknownPenalty;
        this.scores = Float64Array.from(pieces, ({ text, score }, id) => userDefined?.(id) ? utf8(text).length * highest - 0.1 : score);
    }
    encode(piece, out) {
        const { starts, ids } = this.bestPath(piece);
        const ends = [];
        for (let end = piece.length; end > 0; end = starts[end])
            ends.push(end);
        let inUnknown = false;
        for (let i = ends.length - 1; i >= 0; i--) {
            const id = ids[ends[i]];
            if (id >= 0)
                out.push(id);
            else
                this.emitUnknown(piece.slice(starts[ends[i]], ends[i]), inUnknown, out);
            inUnknown = id < 0;
        }
    }
    /** For every end of a piece: where the best piece that ends there starts, and its id (-1 when unknown). */
    bestPath(text) {
        const best = new Float64Array(text.length + 1).fill(Number.NEGATIVE_INFINITY);
        const starts = new Int32Array(text.length + 1).fill(-1);
        const ids = new Int32Array(text.length + 1).fill(-1);
        const single = this.options.singlePrecision === true;
        best[0] = 0;
        const offer = (start, end, id, score) => {
            const sum = best[start] + score;
            const total = single ? Math.fround(sum) : sum;
            if (starts[end] !== -1 && !(total > best[end]))
                return;
            best[end] = total;
            starts[end] = start;
            ids[end] = id;
        };
        for (let start = 0; start < text.length; start += unitsAt(text, start)) {
            const characterEnd = start + unitsAt(text, start);
            let covered = false;
            let node = this.trie.step(0, text.charCodeAt(start));
            for (let end = start + 1; node !== -1; end++) {
                const id = this.trie.valueAt(node);
                if (id !== -1) {
                    offer(start, end, id, this.scores[id]);
                    if (end === characterEnd)
                        covered = true;
                }
                if (end >= text.length)
                    break;
                node = this.trie.step(node, text.charCodeAt(end));
            }
            if (!covered)
                offer(start, characterEnd, -1, this.unknownScore);
        }
        return { starts, ids };
    }
    emitUnknown(text, inUnknown, out) {
        if (this.byteIds !== undefined)
            for (const byte of utf8(text))
                out.push(this.byteIds[byte]);
        else if (!inUnknown && this.options.unknownId !== undefined)
            out.push(this.options.unknownId);
    }
}
