/**
 * From normalized text to the pieces that the model sees one at a time. Each function does what the Hugging Face
 * pre-tokenizer of its name does.
 */
import { gpt2Pattern, matcherFor } from "../pattern/scanners.js";
import { numbers, punctuation, unitsAt, whitespace, wordCharacters } from "../text/code-points.js";
/** Runs `stages` one after the other, each on the pieces of the one before. */
export function preTokenizerSequence(stages) {
    if (stages.length === 0)
        return (text, atStart, emit) => emit(text, atStart);
    return stages.reduceRight((rest, stage) => (text, atStart, emit) => stage(text, atStart, (piece, first) => rest(piece, first, emit)));
}
/** Cuts at every match of `matcher`; with `invert`, at everything else. */
export function split(matcher, behavior, invert = false) {
    if (behavior === "Isolated" || behavior === "Removed") {
        return (text, atStart, emit) => splitDirectly(text, atStart, matcher, behavior === "Removed", invert, emit);
    }
    return (text, atStart, emit) => {
        for (const [start, end] of mergeSpans(spansOf(text, matcher, invert), behavior)) {
            if (end > start)
                emit(text.slice(start, end), atStart && start === 0);
        }
    };
}
function splitDirectly(text, atStart, matcher, remove, invert, emit) {
    let done = 0;
    matcher.forEachMatch(text, (start, end) => {
        if (start > done && !(remove && invert))
            emit(text.slice(done, start), atStart && done === 0);
        if (end > start && !(remove && !invert))
            emit(text.slice(start, end), atStart && start === 0);
        done = end;
    });
    if (done < text.length && !(remove && invert))
        emit(text.slice(done), atStart && done === 0);
}
/** The whole text as matches and what lies between them. */
function spansOf(text, matcher, invert) {
    const spans = [];
    let done = 0;
    matcher.forEachMatch(text, (start, end) => {
        if (start > done)
            spans.push([done, start, invert]);
        spans.push([start, end, !invert]);
        done = end;
    });
    if (done < text.length)
        spans.push([done, text.length, invert]);
    return spans;
}
function mergeSpans(spans, behavior) {
    if (behavior === "MergedWithNext") {
        const mirrored = spans.map(([start, end, isMatch]) => [-end, -start, isMatch]).reverse();
        return mergeSpans(mirrored, "MergedWithPrevious")
            .map(([start, end]) => [-end, -start])
            .reverse();
    }
    const merged = [];
    let previous = false;
    for (const [start, end, isMatch] of spans) {
        const join = behavior === "Contiguous" ? isMatch === previous : isMatch && !previous;
        if (join && merged.length > 0)
            merged[merged.length - 1][1] = end;
        else
            merged.push([start, end]);
        previous = isMatch;
    }
    return merged;
}
/** Matches each character of a set by itself. */
export function eachOf(set) {
    return {
        forEachMatch(text, onMatch) {
            for (let at = 0; at < text.length;) {
                const end = at + unitsAt(text, at);
                if (set.has(text.codePointAt(at)))
                    onMatch(at, end);
                at = end;
            }
        },
    };
}
/** Matches a fixed string. */
export function exactly(content) {
    return {
        forEachMatch(text, onMatch) {
            if (content === "")
                return;
            for (let at = text.indexOf(content); at >= 0; at = text.indexOf(content, at + content.length)) {
                onMatch(at, at + content.length);
            }
        },
    };
}
/** GPT-2's pre-tokenizer without its byte alphabet, which the model's cache applies. */
export function byteLevel(options) {
    const cut = options.useRegex ? split(matcherFor(gpt2Pattern), "Isolated") : preTokenizerSequence([]);
    if (!options.addPrefixSpace)
        return cut;
    return (text, atStart, emit) => cut(text.startsWith(" ") ? text : ` ${text}`, atStart, emit);
}
/** Spaces become `replacement`, which starts each piece; `prepend` says when one is put before the text. */
export function metaspace(options) {
    const { replacement, prepend } = options;
    const cut = options.split ? split(exactly(replacement), "MergedWithNext") : preTokenizerSequence([]);
    return (text, atStart, emit) => {
        let replaced = text.replaceAll(" ", replacement);
        const wanted = prepend === "always" || (prepend === "first" && atStart);
        if (wanted && !replaced.startsWith(replacement))
            replaced = replacement + replaced;
        cut(replaced, atStart, emit);
    };
}
/** Words, and runs of what is neither word nor white space: `\w+|[^\w\s]+` in Rust's regex syntax. */
export const wordsAndSymbols = (text, atStart, emit) => {
    for (let at = 0; at < text.length;) {
        const start = at;
        const kind = wordKind(text.codePointAt(at));
        while (at < text.length && wordKind(text.codePointAt(at)) === kind)
            at += unitsAt(text, at);
        if (kind !== "space")
            emit(text.slice(start, at), atStart && start === 0);
    }
};
function wordKind(codePoint) {
    if (wordCharacters.has(codePoint))
        return "word";
    return whitespace.has(codePoint) ? "space" : "symbol";
}
/** Cuts at white space, which vanishes. */
export const whitespaceSplit = split(eachOf(whitespace), "Removed");
/** Cuts at white space, which vanishes, and around every punctuation character. */
export const bertPreTokenizer = preTokenizerSequence([
    whitespaceSplit,
    split(eachOf(punctuation), "Isolated"),
]);
/** Cuts at punctuation. */
export function punctuationSplit(behavior) {
    return split(eachOf(punctuation), behavior);
}
/** Cuts numbers from everything else, or every digit from its neighbours. */
export function digits(individually) {
    return split(eachOf(numbers), individually ? "Isolated" : "Contiguous");
}
/** Pieces of `length` characters. */
export function fixedLength(length) {
    return (text, atStart, emit) => {
        const characters = [...text];
        for (let at = 0; at < characters.length; at += length) {
            emit(characters.slice(at, at + length).join(""), atStart && at === 0);
        }
    };
}
