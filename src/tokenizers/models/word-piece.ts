/** WordPiece: the longest entry that fits, from left to right (Wu et al., 2016, arXiv:1609.08144; BERT). */
import { unitsAt } from "../text/code-points.js";
import type { IdList, SubwordModel, Vocabulary } from "./model.js";

/** What distinguishes one WordPiece vocabulary from another. */
export interface WordPieceOptions {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  /** Written before every entry but a word's first, `"##"` for BERT. */
  readonly continuingPrefix: string;
  /** A word of more characters is unknown. */
  readonly maxCharacters: number;
}

/** A word becomes the longest matching entries, or as a whole unknown when some part matches none. */
export class WordPieceModel implements SubwordModel {
  private readonly longestEntry: number;

  constructor(private readonly options: WordPieceOptions) {
    let longest = 0;
    for (const token of options.vocabulary.keys()) longest = Math.max(longest, token.length);
    this.longestEntry = Math.min(longest, 2 * options.maxCharacters);
  }

  encode(piece: string, out: IdList): void {
    const { unknownId, maxCharacters } = this.options;
    const start = out.length;
    if (characterCount(piece) > maxCharacters) {
      out.push(unknownId);
      return;
    }
    for (let at = 0; at < piece.length; ) {
      const end = this.longestMatch(piece, at, out);
      if (end === at) {
        out.length = start;
        out.push(unknownId);
        return;
      }
      at = end;
    }
  }

  /** Appends the id of the longest entry at `at`; returns where it ends, or `at` when there is none. */
  private longestMatch(piece: string, at: number, out: IdList): number {
    const prefix = at > 0 ? this.options.continuingPrefix : "";
    for (let end = Math.min(piece.length, at + this.longestEntry); end > at; end--) {
      if (end < piece.length && unitsAt(piece, end - 1) === 2) continue;
      const id = this.options.vocabulary.get(prefix + piece.slice(at, end));
      if (id !== undefined) {
        out.push(id);
        return end;
      }
    }
    return at;
  }
}

function characterCount(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) count++;
  return count;
}
