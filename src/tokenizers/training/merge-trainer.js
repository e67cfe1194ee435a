/**
 * Byte-pair training on counted words (Sennrich et al., 2016, arXiv:1508.07909, algorithm 1).
 *
 * Merges the most frequent adjacent pair, again and again. Counts are kept up to date word by word, so that a merge
 * costs what the words that contain it cost, not what the corpus costs. Equally frequent pairs: the greater one first,
 * comparing the bytes of the left token, then of the right one. The result depends on the counts alone.
 */
import { MergeTable } from "../models/merge-table.js";
import { utf8 } from "../text/bytes.js";
import { PairQueue } from "./pair-queue.js";
/** Finds merges one at a time. */
export class MergeTrainer {
    /** Symbols of all words, end to end; a word's first `lengths[word]` are in use. */
    symbols;
    starts;
    lengths;
    wordCounts;
    pairIndex = new MergeTable(1 << 16);
    pairLeft = [];
    pairRight = [];
    pairCount = [];
    /** Words that contain, or once contained, a pair. */
    pairWords = [];
    queue = new PairQueue(this);
    /** Bytes of each token as a string of characters U+0000 … U+00FF, whose order is that of the bytes. */
    tokenBytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    tokenOfBytes = new Map(this.tokenBytes.map((bytes, token) => [bytes, token]));
    /** Pairs whose count has grown during the current merge. */
    grown = new Set();
    constructor(counts) {
        const words = [...counts.keys()].map(utf8);
        this.symbols = new Int32Array(words.reduce((sum, word) => sum + word.length, 0));
        this.starts = new Int32Array(words.length);
        this.lengths = Int32Array.from(words, (word) => word.length);
        this.wordCounts = Float64Array.from(counts.values());
        let at = 0;
        words.forEach((word, index) => {
            this.starts[index] = at;
            this.symbols.set(word, at);
            at += word.length;
        });
        for (let word = 0; word < words.length; word++)
            this.countPairs(word);
        this.queueGrown();
    }
    /** Distinct tokens so far, bytes included. */
    get tokenCount() {
        return this.tokenBytes.length;
    }
    count(pair) {
        return this.pairCount[pair];
    }
    beforeOnTie(pair, other) {
        const [left, otherLeft] = [this.tokenBytes[this.pairLeft[pair]], this.tokenBytes[this.pairLeft[other]]];
        if (left !== otherLeft)
            return left > otherLeft;
        return this.tokenBytes[this.pairRight[pair]] > this.tokenBytes[this.pairRight[other]];
    }
    /** The next merge, or undefined when no pair occurs `minFrequency` times. */
    next(minFrequency) {
        const pair = this.queue.pop();
        if (pair < 0 || this.pairCount[pair] < minFrequency)
            return undefined;
        const [left, right] = [this.pairLeft[pair], this.pairRight[pair]];
        const merge = { left, right, merged: this.tokenFor(this.tokenBytes[left] + this.tokenBytes[right]) };
        const words = this.pairWords[pair];
        this.pairWords[pair] = [];
        for (const word of words)
            this.mergeInWord(word, merge);
        this.queueGrown();
        return merge;
    }
    tokenFor(bytes) {
        const known = this.tokenOfBytes.get(bytes);
        if (known !== undefined)
            return known;
        this.tokenOfBytes.set(bytes, this.tokenBytes.length);
        return this.tokenBytes.push(bytes) - 1;
    }
    queueGrown() {
        for (const pair of this.grown)
            this.queue.push(pair);
        this.grown.clear();
    }
    countPairs(word) {
        const start = this.starts[word];
        const end = start + this.lengths[word];
        for (let i = start; i + 1 < end; i++)
            this.change(this.symbols[i], this.symbols[i + 1], word, 1);
    }
    /** Replaces the pair in one word, from left to right, and corrects the counts around each replacement. */
    mergeInWord(word, { left, right, merged: token }) {
        const { symbols } = this;
        const start = this.starts[word];
        const end = start + this.lengths[word];
        let kept = start;
        for (let i = start; i < end; i++) {
            if (symbols[i] !== left || i + 1 >= end || symbols[i + 1] !== right) {
                symbols[kept++] = symbols[i];
                continue;
            }
            this.change(left, right, word, -1);
            if (kept > start) {
                this.change(symbols[kept - 1], left, word, -1);
                this.change(symbols[kept - 1], token, word, 1);
            }
            if (i + 2 < end) {
                this.change(right, symbols[i + 2], word, -1);
                this.change(token, symbols[i + 2], word, 1);
            }
            symbols[kept++] = token;
            i++;
        }
        this.lengths[word] = kept - start;
    }
    /** Adds (`sign` 1) or takes away (-1) one occurrence of a pair in a word. */
    change(left, right, word, sign) {
        const slot = this.pairIndex.find(left, right);
        const pair = slot === -1 ? this.newPair(left, right) : this.pairIndex.mergedAt(slot);
        this.pairCount[pair] += sign * this.wordCounts[word];
        if (sign < 0)
            return;
        this.grown.add(pair);
        const words = this.pairWords[pair];
        if (words[words.length - 1] !== word)
            words.push(word);
    }
    newPair(left, right) {
        const pair = this.pairCount.length;
        this.pairIndex.set(left, right, 0, pair);
        this.pairLeft.push(left);
        this.pairRight.push(right);
        this.pairCount.push(0);
        this.pairWords.push([]);
        return pair;
    }
}
