/**
 * A tokenizer assembled from its stages: added tokens, normalizer, pre-tokenizer, model, post-processor, decoder.
 *
 * Every file format builds one of these; formats differ only in the stages that they choose.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { IdList } from "./models/model.js";
import { AddedTokenMatcher } from "./stages/added-tokens.js";
import { cleanUpSpaces, decoderSequence } from "./stages/decoders.js";
import { wellFormed } from "./text/code-points.js";
/** The one implementation of `Tokenizer`. */
export class PipelineTokenizer {
    parts;
    vocabSize;
    beginId;
    endIds;
    padId;
    unknownId;
    texts;
    special;
    rawTokens;
    normalizedTokens;
    constructor(parts) {
        this.parts = parts;
        const { vocabulary, addedTokens, normalizer, roles } = parts;
        const texts = new Map();
        let largest = -1;
        const enter = (text, id) => {
            texts.set(id, text);
            largest = Math.max(largest, id);
        };
        for (const [text, id] of vocabulary)
            enter(text, id);
        for (const token of addedTokens)
            enter(token.content, token.id);
        this.texts = texts;
        this.vocabSize = largest + 1;
        this.special = new Set(addedTokens.filter((token) => token.special).map((token) => token.id));
        this.rawTokens = new AddedTokenMatcher(addedTokens.filter((token) => token.normalized !== true));
        this.normalizedTokens = new AddedTokenMatcher(addedTokens.filter((token) => token.normalized === true), (token) => (normalizer === undefined ? token.content : normalizer(token.content)));
        this.beginId = roles.beginId;
        this.endIds = roles.endIds ?? [];
        this.padId = roles.padId;
        this.unknownId = roles.unknownId;
    }
    /** The same tokenizer with other roles: a checkpoint's configuration may know more than its vocabulary. */
    withRoles(roles) {
        return new PipelineTokenizer({ ...this.parts, roles: { ...this.parts.roles, ...roles } });
    }
    /** The same tokenizer whose decoded text loses the space before `.`, `n't` and so on: a convention of some. */
    cleaningUpSpaces() {
        return new PipelineTokenizer({ ...this.parts, decoder: decoderSequence([this.parts.decoder, cleanUpSpaces]) });
    }
    encode(text, options = {}) {
        rejectUnknownOptions(options, ["addSpecialTokens", "parseSpecialTokens"]);
        if (typeof text !== "string")
            throw new InvalidValueError("text", "a string", text);
        const ids = new IdList();
        const template = options.addSpecialTokens === false ? undefined : this.parts.template;
        if (template !== undefined)
            ids.append(template.before);
        this.encodeText(wellFormed(text), options.parseSpecialTokens !== false, ids);
        if (template !== undefined)
            ids.append(template.after);
        return ids.toArray();
    }
    decode(ids, options = {}) {
        const stream = this.stream({ ...options });
        const texts = [];
        for (let i = 0; i < ids.length; i++)
            texts.push(stream.push(ids[i]));
        texts.push(stream.flush());
        return texts.join("");
    }
    tokenId(token) {
        return this.parts.vocabulary.get(token) ?? this.parts.addedTokens.find((added) => added.content === token)?.id;
    }
    tokenText(id) {
        const text = this.texts.get(id);
        if (text === undefined)
            throw new OutOfRangeError("token id", `in the vocabulary of ${this.vocabSize}`, id);
        return text;
    }
    isSpecial(id) {
        return this.special.has(id);
    }
    stream(options = {}) {
        rejectUnknownOptions(options, ["skipSpecialTokens", "after"]);
        const skip = options.skipSpecialTokens !== false;
        const stream = new PipelineStream(this.parts.decoder, (id) => this.textForDecoding(id, skip));
        const after = options.after ?? [];
        for (let i = 0; i < after.length; i++)
            stream.push(after[i]);
        return stream;
    }
    encodeText(text, parseSpecialTokens, out) {
        const { normalizer } = this.parts;
        this.rawTokens.split(text, parseSpecialTokens, (id, start, end) => {
            if (id >= 0) {
                out.push(id);
                return;
            }
            const raw = start === 0 && end === text.length ? text : text.slice(start, end);
            const normalized = normalizer === undefined ? raw : normalizer(raw);
            this.normalizedTokens.split(normalized, parseSpecialTokens, (innerId, from, to) => {
                if (innerId >= 0)
                    out.push(innerId);
                else
                    this.encodePlain(normalized.slice(from, to), start === 0 && from === 0, out);
            });
        });
    }
    encodePlain(text, atStart, out) {
        const { preTokenizer, model } = this.parts;
        if (preTokenizer === undefined)
            model.encode(text, out);
        else
            preTokenizer(text, atStart, (piece) => model.encode(piece, out));
    }
    textForDecoding(id, skipSpecialTokens) {
        if (!Number.isInteger(id) || id < 0)
            throw new OutOfRangeError("token id", "a non-negative integer", id);
        if (skipSpecialTokens && this.special.has(id))
            return undefined;
        return this.parts.decodeTexts?.get(id) ?? this.texts.get(id);
    }
}
/** Runs a decoder over one sequence. */
class PipelineStream {
    textOf;
    ready = "";
    spent = false;
    first;
    constructor(decoder, textOf) {
        this.textOf = textOf;
        this.first = decoder({
            text: (part) => {
                this.ready += part;
            },
            end: () => { },
            finish: () => { },
        });
    }
    push(id) {
        if (this.spent)
            throw new InvalidValueError("stream", "used before flush()", "a flushed stream");
        const text = this.textOf(id);
        if (text === undefined)
            return "";
        this.first.text(text);
        this.first.end();
        return this.take();
    }
    flush() {
        if (!this.spent)
            this.first.finish();
        this.spent = true;
        return this.take();
    }
    take() {
        const text = this.ready;
        this.ready = "";
        return text;
    }
}
