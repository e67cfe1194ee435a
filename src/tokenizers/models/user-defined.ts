/** User-defined pieces of SentencePiece BPE: taken whole wherever they occur, and never merged with their neighbours. */
import type { IdList, SubwordModel } from "./model.js";
import type { Trie } from "./trie.js";

/** Cuts user-defined pieces out, and leaves the rest to `model`. */
export class UserDefinedPieces implements SubwordModel {
  /** @param pieces - ids by text. */
  constructor(
    private readonly pieces: Trie,
    private readonly model: SubwordModel,
  ) {}

  encode(piece: string, out: IdList): void {
    let done = 0;
    for (let at = 0; at < piece.length; ) {
      const match = this.pieces.longest(piece, at);
      if (match === undefined) {
        at++;
        continue;
      }
      if (at > done) this.model.encode(piece.slice(done, at), out);
      out.push(match.value);
      at = match.end;
      done = at;
    }
    if (done < piece.length) this.model.encode(piece.slice(done), out);
  }
}
