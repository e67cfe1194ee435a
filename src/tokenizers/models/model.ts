/** The part of a tokenizer that turns one piece of text into ids: BPE, unigram, WordPiece or a word list. */

/** A growing list of token ids. */
export class IdList {
  private ids = new Int32Array(64);
  length = 0;

  push(id: number): void {
    if (this.length === this.ids.length) this.grow(this.length + 1);
    this.ids[this.length++] = id;
  }

  append(ids: ArrayLike<number>): void {
    if (this.length + ids.length > this.ids.length) this.grow(this.length + ids.length);
    this.ids.set(ids, this.length);
    this.length += ids.length;
  }

  /** A copy of exactly the ids so far. */
  toArray(): Int32Array {
    return this.ids.slice(0, this.length);
  }

  private grow(needed: number): void {
    const larger = new Int32Array(Math.max(needed, this.ids.length * 2));
    larger.set(this.ids);
    this.ids = larger;
  }
}

/** Turns one piece (normalized, pre-tokenized, well-formed text) into ids. */
export interface SubwordModel {
  /** Appends the ids of `piece` to `out`. */
  encode(piece: string, out: IdList): void;
}

/** Token ids by text. */
export type Vocabulary = ReadonlyMap<string, number>;
