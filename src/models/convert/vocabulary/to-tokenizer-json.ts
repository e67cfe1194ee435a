/** Writes a vocabulary as `tokenizer.json` and `tokenizer_config.json`, as Hugging Face's own converters would. */
import { ggufPreTokenizers } from "../../../tokenizers/formats/gguf/patterns.js";
import { templateProcessing } from "../../../tokenizers/formats/template-processing.js";
import { gpt2Pattern } from "../../../tokenizers/pattern/scanners.js";
import { tokenTypes, type Vocabulary } from "./vocabulary.js";

/** Contents by file name. */
export function toTokenizerFiles(vocabulary: Vocabulary, contextLength: number): Map<string, Uint8Array> {
  const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  return new Map([
    ["tokenizer.json", encode(tokenizerJson(vocabulary))],
    ["tokenizer_config.json", encode(tokenizerConfig(vocabulary, contextLength))],
  ]);
}

function tokenizerJson(vocabulary: Vocabulary): object {
  const byteLevel = vocabulary.kind === "byte-level";
  const common = { version: "1.0", truncation: null, padding: null, added_tokens: addedTokens(vocabulary) };
  return {
    ...common,
    ...(byteLevel ? byteLevelStages(vocabulary) : sentencePieceStages(vocabulary)),
    post_processor: template(vocabulary),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: byteLevel || vocabulary.unknownId === undefined ? null : textOf(vocabulary, vocabulary.unknownId),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: !byteLevel,
      byte_fallback: !byteLevel,
      ignore_merges: byteLevel && ggufPreTokenizers[vocabulary.preTokenizer ?? "default"]?.ignoreMerges === true,
      vocab: Object.fromEntries(vocabulary.tokens.map(({ text }, id) => [text, id])),
      merges: byteLevel ? vocabulary.merges : mergesByScore(vocabulary),
    },
  };
}

function textOf({ tokens }: Vocabulary, id: number): string {
  return tokens[id]!.text;
}

function addedTokens({ tokens }: Vocabulary): object[] {
  const added = [tokenTypes.unknown, tokenTypes.control, tokenTypes.userDefined] as number[];
  return tokens.flatMap(({ text: content, type }, id) => {
    if (!added.includes(type)) return [];
    const special = type !== tokenTypes.userDefined;
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

const spaceSymbol = "▁";

function sentencePieceStages({ spacePrefix }: Vocabulary): object {
  const replace = { type: "Replace", pattern: { String: " " }, content: spaceSymbol };
  const back = { type: "Replace", pattern: { String: spaceSymbol }, content: " " };
  return {
    normalizer: {
      type: "Sequence",
      normalizers: spacePrefix ? [{ type: "Prepend", prepend: spaceSymbol }, replace] : [replace],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        back,
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(spacePrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
  };
}

function byteLevelStages({ preTokenizer = "default" }: Vocabulary): object {
  const { patterns } = ggufPreTokenizers[preTokenizer]!;
  const plain = patterns.length === 1 && patterns[0] === gpt2Pattern;
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: plain };
  const splits = patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    normalizer: null,
    pre_tokenizer: plain ? bytes : { type: "Sequence", pretokenizers: [...splits, bytes] },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  };
}

/** The ids around a text. */
function template(vocabulary: Vocabulary): object | null {
  const special = (id: number | undefined, wanted: boolean) =>
    wanted && id !== undefined ? [{ id, text: textOf(vocabulary, id) }] : [];
  const before = special(vocabulary.beginId, vocabulary.addBegin);
  const after = special(vocabulary.endIds[0], vocabulary.addEnd);
  return templateProcessing(before, after);
}

/** Every way to put a piece together from two others, the best piece first, as Hugging Face lists them. */
function mergesByScore({ tokens }: Vocabulary): [string, string][] {
  const mergeable = [tokenTypes.normal, tokenTypes.userDefined] as number[];
  const ids = new Map(tokens.map(({ text }, id) => [text, id]));
  const ordered = tokens
    .map((token, id) => ({ ...token, id }))
    .filter(({ type }) => mergeable.includes(type))
    .sort((a, b) => b.score - a.score || a.id - b.id);
  return ordered.flatMap(({ text }) => {
    const pairs: [string, string][] = [];
    const characters = [...text];
    for (let cut = 1; cut < characters.length; cut++) {
      const pair: [string, string] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      if (ids.has(pair[0]) && ids.has(pair[1])) pairs.push(pair);
    }
    return pairs.sort(([a, c], [b, d]) => ids.get(a)! - ids.get(b)! || ids.get(c)! - ids.get(d)!);
  });
}

function tokenizerConfig(vocabulary: Vocabulary, contextLength: number): object {
  const token = (id: number | undefined) => (id === undefined ? null : textOf(vocabulary, id));
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: token(vocabulary.beginId),
    eos_token: token(vocabulary.endIds[0]),
    unk_token: token(vocabulary.unknownId),
    pad_token: token(vocabulary.padId),
    add_bos_token: vocabulary.addBegin,
    add_eos_token: vocabulary.addEnd,
    clean_up_tokenization_spaces: false,
    model_max_length: contextLength,
    ...(vocabulary.chatTemplate === undefined ? {} : { chat_template: vocabulary.chatTemplate }),
  };
}
