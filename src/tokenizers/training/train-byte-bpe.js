/** Training of a byte-level BPE vocabulary, in the form that GPT-2 has and that `tokenizer.json` saves. */
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { readTokenizerJson } from "../formats/tokenizer-json/index.js";
import { byteAlphabet } from "../text/bytes.js";
import { MergeTrainer } from "./merge-trainer.js";
import { WordCounts } from "./word-counts.js";
const pauseAfterMs = 50;
/**
 * Trains byte-level BPE with GPT-2's pre-tokenization. Deterministic: equally frequent pairs are merged greater bytes
 * first. Lets the event loop run between stretches of work.
 *
 * @param texts - documents; no token reaches across two.
 * @throws OutOfRangeError when `vocabSize` cannot hold the special tokens and the 256 bytes.
 */
export async function trainByteBpe(texts, options) {
    rejectUnknownOptions(options, ["vocabSize", "specialTokens", "minFrequency", "signal", "onProgress"]);
    const { vocabSize, specialTokens = [], minFrequency = 2 } = options;
    const smallest = 256 + specialTokens.length;
    if (!Number.isInteger(vocabSize) || vocabSize < smallest || vocabSize > 2 ** 24) {
        throw new OutOfRangeError("vocabSize", `an integer from ${smallest} to 2^24`, vocabSize);
    }
    if (!(minFrequency >= 1))
        throw new OutOfRangeError("minFrequency", "at least 1", minFrequency);
    const progress = { texts: 0, merges: 0, totalMerges: vocabSize - smallest };
    const pause = pausing(options, progress);
    const words = new WordCounts(specialTokens);
    for await (const text of texts) {
        words.add(text);
        progress.texts++;
        await pause();
    }
    const trainer = new MergeTrainer(words.counts);
    const tokens = [...byteAlphabet];
    const merges = [];
    while (trainer.tokenCount < 256 + progress.totalMerges) {
        const merge = trainer.next(minFrequency);
        if (merge === undefined)
            break;
        const pair = [tokens[merge.left], tokens[merge.right]];
        merges.push(pair);
        tokens[merge.merged] = pair[0] + pair[1];
        progress.merges = trainer.tokenCount - 256;
        await pause();
    }
    options.onProgress?.(progress);
    return trained(specialTokens, tokens.slice(256), merges);
}
/** Every 50 ms: reports, lets other work run, and stops when asked to. */
function pausing(options, progress) {
    let last = performance.now();
    return async () => {
        if (performance.now() - last < pauseAfterMs)
            return;
        options.onProgress?.({ ...progress });
        await new Promise((resolve) => setTimeout(resolve, 0));
        options.signal?.throwIfAborted();
        last = performance.now();
    };
}
function trained(specialTokens, mergedTokens, merges) {
    const alphabet = [...byteAlphabet].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));
    // A special token may be spelled as a byte or a merge is: one id for each spelling.
    const spellings = new Set([...specialTokens, ...alphabet, ...mergedTokens]);
    const vocabulary = Object.fromEntries([...spellings].map((token, id) => [token, id]));
    const tokenizerJson = tokenizerJsonOf(specialTokens, vocabulary, merges);
    return { tokenizer: readTokenizerJson(tokenizerJson), merges, vocabulary, tokenizerJson };
}
/** As Hugging Face's `tokenizers` writes a byte-level BPE. */
function tokenizerJsonOf(specialTokens, vocab, merges) {
    const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    return {
        version: "1.0",
        truncation: null,
        padding: null,
        added_tokens: specialTokens.map((content) => ({ id: vocab[content], content, ...flags })),
        normalizer: null,
        pre_tokenizer: byteLevel,
        post_processor: null,
        decoder: byteLevel,
        model: {
            type: "BPE",
            dropout: null,
            unk_token: null,
            continuing_subword_prefix: null,
            end_of_word_suffix: null,
            fuse_unk: false,
            byte_fallback: false,
            ignore_merges: false,
            vocab,
            merges,
        },
    };
}
