/** SentencePiece `.model` files: unigram and BPE (Kudo & Richardson, 2018, arXiv:1808.06226). */
import { FormatError } from "../../../core/errors.js";
import { BpeModel, byteFallbackIds } from "../../models/bpe.js";
import { mergesFromScores } from "../../models/score-merges.js";
import { splitAtSpaces } from "../../models/space-split.js";
import { Trie } from "../../models/trie.js";
import { UnigramModel } from "../../models/unigram.js";
import { UserDefinedPieces } from "../../models/user-defined.js";
import { PipelineTokenizer } from "../../pipeline.js";
import { sentencePieceDecoder } from "./decoder.js";
import { sentencePieceNormalizer } from "./normalizer.js";
import { pieceTypes, readProto } from "./proto.js";
const format = "SentencePiece model";
/**
 * A tokenizer from the bytes of a `.model` (or `.spm`) file.
 * @throws FormatError, TruncatedFileError or UnsupportedError naming the field.
 */
export function readSentencePiece(bytes, options = {}) {
    return new PipelineTokenizer(sentencePieceParts(bytes, options));
}
/** The stages of `readSentencePiece`, for formats that exchange some of them. */
export function sentencePieceParts(bytes, options = {}) {
    const proto = readProto(bytes);
    const { pieces, normalizer } = proto;
    const vocabulary = new Map();
    pieces.forEach((piece, id) => {
        if (vocabulary.has(piece.text))
            throw new FormatError(format, `piece ${id}`, `repeats ${JSON.stringify(piece.text)}`);
        vocabulary.set(piece.text, id);
    });
    const roles = rolesOf(pieces, vocabulary);
    const userDefined = new Trie();
    pieces.forEach((piece, id) => {
        if (piece.type === pieceTypes.userDefined)
            userDefined.add(piece.text, id);
    });
    const leading = normalizer.removeExtraWhitespace ? "drop-all" : normalizer.addDummyPrefix ? "drop-one" : "keep";
    const addBegin = options.addBegin ?? proto.kind === "bpe";
    const addEnd = options.addEnd ?? proto.kind === "unigram";
    return {
        vocabulary,
        addedTokens: pieces
            .map((piece, id) => ({ id, content: piece.text, special: true, type: piece.type }))
            .filter(({ type }) => type === pieceTypes.control),
        normalizer: sentencePieceNormalizer(normalizer, proto.whitespaceAsSuffix, userDefined, format),
        model: subwordModel(proto, vocabulary, roles.unknownId, userDefined),
        template: {
            before: addBegin && roles.beginId !== undefined ? [roles.beginId] : [],
            after: addEnd ? (roles.endIds ?? []) : [],
        },
        decoder: sentencePieceDecoder(leading),
        decodeTexts: roles.unknownId === undefined ? undefined : new Map([[roles.unknownId, proto.unknownSurface]]),
        roles,
    };
}
function subwordModel(proto, vocabulary, unknownId, userDefined) {
    const { pieces } = proto;
    const isType = (id, ...types) => types.includes(pieces[id].type);
    if (proto.kind === "unigram") {
        return new UnigramModel({
            pieces,
            unmatchable: (id) => !isType(id, pieceTypes.normal, pieceTypes.userDefined),
            userDefined: (id) => isType(id, pieceTypes.userDefined),
            unknownId,
            byteFallback: proto.byteFallback,
            singlePrecision: true,
        });
    }
    const mergeable = pieces
        .map(({ text, score }, id) => ({ text, score, id }))
        .filter(({ id }) => isType(id, pieceTypes.normal, pieceTypes.userDefined));
    const merges = mergesFromScores(mergeable, pieces.length, format);
    const bpe = new BpeModel({
        ...merges,
        unknownId,
        fuseUnknown: true,
        byteIds: proto.byteFallback ? byteFallbackIds(vocabulary) : undefined,
    });
    return new UserDefinedPieces(userDefined, splitAtSpaces(bpe, merges.vocabulary));
}
function rolesOf(pieces, vocabulary) {
    const control = (...names) => {
        const found = names.map((name) => vocabulary.get(name)).find((id) => id !== undefined);
        return found !== undefined && pieces[found].type === pieceTypes.control ? found : undefined;
    };
    const unknownId = pieces.findIndex((piece) => piece.type === pieceTypes.unknown);
    const endId = control("</s>", "<eos>");
    return {
        beginId: control("<s>", "<bos>"),
        endIds: endId === undefined ? [] : [endId],
        padId: control("<pad>"),
        unknownId: unknownId < 0 ? undefined : unknownId,
    };
}
