/**
 * How well a model predicts a text: mean negative log-likelihood, perplexity and bits per byte.
 *
 * Every token but the very first is predicted exactly once, whatever its length, in windows that overlap:
 *
 *     window 0   ████████████████            scores tokens 1…W
 *     window 1           ░░░░░░░░████████    reads the last W − stride again, scores the next `stride`
 *
 * so that, with the default stride of half a window, each token is predicted from at least half a window of text.
 * Where the tokenizer begins a text with a special token (as Llama's does), every window begins with it.
 */
import { Breather } from "../core/breathe.js";
import { InvalidValueError, OutOfRangeError, UnsupportedError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
/**
 * Scores `input` under a decoder-only model.
 *
 * @param input - a text, encoded here; or token ids, taken as they are, with no beginning token but their own first
 * @throws InvalidValueError for fewer than two tokens, OutOfRangeError, UnsupportedError for encoder-decoder models
 */
export async function evaluate(model, input, options = {}) {
    rejectUnknownOptions(options, ["window", "stride", "signal", "onProgress"]);
    if (model.config.kind !== "decoder-only") {
        throw new UnsupportedError("evaluation of the kind of model", model.config.kind, ["decoder-only"]);
    }
    const { window, stride } = windowSizes(model, options);
    const material = materialOf(model, input);
    const tokens = material.ids.length + material.begin.length - 1;
    if (tokens < 1)
        throw new InvalidValueError("text", "at least two tokens long", `${tokens + 1} tokens`);
    const total = await negativeLogLikelihood(model, material, window, stride, options);
    const nll = total / tokens;
    const bitsPerByte = material.bytes === undefined || material.bytes === 0 ? undefined : total / Math.LN2 / material.bytes;
    return { tokens, nll, perplexity: Math.exp(nll), bitsPerByte };
}
function windowSizes(model, options) {
    const window = options.window ?? model.contextLength;
    if (!(Number.isInteger(window) && window >= 2 && window <= model.contextLength)) {
        throw new OutOfRangeError("window", `a whole number from 2 to ${model.contextLength}`, window);
    }
    const stride = options.stride ?? Math.floor(window / 2);
    if (!(Number.isInteger(stride) && stride >= 1 && stride <= window)) {
        throw new OutOfRangeError("stride", `a whole number from 1 to ${window}`, stride);
    }
    return { window, stride };
}
function materialOf(model, input) {
    if (typeof input !== "string") {
        const text = model.hasTokenizer ? model.tokenizer.decode(input) : undefined;
        return { ids: input, begin: [], bytes: text === undefined ? undefined : byteLength(text) };
    }
    const { tokenizer } = model;
    const { beginId } = tokenizer;
    // What a tokenizer adds to no text at all tells whether it begins texts with a special token.
    const begins = beginId !== undefined && tokenizer.encode("")[0] === beginId;
    return {
        ids: tokenizer.encode(input, { addSpecialTokens: false }),
        begin: begins ? [beginId] : [],
        bytes: byteLength(input),
    };
}
function byteLength(text) {
    return new TextEncoder().encode(text).length;
}
/** Σ −ln p over all predicted tokens, in nats. Each window is a fresh sequence. */
async function negativeLogLikelihood(model, material, window, stride, { signal, onProgress }) {
    const { ids, begin } = material;
    const room = window - begin.length;
    const overlap = room - Math.min(stride, room);
    const breather = new Breather();
    let total = 0;
    // Tokens up to and including this index have been predicted; without a beginning token the first never is.
    let predicted = begin.length === 0 ? 0 : -1;
    while (predicted < ids.length - 1) {
        signal?.throwIfAborted();
        // Inputs [first, end) predict up to token `end`; the last token of the text is never an input.
        const first = Math.max(0, Math.max(0, predicted) - overlap);
        const end = Math.min(first + room, ids.length - 1);
        const inputs = [...begin, ...slice(ids, first, end)];
        total += await scoreWindow(model, inputs, ids, first - begin.length + 1, predicted + 1, signal);
        predicted = end;
        onProgress?.(predicted + begin.length, ids.length + begin.length - 1);
        await breather.breathe();
    }
    return total;
}
/**
 * Σ −ln p of the tokens from index `from` on that one window predicts.
 * @param target - index in `ids` of the token that the window's first input predicts
 */
async function scoreWindow(model, inputs, ids, target, from, signal) {
    let sum = 0;
    const sequence = await model.engine.sequence();
    try {
        const context = Math.max(0, from - target);
        if (context > 0) {
            await model.engine.advance([{ sequence, ids: inputs.slice(0, context), outputs: "none" }], { signal });
        }
        await model.engine.advance([{ sequence, ids: inputs.slice(context), outputs: "all" }], {
            signal,
            onOutput: ({ index, logits, logSumExp }) => {
                sum += logSumExp - logits[ids[target + context + index]];
            },
        });
    }
    finally {
        sequence.dispose();
    }
    return sum;
}
function slice(ids, from, to) {
    return Array.from({ length: to - from }, (_, i) => ids[from + i]);
}
