/**
 * tiktoken rank files: one line per token, its bytes in base64 and its rank, which is its id.
 * openai/tiktoken `load.py`; the special tokens and the pattern are in the program, not in the file.
 */
import { FormatError } from "../../core/errors.js";
import { BpeModel } from "../models/bpe.js";
import { mergesFromScores } from "../models/score-merges.js";
import { CachedModel } from "../models/word-cache.js";
import { gpt2Pattern, matcherFor } from "../pattern/scanners.js";
import { PipelineTokenizer } from "../pipeline.js";
import { byteLevelDecoder } from "../stages/decoders.js";
import { split } from "../stages/pre-tokenizers.js";
import { byteAlphabet, toByteAlphabet } from "../text/bytes.js";
import { base64Bytes } from "./base64.js";
import { maxTokenId } from "./tokenizer-json/model.js";
const format = "tiktoken ranks";
/**
 * A tokenizer from the text of a rank file.
 * @throws FormatError naming the line that is malformed.
 */
export function readTiktoken(text, options = {}) {
    const pieces = readRanks(text);
    const largest = pieces.reduce((max, piece) => Math.max(max, piece.id), -1);
    const { vocabulary, merges } = mergesFromScores(pieces.filter(({ text }) => text !== ""), largest + 1, format);
    const missing = byteAlphabet.findIndex((byte) => !vocabulary.has(byte));
    if (missing >= 0)
        throw new FormatError(format, "ranks", `have no token for the byte ${missing}`);
    const addedTokens = Object.entries(options.specialTokens ?? {}).map(([content, id]) => ({
        id,
        content,
        special: true,
    }));
    return new PipelineTokenizer({
        vocabulary,
        addedTokens,
        preTokenizer: split(matcherFor(options.pattern ?? gpt2Pattern), "Isolated"),
        model: new CachedModel(new BpeModel({ vocabulary, merges, ignoreMerges: true }), toByteAlphabet),
        template: options.template,
        decoder: byteLevelDecoder,
        roles: options.roles ?? {},
    });
}
/** Tokens in the byte alphabet. */
function readRanks(text) {
    const pieces = [];
    const seen = new Set();
    text.split("\n").forEach((line, index) => {
        if (line.trim() === "")
            return;
        const field = `line ${index + 1}`;
        const [token, rank, ...rest] = line.trim().split(" ");
        // Whisper's multilingual file writes its one empty token as "=".
        const bytes = token === "=" ? new Uint8Array(0) : base64Bytes(token);
        const id = /^\d{1,9}$/.test(rank ?? "") ? Number(rank) : -1;
        if (bytes === undefined || rest.length > 0) {
            throw new FormatError(format, field, "is not a base64 token and a rank");
        }
        if (id < 0 || id > maxTokenId)
            throw new FormatError(format, field, `has the rank ${rank?.slice(0, 20)}`);
        const piece = Array.from(bytes, (byte) => byteAlphabet[byte]).join("");
        if (seen.has(piece))
            throw new FormatError(format, field, "repeats a token");
        seen.add(piece);
        pieces.push({ text: piece, id, score: -id });
    });
    return pieces;
}
const whisperLanguages = "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml " +
    "cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am " +
    "yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue";
/**
 * Whisper's special tokens, whose ids follow its ranks (openai/whisper `tokenizer.py`).
 *
 * @param firstId - number of ranks in the file.
 * @param languageCount - 99, or 100 from large-v3 on.
 */
export function whisperSpecialTokens(firstId, languageCount = 99) {
    const languages = whisperLanguages.split(" ").slice(0, languageCount);
    const timestamps = Array.from({ length: 1501 }, (_, i) => (i * 0.02).toFixed(2));
    const names = [
        "endoftext",
        "startoftranscript",
        ...languages,
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
        ...timestamps,
    ];
    return Object.fromEntries(names.map((name, index) => [`<|${name}|>`, firstId + index]));
}
