/**
 * Marian's tokenizer: pieces by `source.spm` or `target.spm`, ids by `vocab.json`, which source and target share.
 * Hugging Face `tokenization_marian.py`.
 */
import { IdList } from "../models/model.js";
import { PipelineTokenizer } from "../pipeline.js";
import { parseJson } from "./json-fields.js";
import { sentencePieceParts } from "./sentencepiece/index.js";
import { readVocabulary } from "./tokenizer-json/model.js";
const special = ["</s>", "<unk>", "<pad>"];
/**
 * A tokenizer from `vocab.json` and one of the two `.spm` files: `source.spm` to encode what is to be translated,
 * `target.spm` to encode a translation. Either decodes both.
 *
 * `>>fr<<` and other entries of that form are read from text as the language codes that they are.
 * @throws FormatError naming the entry that is malformed.
 */
export function readMarian(vocabJson, spm) {
    const vocabulary = readVocabulary(parseJson(vocabJson, "vocab.json"));
    const parts = sentencePieceParts(spm);
    const unknownId = vocabulary.get("<unk>");
    const ids = new Map();
    for (const [piece, pieceId] of parts.vocabulary)
        ids.set(pieceId, vocabulary.get(piece) ?? unknownId ?? -1);
    const addedTokens = [];
    for (const [content, id] of vocabulary) {
        if (special.includes(content))
            addedTokens.push({ id, content, special: true, idOnly: content === "<unk>" });
        else if (/^>>[^<>]+<<$/.test(content))
            addedTokens.push({ id, content, special: false });
    }
    const endId = vocabulary.get("</s>");
    return new PipelineTokenizer({
        vocabulary,
        addedTokens,
        normalizer: parts.normalizer,
        model: new RenumberedModel(parts.model, ids),
        template: { before: [], after: endId === undefined ? [] : [endId] },
        decoder: parts.decoder,
        roles: {
            endIds: endId === undefined ? [] : [endId],
            padId: vocabulary.get("<pad>"),
            unknownId,
        },
    });
}
/** A model whose ids are exchanged for another vocabulary's. */
class RenumberedModel {
    model;
    ids;
    pieceIds = new IdList();
    constructor(model, ids) {
        this.model = model;
        this.ids = ids;
    }
    encode(piece, out) {
        this.pieceIds.length = 0;
        this.model.encode(piece, this.pieceIds);
        for (const pieceId of this.pieceIds.toArray()) {
            const id = this.ids.get(pieceId) ?? -1;
            if (id >= 0)
                out.push(id);
        }
    }
}
