/** `vocab.txt`: BERT's WordPiece vocabulary, one entry per line (Devlin et al., 2019, `tokenization.py`). */
import { FormatError } from "../../core/errors.js";
import { CachedModel } from "../models/word-cache.js";
import { WordPieceModel } from "../models/word-piece.js";
import { PipelineTokenizer } from "../pipeline.js";
import { wordPieceDecoder } from "../stages/decoders.js";
import { bertNormalizer } from "../stages/normalizers.js";
import { bertPreTokenizer } from "../stages/pre-tokenizers.js";
import { vocabularyLines } from "./word-list.js";
const format = "vocab.txt";
/**
 * A tokenizer from the text of a `vocab.txt`.
 * @throws FormatError when one of `[UNK]`, `[CLS]` and `[SEP]` is missing.
 */
export function readBertVocab(text, options = {}) {
    return bertTokenizer(new Map(vocabularyLines(text, format).map((line, id) => [line, id])), options);
}
/** The same from entries by id; GGUF files have them as well. */
export function bertTokenizer(vocabulary, options) {
    const id = (token) => {
        const found = vocabulary.get(token);
        if (found === undefined)
            throw new FormatError(format, token, "is not in the vocabulary");
        return found;
    };
    const [unknownId, clsId, sepId] = ["[UNK]", "[CLS]", "[SEP]"].map(id);
    const model = new WordPieceModel({ vocabulary, unknownId, continuingPrefix: "##", maxCharacters: 100 });
    const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter((token) => vocabulary.has(token));
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: special.map((content) => ({ id: id(content), content, special: true })),
        normalizer: bertNormalizer({ cleanText: true, handleChineseChars: true, lowercase: options.lowercase ?? true }),
        preTokenizer: bertPreTokenizer,
        model: new CachedModel(model),
        template: { before: [clsId], after: [sepId] },
        decoder: wordPieceDecoder("##", true),
        roles: { beginId: clsId, endIds: [sepId], unknownId, padId: vocabulary.get("[PAD]") },
    });
}
