/** Making a tokenizer for a model that is to be trained: pieces learned from texts, characters, or words. */
import { Breather } from "../../core/breathe.js";
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { trainByteBpe } from "../../tokenizers/index.js";
import { matcherFor } from "../../tokenizers/pattern/scanners.js";
import { lowercase as lowercased } from "../../tokenizers/stages/normalizers.js";
import { wellFormed } from "../../tokenizers/text/code-points.js";
import { type SavedTokenizer, savedTokenizer } from "./saved-tokenizer.js";
import { type SpecialTokens, specialTexts, tokenizerFiles } from "./tokenizer-json.js";

/**
 * What the entries of the vocabulary are.
 *
 * - `bpe`: frequent sequences of bytes, as in GPT-2; encodes any text.
 * - `bytes`: the 256 bytes alone.
 * - `characters`: those that occur, in code-point order.
 * - `words`: what `pattern` matches, the most frequent first; what it does not match is left out. Default `\\S+`. With
 *   `[a-z']|[A-Z]+[0-9]?` one vocabulary holds words that are spelled and phonemes that are named.
 */
export type Vocabulary =
  | { readonly kind: "bpe"; readonly vocabSize: number; readonly minFrequency?: number }
  | { readonly kind: "bytes" }
  | { readonly kind: "characters" }
  | { readonly kind: "words"; readonly pattern?: string; readonly vocabSize?: number };

/** What else a tokenizer does. A JSON value. */
export interface TokenizerSettings {
  readonly vocabulary: Vocabulary;
  /** They get the first ids. Default: none; for words, `<unk>`. */
  readonly special?: SpecialTokens;
  /** Special tokens that `encode` puts around a text, unless told not to. Default: none. */
  readonly around?: { readonly begin?: boolean; readonly end?: boolean };
  /** Default false. */
  readonly lowercase?: boolean;
  /** Written into the tokenizer's configuration. Default: not. */
  readonly contextLength?: number;
}

export interface TrainTokenizerOptions extends TokenizerSettings {
  /** Stops between two texts, or merges: the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called some times a second; of `total` merges, `done` are made (0 of 0 where there are none to make). */
  readonly onProgress?: (progress: { texts: number; done: number; total: number }) => void;
}

const anyWord = "\\S+";

const settingNames = ["vocabulary", "special", "around", "lowercase", "contextLength"];

type Texts = Iterable<string> | AsyncIterable<string>;

/** A model of a `tokenizer.json`, and what belongs to it. */
interface Trained {
  readonly model: object;
  readonly preTokenizer: object | null;
  readonly decoder: object | null;
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * Makes a tokenizer from `texts`, one after the other: only counts are kept, never the texts. For a vocabulary that two
 * languages share, give the texts of both. The same texts give the same tokenizer.
 *
 * @throws InvalidValueError, OutOfRangeError, UnknownOptionError; the signal's reason
 */
export async function trainTokenizer(texts: Texts, options: TrainTokenizerOptions): Promise<SavedTokenizer> {
  const { signal, onProgress, ...settings } = options;
  checkTokenizerSettings(settings);
  const { vocabulary, around = {}, lowercase = false, contextLength } = settings;
  const special = withUnknown(settings);
  const read = lowercase ? mapped(texts, lowercased) : texts;
  const { model, preTokenizer, decoder, ids } = await train(read, vocabulary, special, { signal, onProgress });
  const parts = { lowercase, preTokenizer, decoder, model, special, ids, contextLength };
  const { begin = false, end = false } = around;
  return savedTokenizer(tokenizerFiles({ ...parts, around: { begin, end } }));
}

/** @throws InvalidValueError, OutOfRangeError, UnknownOptionError: settings may come from a file */
export function checkTokenizerSettings(settings: TokenizerSettings): void {
  rejectUnknownOptions(settings, settingNames, "tokenizer");
  const { vocabulary, special = {}, around = {}, lowercase, contextLength } = settings;
  checkVocabulary(vocabulary);
  rejectUnknownOptions(special, ["pad", "begin", "end", "unknown", "others"], "tokenizer.special");
  for (const token of specialTexts(special)) {
    if (typeof token !== "string" || token === "") throw new InvalidValueError("tokenizer.special", "texts", token);
  }
  rejectUnknownOptions(around, ["begin", "end"], "tokenizer.around");
  for (const role of ["begin", "end"] as const) {
    if (around[role] === true && special[role] === undefined) {
      throw new InvalidValueError(`tokenizer.special.${role}`, "a token, since it is put around texts", undefined);
    }
  }
  if (lowercase !== undefined && typeof lowercase !== "boolean") {
    throw new InvalidValueError("tokenizer.lowercase", "true or false", lowercase);
  }
  if (contextLength !== undefined && !(Number.isInteger(contextLength) && contextLength >= 1)) {
    throw new OutOfRangeError("tokenizer.contextLength", "a whole number, at least 1", contextLength);
  }
}

const vocabularyFields = {
  bpe: ["kind", "vocabSize", "minFrequency"],
  bytes: ["kind"],
  characters: ["kind"],
  words: ["kind", "pattern", "vocabSize"],
};

function checkVocabulary(vocabulary: Vocabulary | undefined): void {
  const kind = vocabulary?.kind;
  if (vocabulary === undefined || kind === undefined || !Object.hasOwn(vocabularyFields, kind)) {
    throw new InvalidValueError("tokenizer.vocabulary.kind", `one of ${Object.keys(vocabularyFields)}`, kind);
  }
  rejectUnknownOptions(vocabulary, vocabularyFields[kind], "tokenizer.vocabulary");
  if (vocabulary.kind !== "words") return;
  const { pattern = anyWord, vocabSize = Infinity } = vocabulary;
  if (typeof pattern !== "string" || pattern === "") {
    throw new InvalidValueError("tokenizer.vocabulary.pattern", "a regular expression", pattern);
  }
  if (!(vocabSize >= 2)) throw new OutOfRangeError("tokenizer.vocabulary.vocabSize", "at least 2", vocabSize);
}

function withUnknown({ special = {}, vocabulary }: TokenizerSettings): SpecialTokens {
  return vocabulary.kind === "words" && special.unknown === undefined ? { ...special, unknown: "<unk>" } : special;
}

type Watching = Pick<TrainTokenizerOptions, "signal" | "onProgress">;

function train(texts: Texts, vocabulary: Vocabulary, special: SpecialTokens, watching: Watching): Promise<Trained> {
  if (vocabulary.kind === "bpe") return bytePairs(texts, vocabulary, special, watching);
  if (vocabulary.kind === "bytes") {
    return bytePairs([], { kind: "bpe", vocabSize: 256 + specialTexts(special).length }, special, watching);
  }
  return vocabulary.kind === "characters"
    ? characters(texts, special, watching)
    : words(texts, vocabulary, special, watching);
}

async function bytePairs(
  texts: Texts,
  { vocabSize, minFrequency }: Vocabulary & { kind: "bpe" },
  special: SpecialTokens,
  { signal, onProgress }: Watching,
): Promise<Trained> {
  const { tokenizerJson, vocabulary } = await trainByteBpe(texts, {
    vocabSize,
    minFrequency,
    specialTokens: specialTexts(special),
    signal,
    onProgress:
      onProgress && (({ texts, merges, totalMerges }) => onProgress({ texts, done: merges, total: totalMerges })),
  });
  const { model, pre_tokenizer, decoder } = tokenizerJson as Record<string, object>;
  const ids = new Map(Object.entries(vocabulary));
  return { model: { ...model, unk_token: special.unknown ?? null }, preTokenizer: pre_tokenizer, decoder, ids };
}

/** BPE without merges: what every library that reads `tokenizer.json` takes for single characters. */
async function characters(texts: Texts, special: SpecialTokens, watching: Watching): Promise<Trained> {
  const found = new Set<string>();
  await forEach(texts, watching, (text) => {
    for (const character of text) found.add(character);
  });
  const sorted = [...found].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const ids = numbered(special, sorted);
  const rest = { dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false };
  const model = {
    type: "BPE",
    unk_token: special.unknown ?? null,
    ...rest,
    vocab: Object.fromEntries(ids),
    merges: [],
  };
  return { model, preTokenizer: null, decoder: { type: "Fuse" }, ids };
}

async function words(
  texts: Texts,
  { pattern = anyWord, vocabSize = Infinity }: Vocabulary & { kind: "words" },
  special: SpecialTokens,
  watching: Watching,
): Promise<Trained> {
  const counts = new Map<string, number>();
  const matcher = matcherFor(pattern);
  await forEach(texts, watching, (text) => {
    const plain = wellFormed(text);
    matcher.forEachMatch(plain, (from, to) => {
      const word = plain.slice(from, to);
      if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
    });
  });
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([piece]) => piece);
  const ids = numbered(special, byCount, vocabSize);
  const preTokenizer = { type: "Split", pattern: { Regex: pattern }, behavior: "Removed", invert: true };
  const model = { type: "WordLevel", vocab: Object.fromEntries(ids), unk_token: special.unknown };
  return { model, preTokenizer, decoder: null, ids };
}

/** Ids of special tokens, then of `entries`, as many as there is room for. */
function numbered(special: SpecialTokens, entries: readonly string[], vocabSize = Infinity): Map<string, number> {
  const all = [...new Set([...specialTexts(special), ...entries])];
  return new Map(all.slice(0, vocabSize).map((token, id) => [token, id]));
}

async function forEach(texts: Texts, { signal, onProgress }: Watching, take: (text: string) => void): Promise<void> {
  const breather = new Breather();
  let [count, reported] = [0, performance.now()];
  for await (const text of texts) {
    signal?.throwIfAborted();
    take(text);
    count++;
    if (performance.now() - reported > 100) {
      onProgress?.({ texts: count, done: 0, total: 0 });
      reported = performance.now();
    }
    await breather.breathe();
  }
  onProgress?.({ texts: count, done: 0, total: 0 });
}

async function* mapped(texts: Texts, map: (text: string) => string): AsyncGenerator<string> {
  for await (const text of texts) yield map(text);
}
