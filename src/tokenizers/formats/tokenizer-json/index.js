/** `tokenizer.json`, the format of Hugging Face's `tokenizers` library. */
import { CachedModel } from "../../models/word-cache.js";
import { PipelineTokenizer } from "../../pipeline.js";
import { spacedDecoder } from "../../stages/decoders.js";
import { toByteAlphabet } from "../../text/bytes.js";
import { wellFormed } from "../../text/code-points.js";
import { JsonField, parseJson } from "../json-fields.js";
import { readDecoder } from "./decoder.js";
import { maxTokenId, readModel } from "./model.js";
import { readNormalizer } from "./normalizer.js";
import { readPostProcessor } from "./post-processor.js";
import { readPreTokenizer } from "./pre-tokenizer.js";
const format = "tokenizer.json";
/**
 * A tokenizer from the text, or the parsed value, of a `tokenizer.json`.
 *
 * @throws FormatError naming the field that is malformed, UnsupportedError naming a component that is not supported.
 */
export function readTokenizerJson(json) {
    const root = typeof json === "string" ? parseJson(json, format) : new JsonField(json, "", format);
    const { model, vocabulary: entries, unknownId } = readModel(root.get("model"));
    const addedTokens = readAddedTokens(root.get("added_tokens"));
    // A copy: the model keeps its own, and must not find added tokens in it.
    const vocabulary = new Map(entries);
    for (const token of addedTokens)
        vocabulary.set(token.content, token.id);
    const field = (name) => (root.get(name).absent ? undefined : root.get(name));
    const preTokenizer = field("pre_tokenizer") && readPreTokenizer(root.get("pre_tokenizer"));
    const postProcessor = field("post_processor");
    const decoder = field("decoder") === undefined ? spacedDecoder : readDecoder(root.get("decoder"));
    const normalizer = field("normalizer") && readNormalizer(root.get("normalizer"));
    return new PipelineTokenizer({
        vocabulary,
        addedTokens,
        normalizer,
        preTokenizer: preTokenizer?.split,
        model: new CachedModel(model, preTokenizer?.byteAlphabet ? toByteAlphabet : undefined),
        template: postProcessor && readPostProcessor(postProcessor),
        decoder,
        decodeTexts: normalizer && normalizedTexts(addedTokens, normalizer),
        roles: { unknownId },
    });
}
/** Added tokens that are matched in normalized text are decoded from it as well. */
function normalizedTexts(tokens, normalizer) {
    return new Map(tokens.filter((token) => token.normalized).map((token) => [token.id, normalizer(token.content)]));
}
/** The `added_tokens` array. Tokens without content are left out, as the original does. */
function readAddedTokens(field) {
    if (field.absent)
        return [];
    return field
        .items()
        .map((item) => ({
        id: item.get("id").count(maxTokenId),
        content: wellFormed(item.get("content").string()),
        special: item.get("special").boolean(false),
        singleWord: item.get("single_word").boolean(false),
        stripLeft: item.get("lstrip").boolean(false),
        stripRight: item.get("rstrip").boolean(false),
        normalized: item.get("normalized").boolean(!item.get("special").boolean(false)),
    }))
        .filter((token) => token.content !== "");
}
