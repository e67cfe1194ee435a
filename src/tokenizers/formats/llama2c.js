/**
 * The tokenizer file of llama2.c (`tokenizer.bin`, `tok512.bin`): a SentencePiece BPE vocabulary, spaces as spaces.
 *
 * Layout, little endian: int32 longest token; then until the end, per token: float32 score, int32 length, bytes.
 * karpathy/llama2.c `run.c`, `build_tokenizer` and `encode`.
 */
import { FormatError } from "../../core/errors.js";
import { BpeModel } from "../models/bpe.js";
import { mergesFromScores } from "../models/score-merges.js";
import { PipelineTokenizer } from "../pipeline.js";
import { byteRunDecoder } from "../stages/byte-run.js";
import { decoderSequence, stripFirst } from "../stages/decoders.js";
import { prepend } from "../stages/normalizers.js";
import { ByteReader } from "./byte-reader.js";
const format = "llama2.c tokenizer";
const beginId = 1;
const endId = 2;
const firstByteId = 3;
/**
 * A tokenizer from the bytes of a llama2.c tokenizer file.
 * @throws FormatError or TruncatedFileError when the file is malformed.
 */
export function readLlama2c(bytes) {
    const pieces = readPieces(bytes);
    if (pieces.length < firstByteId + 256) {
        throw new FormatError(format, "tokens", `has ${pieces.length}; the control and byte tokens alone are 259`);
    }
    const { vocabulary, merges, extraSymbols } = mergesFromScores(pieces, pieces.length, format);
    const byteIds = Int32Array.from({ length: 256 }, (_, byte) => firstByteId + byte);
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: controlTokens(pieces),
        normalizer: prepend(" "),
        model: new BpeModel({ vocabulary, merges, extraSymbols, byteIds }),
        template: { before: [beginId], after: [] },
        decoder: decoderSequence([stripFirst(" "), byteRunDecoder]),
        roles: { beginId, endIds: [endId], unknownId: 0 },
    });
}
function readPieces(bytes) {
    const reader = new ByteReader(bytes, format);
    const longest = reader.int32("longest token");
    if (longest < 1)
        throw new FormatError(format, "longest token", `is ${longest}`);
    const pieces = [];
    while (reader.remaining > 0) {
        const field = `token ${pieces.length}`;
        const score = reader.float32(`${field} score`);
        const length = reader.int32(`${field} length`);
        if (!Number.isFinite(score))
            throw new FormatError(format, `${field} score`, `is ${score}`);
        if (length < 0 || length > longest)
            throw new FormatError(format, `${field} length`, `is ${length}`);
        pieces.push({ text: reader.text(length, field), score, id: pieces.length });
    }
    return pieces;
}
/** Unknown, begin and end: never read from text, left out of decoded text. */
function controlTokens(pieces) {
    return pieces.slice(0, firstByteId).map(({ text, id }) => ({ id, content: text, special: true, idOnly: true }));
}
