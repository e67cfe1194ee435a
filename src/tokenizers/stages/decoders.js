import { byteOfToken, fromByteAlphabet, Utf8Stream, utf8 } from "../text/bytes.js";
import { StringReplacer } from "../text/string-replacer.js";
/** Runs `decoders` one after the other. */
export function decoderSequence(decoders) {
    return (next) => decoders.reduceRight((following, decoder) => decoder(following), next);
}
/** A stage that needs each token whole. */
class WholeTokens {
    next;
    parts = "";
    constructor(next) {
        this.next = next;
    }
    text(part) {
        this.parts += part;
    }
    end() {
        const token = this.parts;
        this.parts = "";
        this.token(token);
    }
    finish() {
        this.next.finish();
    }
    pass(token) {
        this.next.text(token);
        this.next.end();
    }
}
/** Applies `rewrite` to every token; `index` counts from the sequence's first. */
export function mapTokens(rewrite) {
    return (next) => new (class extends WholeTokens {
        index = 0;
        token(token) {
            this.pass(rewrite(token, this.index++));
        }
    })(next);
}
/** All tokens as one. */
export const fuse = (next) => ({
    text: (part) => next.text(part),
    end: () => { },
    finish: () => {
        next.end();
        next.finish();
    },
});
/** Tokens in GPT-2's byte alphabet, to UTF-8, to one text. A token with other characters stands for itself. */
export const byteLevelDecoder = (next) => new (class extends WholeTokens {
    utf8Stream = new Utf8Stream();
    token(token) {
        this.next.text(this.utf8Stream.push(fromByteAlphabet(token) ?? utf8(token)));
    }
    finish() {
        this.pass(this.utf8Stream.flush());
        this.next.finish();
    }
})(next);
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/**
 * Runs of `<0x..>` tokens to text. A run that as a whole is not UTF-8 becomes one U+FFFD per byte, so a run is held
 * back until it ends.
 */
export const byteFallbackDecoder = (next) => new (class extends WholeTokens {
    run = [];
    token(token) {
        const byte = byteOfToken(token);
        if (byte >= 0) {
            this.run.push(byte);
            return;
        }
        this.flushRun();
        this.pass(token);
    }
    finish() {
        this.flushRun();
        this.next.finish();
    }
    flushRun() {
        if (this.run.length === 0)
            return;
        const bytes = Uint8Array.from(this.run);
        this.run = [];
        try {
            this.pass(strictUtf8.decode(bytes));
        }
        catch {
            for (let i = 0; i < bytes.length; i++)
                this.pass("\ufffd");
        }
    }
})(next);
/** Replaces a fixed string inside every token. */
export function replaceString(pattern, content) {
    return (next) => {
        const replacer = new StringReplacer(pattern, content);
        return {
            text: (part) => next.text(replacer.push(part)),
            end: () => {
                next.text(replacer.flush());
                next.end();
            },
            finish: () => next.finish(),
        };
    };
}
/** Replaces every match inside every token. Tokens are held until they are whole. */
export function replaceMatches(matcher, content) {
    return mapTokens((token) => replaceAllMatches(token, matcher, content));
}
/** `text` with `content` in the place of every match. */
export function replaceAllMatches(text, matcher, content) {
    let out = "";
    let copied = 0;
    matcher.forEachMatch(text, (start, end) => {
        out += text.slice(copied, start) + content;
        copied = end;
    });
    return out + text.slice(copied);
}
/** Drops up to `start` leading and `stop` trailing characters of every token that equal `content`. */
export function stripDecoder(content, start, stop) {
    return (next) => {
        let leading = start;
        let held = 0;
        const take = (character) => {
            if (character !== content) {
                leading = 0;
                const out = content.repeat(held) + character;
                held = 0;
                return out;
            }
            if (leading > 0) {
                leading--;
                return "";
            }
            if (held < stop) {
                held++;
                return "";
            }
            return content;
        };
        return {
            text: (part) => {
                let out = "";
                for (const character of part)
                    out += take(character);
                next.text(out);
            },
            end: () => {
                leading = start;
                held = 0;
                next.end();
            },
            finish: () => next.finish(),
        };
    };
}
/** `▁` to a space; the first token loses its own when the encoder had put one there. */
export function metaspaceDecoder(replacement, dropFirst) {
    return mapTokens((token, index) => token.replaceAll(replacement, index === 0 && dropFirst ? "" : " "));
}
/** Takes `prefix` off the first token. */
export function stripFirst(prefix) {
    return mapTokens((token, index) => (index === 0 && token.startsWith(prefix) ? token.slice(prefix.length) : token));
}
/** Joins words by spaces, and the parts of a word without; `cleanUp` takes the space before `.`, `n't` and so on. */
export function wordPieceDecoder(prefix, cleanUp) {
    return mapTokens((token, index) => {
        let text = token;
        if (index > 0)
            text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
        return cleanUp ? wordPieceCleanUp.reduce((out, [from, to]) => out.replaceAll(from, to), text) : text;
    });
}
const wordPieceCleanUp = [
    [" .", "."],
    [" ?", "?"],
    [" !", "!"],
    [" ,", ","],
    [" ' ", "'"],
    [" n't", "n't"],
    [" 'm", "'m"],
    [" do not", " don't"],
    [" 's", "'s"],
    [" 've", "'ve"],
    [" 're", "'re"],
];
/** Tokens joined by spaces: what Hugging Face does without a decoder. */
export const spacedDecoder = mapTokens((token, index) => (index === 0 ? token : ` ${token}`));
/** The end-of-word suffix to a space, but for the last token's. */
export function bpeSuffixDecoder(suffix) {
    return (next) => new (class extends WholeTokens {
        held;
        token(token) {
            this.release(" ");
            this.held = token;
        }
        finish() {
            this.release("");
            this.next.finish();
        }
        release(replacement) {
            if (this.held !== undefined)
                this.pass(suffix === "" ? this.held : this.held.replaceAll(suffix, replacement));
            this.held = undefined;
        }
    })(next);
}
/** Hugging Face's `clean_up_tokenization_spaces`, on the whole text. */
export const cleanUpSpaces = decoderSequence([
    fuse,
    ...wordPieceCleanUp.filter(([from]) => from !== " do not").map(([from, to]) => replaceString(from, to)),
]);
