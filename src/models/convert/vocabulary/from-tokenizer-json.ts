/** The vocabulary of a `tokenizer.json`: BPE of the byte level, or SentencePiece's as Hugging Face converts it. */
import { UnsupportedError } from "../../../core/errors.js";
import { ggufPreTokenizers } from "../../../tokenizers/formats/gguf/patterns.js";
import type { Tokenizer } from "../../../tokenizers/index.js";
import { gpt2Pattern } from "../../../tokenizers/pattern/scanners.js";
import { byteOfToken } from "../../../tokenizers/text/bytes.js";
import { conventionsOf, dense, tokenTypes, type Vocabulary, type VocabularyToken } from "./vocabulary.js";

/** The parts of the file that matter here; `readTokenizerJson` has checked them. */
interface TokenizerJson {
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
    readonly byte_fallback?: boolean;
    readonly ignore_merges?: boolean;
    readonly unk_token?: string | null;
  };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special?: boolean }[];
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
}

interface Component {
  readonly type: string;
  readonly [member: string]: unknown;
}

/**
 * @param json - which `tokenizer` was read from without complaint
 * @returns undefined for a kind that merges cannot express
 * @throws UnsupportedError when text is cut in a way that GGUF has no name for
 */
export function fromTokenizerJson(json: string, tokenizer: Tokenizer): Vocabulary | undefined {
  const file = JSON.parse(json) as TokenizerJson;
  if ((file.model.type ?? "BPE") !== "BPE" || !Array.isArray(file.model.merges)) return undefined;
  const merges = file.model.merges.map((merge) =>
    typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge,
  );
  const preTokenizers = components(file.pre_tokenizer, "pretokenizers");
  if (preTokenizers.some(({ type }) => type === "ByteLevel")) return byteLevel(file, merges, preTokenizers, tokenizer);
  return file.model.byte_fallback === true ? sentencePiece(file, merges, preTokenizers, tokenizer) : undefined;
}

/** A component, or the members of a sequence of them. */
function components(component: Component | null | undefined, member: string): readonly Component[] {
  if (component === null || component === undefined) return [];
  return component.type === "Sequence" ? (component[member] as Component[]) : [component];
}

type Merges = Vocabulary["merges"];

function byteLevel(
  file: TokenizerJson,
  merges: Merges,
  preTokenizers: readonly Component[],
  tokenizer: Tokenizer,
): Vocabulary {
  return {
    kind: "byte-level",
    tokens: entries(file, tokenizer, () => 0),
    merges,
    preTokenizer: preTokenizerName(preTokenizers.flatMap(patternsOf), file.model.ignore_merges === true),
    spacePrefix: false,
    ...conventionsOf(tokenizer),
  };
}

/** The patterns that a pre-tokenizer cuts by. */
function patternsOf(component: Component): string[] {
  if (component.type === "ByteLevel") return component.use_regex === false ? [] : [gpt2Pattern];
  if (component.type === "Digits") return [component.individual_digits === true ? "\\p{N}" : "\\p{N}+"];
  const { Regex, String: text } = (component.pattern ?? {}) as { Regex?: string; String?: string };
  return [Regex ?? text ?? component.type];
}

/** Names whose patterns others share, best known first. */
const preferredNames = ["gpt-2", "llama-bpe", "smaug-bpe", "qwen2", "smollm", "tekken"];

/** @throws UnsupportedError */
export function preTokenizerName(patterns: readonly string[], ignoreMerges: boolean): string {
  const key = JSON.stringify(patterns);
  const names = [...preferredNames, ...Object.keys(ggufPreTokenizers)].filter((name) => {
    const known = ggufPreTokenizers[name];
    return known !== undefined && JSON.stringify(known.patterns) === key;
  });
  const name = names.find((each) => (ggufPreTokenizers[each]!.ignoreMerges ?? false) === ignoreMerges) ?? names[0];
  if (name !== undefined) return name;
  throw new UnsupportedError("pre-tokenizer in GGUF", patterns.join(" then "), Object.keys(ggufPreTokenizers));
}

/** Scores are the ranks of the merges that make a token, turned round: pieces then merge in the same order. */
function sentencePiece(
  file: TokenizerJson,
  merges: Merges,
  preTokenizers: readonly Component[],
  tokenizer: Tokenizer,
): Vocabulary {
  const ranks = new Map<string, number>();
  for (const [rank, [left, right]] of merges.entries()) if (!ranks.has(left + right)) ranks.set(left + right, rank);
  const score = (text: string) => -(ranks.get(text) ?? merges.length);
  const metaspace = preTokenizers.find(({ type }) => type === "Metaspace");
  const prepends = components(file.normalizer, "normalizers").some(({ type }) => type === "Prepend");
  return {
    kind: "sentencepiece",
    tokens: entries(file, tokenizer, score),
    merges: [],
    spacePrefix: prepends || (metaspace !== undefined && metaspace.prepend_scheme !== "never"),
    ...conventionsOf(tokenizer),
  };
}

function entries(file: TokenizerJson, tokenizer: Tokenizer, score: (text: string) => number): VocabularyToken[] {
  const unknown = file.model.unk_token;
  const byId = new Map<number, VocabularyToken>();
  for (const [text, id] of Object.entries(file.model.vocab)) {
    const isByte = file.model.byte_fallback === true && byteOfToken(text) >= 0;
    const type = text === unknown ? tokenTypes.unknown : isByte ? tokenTypes.byte : tokenTypes.normal;
    byId.set(id, { text, type, score: score(text) });
  }
  for (const { id, content, special } of file.added_tokens ?? []) {
    const type = content === unknown ? tokenTypes.unknown : special ? tokenTypes.control : tokenTypes.userDefined;
    byId.set(id, { text: content, type, score: 0 });
  }
  return dense(byId, tokenizer.vocabSize);
}
