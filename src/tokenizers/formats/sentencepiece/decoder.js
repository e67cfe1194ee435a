/** Pieces to text as SentencePiece does it (`sentencepiece_processor.cc`, `Decode`). */
import { ByteRun } from "../../stages/byte-run.js";
import { byteOfToken } from "../../text/bytes.js";
import { spaceSymbol } from "./normalizer.js";
/** Byte pieces to characters, `▁` to spaces, without the spaces that the encoder put before the text. */
export function sentencePieceDecoder(leading) {
    return (next) => {
        const bytes = new ByteRun();
        let piece = "";
        let atStart = leading !== "keep";
        const pass = (text) => {
            if (text !== "")
                atStart = false;
            next.text(text);
        };
        const passPiece = (text) => {
            const dropped = atStart && text.startsWith(spaceSymbol);
            if (dropped && leading === "drop-one")
                atStart = false;
            pass((dropped ? text.slice(1) : text).replaceAll(spaceSymbol, " "));
        };
        return {
            text: (part) => {
                piece += part;
            },
            end: () => {
                const whole = piece;
                piece = "";
                const byte = byteOfToken(whole);
                if (byte >= 0) {
                    pass(bytes.push(byte));
                    return;
                }
                pass(bytes.flush());
                passPiece(whole);
            },
            finish: () => {
                pass(bytes.flush());
                next.end();
                next.finish();
            },
        };
    };
}
