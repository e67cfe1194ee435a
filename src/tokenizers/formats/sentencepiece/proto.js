/** The messages of `sentencepiece_model.proto` that encoding and decoding need. */
import { FormatError, UnsupportedError } from "../../../core/errors.js";
import { wireFields } from "./wire.js";
/** What a piece is for. GGUF uses the same numbers in `tokenizer.ggml.token_type`. */
export const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };
const format = "SentencePiece model";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** @throws FormatError, TruncatedFileError or UnsupportedError naming the field. */
export function readProto(bytes) {
    const pieces = [];
    let trainer = new Uint8Array(0);
    let normalizer = new Uint8Array(0);
    for (const { number, value } of wireFields(bytes, "model")) {
        if (number === 1)
            pieces.push(readPiece(message(value, "piece"), pieces.length));
        else if (number === 2)
            trainer = message(value, "trainer_spec");
        else if (number === 3)
            normalizer = message(value, "normalizer_spec");
        else if (number === 5)
            refuseDenormalizer(message(value, "denormalizer_spec"));
    }
    if (pieces.length === 0)
        throw new FormatError(format, "pieces", "has none; is this a SentencePiece model?");
    return { pieces, ...readTrainer(trainer), normalizer: readNormalizer(normalizer) };
}
function message(value, name) {
    if (typeof value === "number")
        throw new FormatError(format, name, "is a number; expected a message");
    return value;
}
function number(value, name) {
    if (typeof value !== "number")
        throw new FormatError(format, name, "is a message; expected a number");
    return value;
}
function readPiece(bytes, index) {
    const name = `piece ${index}`;
    let text = "";
    let score = 0;
    let type = pieceTypes.normal;
    for (const field of wireFields(bytes, name)) {
        if (field.number === 1)
            text = decoder.decode(message(field.value, name));
        else if (field.number === 2)
            score = number(field.value, name);
        else if (field.number === 3)
            type = number(field.value, name);
    }
    if (text === "")
        throw new FormatError(format, name, "is empty");
    if (!Number.isFinite(score))
        throw new FormatError(format, name, `has the score ${score}`);
    if (!Object.values(pieceTypes).includes(type))
        throw new FormatError(format, name, `has the type ${type}`);
    return { text, score, type };
}
function readTrainer(bytes) {
    const kinds = { 1: "unigram", 2: "bpe" };
    const fields = { modelType: 1, byteFallback: false, whitespaceAsSuffix: false, unknownSurface: " \u2047 " };
    for (const { number: at, value } of wireFields(bytes, "trainer_spec")) {
        if (at === 3)
            fields.modelType = number(value, "trainer_spec.model_type");
        else if (at === 24)
            fields.whitespaceAsSuffix = number(value, "trainer_spec.treat_whitespace_as_suffix") !== 0;
        else if (at === 35)
            fields.byteFallback = number(value, "trainer_spec.byte_fallback") !== 0;
        else if (at === 44)
            fields.unknownSurface = decoder.decode(message(value, "trainer_spec.unk_surface"));
    }
    const { modelType, ...rest } = fields;
    const kind = kinds[modelType];
    if (kind === undefined)
        throw new UnsupportedError("SentencePiece model type", String(modelType), ["unigram", "bpe"]);
    return { kind, ...rest };
}
function readNormalizer(bytes) {
    const spec = {
        charMap: new Uint8Array(0),
        addDummyPrefix: true,
        removeExtraWhitespace: true,
        escapeWhitespace: true,
    };
    for (const { number: at, value } of wireFields(bytes, "normalizer_spec")) {
        if (at === 2)
            spec.charMap = message(value, "normalizer_spec.precompiled_charsmap");
        else if (at === 3)
            spec.addDummyPrefix = number(value, "normalizer_spec.add_dummy_prefix") !== 0;
        else if (at === 4)
            spec.removeExtraWhitespace = number(value, "normalizer_spec.remove_extra_whitespaces") !== 0;
        else if (at === 5)
            spec.escapeWhitespace = number(value, "normalizer_spec.escape_whitespaces") !== 0;
    }
    return spec;
}
/** A denormalizer would change decoded text; none of the published models has one. */
function refuseDenormalizer(bytes) {
    for (const { number: at, value } of wireFields(bytes, "denormalizer_spec")) {
        if (at === 2 && message(value, "denormalizer_spec").length > 0) {
            throw new UnsupportedError("SentencePiece denormalizer", "precompiled_charsmap", ["none"]);
        }
    }
}
