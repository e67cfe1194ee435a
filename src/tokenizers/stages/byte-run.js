/**
 * Byte tokens to text as SentencePiece does it: each complete character at once, each byte that is part of none as
 * one U+FFFD (`sentencepiece_processor.cc`, `ProcessBytePieces`).
 */
import { byteOfToken } from "../text/bytes.js";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A run of bytes, decoded as it comes. */
export class ByteRun {
    pending = [];
    push(byte) {
        this.pending.push(byte);
        let out = "";
        while (this.pending.length > 0) {
            const length = sequenceLength(this.pending[0]);
            const continued = this.pending.slice(1, length).every((next) => (next & 0xc0) === 0x80);
            if (length > this.pending.length && continued)
                break;
            out += this.takeCharacter(continued ? length : 0);
        }
        return out;
    }
    /** Ends the run: what is left is no character. */
    flush() {
        const rest = "\ufffd".repeat(this.pending.length);
        this.pending = [];
        return rest;
    }
    takeCharacter(length) {
        if (length > 0) {
            try {
                const text = decoder.decode(Uint8Array.from(this.pending.slice(0, length)));
                this.pending.splice(0, length);
                return text;
            }
            catch {
                // Overlong, a surrogate, or beyond Unicode: its first byte stands alone.
            }
        }
        this.pending.shift();
        return "\ufffd";
    }
}
/** Bytes of the sequence that `lead` begins; 0 when it can begin none. */
function sequenceLength(lead) {
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
/** `<0x..>` tokens to characters; other tokens pass, one token each. */
export const byteRunDecoder = (next) => {
    const run = new ByteRun();
    let token = "";
    const pass = (text) => {
        next.text(text);
        next.end();
    };
    const endRun = () => {
        const rest = run.flush();
        if (rest !== "")
            pass(rest);
    };
    return {
        text: (part) => {
            token += part;
        },
        end: () => {
            const whole = token;
            token = "";
            const byte = byteOfToken(whole);
            if (byte >= 0) {
                const text = run.push(byte);
                if (text !== "")
                    pass(text);
                return;
            }
            endRun();
            pass(whole);
        },
        finish: () => {
            endRun();
            next.finish();
        },
    };
};
