/** Cuts user-defined pieces out, and leaves the rest to `model`. */
export class UserDefinedPieces {
    pieces;
    model;
    /** @param pieces - ids by text. */
    constructor(pieces, model) {
        this.pieces = pieces;
        this.model = model;
    }
    encode(piece, out) {
        let done = 0;
        for (let at = 0; at < piece.length;) {
            const match = this.pieces.longest(piece, at);
            if (match === undefined) {
                at++;
                continue;
            }
            if (at > done)
                this.model.encode(piece.slice(done, at), out);
            out.push(match.value);
            at = match.end;
            done = at;
        }
        if (done < piece.length)
            this.model.encode(piece.slice(done), out);
    }
}
