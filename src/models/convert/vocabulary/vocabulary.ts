/**
 * A vocabulary between formats: what `tokenizer.json`, SentencePiece, llama2.c and GGUF all say in their own way.
 * Each format is read into one of these and written from it.
 */
import type { Tokenizer } from "../../../tokenizers/index.js";

/** What an entry is for, by SentencePiece's and GGUF's numbers. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface VocabularyToken {
  /** SentencePiece: spaces as `▁`. Byte level: in GPT-2's byte alphabet, but for control tokens. */
  readonly text: string;
  readonly type: number;
  /** SentencePiece: higher merges first. */
  readonly score: number;
}

export interface Vocabulary {
  /** `sentencepiece`: BPE by scores, unknown characters as bytes. `byte-level`: BPE by a list of merges. */
  readonly kind: "sentencepiece" | "byte-level";
  /** By id, without holes. */
  readonly tokens: readonly VocabularyToken[];
  /** Byte level: most important first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Byte level: how text is cut, by the name that GGUF gives it. */
  readonly preTokenizer?: string;
  /** SentencePiece: a space is put before a text. */
  readonly spacePrefix: boolean;
  readonly addBegin: boolean;
  readonly addEnd: boolean;
  readonly beginId?: number;
  readonly endIds: readonly number[];
  readonly padId?: number;
  readonly unknownId?: number;
  readonly chatTemplate?: string;
}

/** What the tokenizer itself tells: its special ids, and which of them it puts around a text. */
export function conventionsOf(
  tokenizer: Tokenizer,
): Pick<Vocabulary, "addBegin" | "addEnd" | "beginId" | "endIds" | "padId" | "unknownId"> {
  const { beginId, endIds, padId, unknownId } = tokenizer;
  const around = Array.from(tokenizer.encode(""));
  return {
    addBegin: around.length > 0 && around[0] === beginId,
    addEnd: around.length > 0 && around.at(-1) !== beginId && endIds.includes(around.at(-1)!),
    beginId,
    endIds,
    padId,
    unknownId,
  };
}

/** Entries by id without holes: an id that nobody has is an unused entry. */
export function dense(entries: ReadonlyMap<number, VocabularyToken>, size: number): VocabularyToken[] {
  return Array.from({ length: size }, (_, id) => entries.get(id) ?? unusedToken(id));
}

export function unusedToken(id: number): VocabularyToken {
  return { text: `[PAD${id}]`, type: tokenTypes.unused, score: -1e9 };
}
