/** Vocabularies that are lists of scored pieces: llama2.c's and SentencePiece's. */
import { readProto } from "../../../tokenizers/formats/sentencepiece/proto.js";
import type { Tokenizer } from "../../../tokenizers/index.js";
import { conventionsOf, tokenTypes, type Vocabulary, type VocabularyToken } from "./vocabulary.js";

const spaceSymbol = "▁";

/** The first pieces of a llama2.c vocabulary: unknown, begin, end, then a piece per byte. */
const controlPieces = ["<unk>", "<s>", "</s>"];
const firstOrdinaryPiece = controlPieces.length + 256;

/** @param bytes - a llama2.c tokenizer file, which `tokenizer` was read from without complaint */
export function fromLlama2c(bytes: Uint8Array, tokenizer: Tokenizer): Vocabulary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tokens: VocabularyToken[] = [];
  for (let at = 4; at < bytes.length; ) {
    const [score, length] = [view.getFloat32(at, true), view.getInt32(at + 4, true)];
    const piece = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    tokens.push(llama2cToken(piece, score, tokens.length));
    at += 8 + length;
  }
  return { kind: "sentencepiece", tokens, merges: [], spacePrefix: true, ...conventionsOf(tokenizer) };
}

function llama2cToken(piece: string, score: number, id: number): VocabularyToken {
  if (id < controlPieces.length) {
    return { text: controlPieces[id]!, score, type: id === 0 ? tokenTypes.unknown : tokenTypes.control };
  }
  const type = id < firstOrdinaryPiece ? tokenTypes.byte : tokenTypes.normal;
  return { text: piece.replaceAll(" ", spaceSymbol), score, type };
}

/** @returns undefined for a unigram model, which merges cannot express */
export function fromSentencePiece(bytes: Uint8Array, tokenizer: Tokenizer): Vocabulary | undefined {
  const { kind, pieces, normalizer } = readProto(bytes);
  if (kind !== "bpe") return undefined;
  return {
    kind: "sentencepiece",
    tokens: pieces,
    merges: [],
    spacePrefix: normalizer.addDummyPrefix,
    ...conventionsOf(tokenizer),
  };
}
