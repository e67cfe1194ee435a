/** The files of a newly made tokenizer, as Hugging Face's `tokenizers` and `transformers` read them. */
import { templateProcessing } from "../../tokenizers/formats/template-processing.js";

/** Tokens with a role. Two roles may share one token, as the beginning and the end of a text do in GPT-2. */
export interface SpecialTokens {
  readonly pad?: string;
  readonly begin?: string;
  readonly end?: string;
  /** For what the vocabulary does not have. */
  readonly unknown?: string;
  /** Without a role of their own. */
  readonly others?: readonly string[];
}

/** What surrounds the model of a tokenizer. */
export interface TokenizerParts {
  readonly lowercase: boolean;
  readonly preTokenizer: object | null;
  readonly decoder: object | null;
  readonly model: object;
  readonly special: SpecialTokens;
  /** Ids of special tokens. */
  readonly ids: ReadonlyMap<string, number>;
  /** Which tokens `encode` puts around a text. */
  readonly around: { readonly begin: boolean; readonly end: boolean };
  readonly contextLength?: number;
}

/** Special tokens without repetition, in the order of their ids. */
export function specialTexts({ pad, begin, end, unknown, others = [] }: SpecialTokens): string[] {
  return [...new Set([pad, begin, end, unknown, ...others])].filter((token) => token !== undefined);
}

/** Contents by file name. */
export function tokenizerFiles(parts: TokenizerParts): Map<string, Uint8Array> {
  const encode = (value: object) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  return new Map([
    ["tokenizer.json", encode(tokenizerJson(parts))],
    ["tokenizer_config.json", encode(tokenizerConfig(parts))],
  ]);
}

function tokenizerJson({ lowercase, preTokenizer, decoder, model, special, ids, around }: TokenizerParts): object {
  const token = (wanted: boolean, text?: string) => (wanted ? [{ text: text!, id: ids.get(text!)! }] : []);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTexts(special).map((content) => ({ id: ids.get(content), content, ...flags })),
    normalizer: lowercase ? { type: "Lowercase" } : null,
    pre_tokenizer: preTokenizer,
    post_processor: templateProcessing(token(around.begin, special.begin), token(around.end, special.end)),
    decoder,
    model,
  };
}

function tokenizerConfig({ special, around, contextLength }: TokenizerParts): object {
  const { pad, begin, end, unknown, others = [] } = special;
  const tokens = { pad_token: pad, bos_token: begin, eos_token: end, unk_token: unknown };
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...Object.fromEntries(Object.entries(tokens).filter(([, token]) => token !== undefined)),
    ...(others.length > 0 ? { additional_special_tokens: others } : {}),
    add_bos_token: around.begin,
    add_eos_token: around.end,
    clean_up_tokenization_spaces: false,
    ...(contextLength === undefined ? {} : { model_max_length: contextLength }),
  };
}
