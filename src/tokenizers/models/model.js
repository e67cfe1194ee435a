/** The part of a tokenizer that turns one piece of text into ids: BPE, unigram, WordPiece or a word list. */
/** A growing list of token ids. */
export class IdList {
    ids = new Int32Array(64);
    length = 0;
    push(id) {
        if (this.length === this.ids.length)
            this.grow(this.length + 1);
        this.ids[this.length++] = id;
    }
    append(ids) {
        if (this.length + ids.length > this.ids.length)
            this.grow(this.length + ids.length);
        this.ids.set(ids, this.length);
        this.length += ids.length;
    }
    /** A copy of exactly the ids so far. */
    toArray() {
        return this.ids.slice(0, this.length);
    }
    grow(needed) {
        const larger = new Int32Array(Math.max(needed, this.ids.length * 2));
        larger.set(this.ids);
        this.ids = larger;
    }
}
