/**
 * Merges for vocabularies that store no merge list: SentencePiece BPE and llama2.c store a score per piece, tiktoken a
 * rank. Any two adjacent symbols whose concatenation is a piece may merge, the best piece first.
 */
import { FormatError } from "../../core/errors.js";
import { unitsAt } from "../text/code-points.js";
import { MergeTable } from "./merge-table.js";
const maxPieceLength = 1024;
/**
 * @param firstFreeId - ids from here on are not in use.
 * @throws FormatError when a piece is longer than 1024 UTF-16 units: every split of it would have to be looked up.
 */
export function mergesFromScores(pieces, firstFreeId, format) {
    const vocabulary = new Map();
    for (const piece of pieces) {
        if (piece.text.length > maxPieceLength) {
            throw new FormatError(format, `piece ${piece.id}`, `is ${piece.text.length} characters; limit ${maxPieceLength}`);
        }
        if (!vocabulary.has(piece.text))
            vocabulary.set(piece.text, piece.id);
    }
    const extraSymbols = charactersOutside(vocabulary, firstFreeId);
    const idOf = (text) => vocabulary.get(text) ?? extraSymbols.get(text);
    const ranks = ranksOf(pieces);
    const merges = new MergeTable(pieces.length * 4);
    for (const { text, id, score } of pieces) {
        if (vocabulary.get(text) !== id)
            continue;
        for (let at = unitsAt(text, 0); at < text.length; at += unitsAt(text, at)) {
            const left = idOf(text.slice(0, at));
            const right = left === undefined ? undefined : idOf(text.slice(at));
            if (left !== undefined && right !== undefined)
                merges.set(left, right, ranks.get(score), id);
        }
    }
    return { vocabulary, merges, extraSymbols };
}
function charactersOutside(vocabulary, firstFreeId) {
    const outside = new Map();
    for (const text of vocabulary.keys()) {
        for (const character of text) {
            if (!vocabulary.has(character) && !outside.has(character))
                outside.set(character, firstFreeId + outside.size);
        }
    }
    return outside;
}
function ranksOf(pieces) {
    const scores = [...new Set(pieces.map((piece) => piece.score))].sort((a, b) => b - a);
    return new Map(scores.map((score, rank) => [score, rank]));
}
