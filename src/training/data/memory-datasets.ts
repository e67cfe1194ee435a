/** Data sets from texts, pairs or token ids in memory. */
import { InvalidValueError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import {
  type CommonOptions,
  type PairOptions,
  pairDatasetOf,
  pairOptionNames,
  type TextOptions,
  textDatasetOf,
  textOptionNames,
} from "./assemble.js";
import type { Dataset, Example } from "./batch.js";
import { MemoryRecords } from "./records.js";
import { textHash } from "./text-hash.js";
import { type Encoders, type SourceExample, splitLast, tokenize, type Watching } from "./tokenize.js";

type Several<T> = Iterable<T> | AsyncIterable<T>;

/** A text in memory, or one with a prompt, whose own tokens are shown but not learned. */
export type TextExample = string | { readonly prompt: string; readonly completion: string };

export interface MemoryTextOptions extends TextOptions, Watching {
  readonly tokenizer: Tokenizer;
  /** Held-out texts of their own, instead of `heldOut`. */
  readonly heldOutTexts?: Several<TextExample>;
}

export interface MemoryPairOptions extends PairOptions, Watching {
  readonly tokenizer: Tokenizer;
  /** Default: `tokenizer`. */
  readonly targetTokenizer?: Tokenizer;
  /** Held-out pairs of their own, instead of `heldOut`. */
  readonly heldOutPairs?: Several<Example>;
}

/**
 * A data set of texts, which stay in memory, tokenized.
 *
 * @throws OutOfRangeError, InvalidValueError, UnknownOptionError; the signal's reason
 */
export async function textDataset(texts: Several<TextExample>, options: MemoryTextOptions): Promise<Dataset> {
  const names = [...textOptionNames, "tokenizer", "heldOutTexts", "signal", "onProgress"];
  rejectUnknownOptions(options, names);
  const { tokenizer, heldOut } = options;
  const last = heldOut !== undefined && "last" in heldOut ? heldOut.last : undefined;
  const all = await collect(texts, textExample);
  const given = last === undefined ? all : await collect(splitLast(all, last), (example) => example);
  const own = options.heldOutTexts && (await collect(options.heldOutTexts, textExample));
  return textDatasetOf(await materialOf("text", given, own, options), tokenizer, options);
}

/**
 * A data set of pairs, which stay in memory, tokenized.
 *
 * @throws OutOfRangeError, InvalidValueError, UnknownOptionError; the signal's reason
 */
export async function pairDataset(pairs: Several<Example>, options: MemoryPairOptions): Promise<Dataset> {
  const names = [...pairOptionNames, "tokenizer", "targetTokenizer", "heldOutPairs", "signal", "onProgress"];
  rejectUnknownOptions(options, names);
  refuseLast(options);
  const given = await collect(pairs, (pair) => pair);
  const own = options.heldOutPairs && (await collect(options.heldOutPairs, (pair) => pair));
  const { tokenizer: source, targetTokenizer: target = source } = options;
  return pairDatasetOf(await materialOf("pairs", given, own, options), { source, target }, options);
}

/** The end of a pair is no pair. */
export function refuseLast({ heldOut }: CommonOptions): void {
  if (heldOut !== undefined && "last" in heldOut) {
    throw new InvalidValueError("heldOut", "{ fraction } or { count } for pairs", heldOut);
  }
}

async function materialOf(
  kind: "text" | "pairs",
  given: readonly SourceExample[],
  own: readonly SourceExample[] | undefined,
  options: { tokenizer: Tokenizer; targetTokenizer?: Tokenizer } & Watching,
) {
  const encoders: Encoders = { kind, source: options.tokenizer, target: options.targetTokenizer ?? options.tokenizer };
  const watching = { signal: options.signal, onProgress: options.onProgress };
  const recordsOf = async (examples: readonly SourceExample[]) => {
    const sink = new MemoryRecords();
    await tokenize(examples, encoders, sink, watching);
    return sink.finish();
  };
  return {
    records: await recordsOf(given),
    heldOutRecords: own && (await recordsOf(own)),
    examples: () => own ?? given,
  };
}

/** Token ids to learn: `source` is a prompt that is shown but not learned, or what an encoder reads. */
export interface IdExample {
  readonly source?: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** What is known of token ids without a tokenizer. */
export interface IdDatasetOptions {
  readonly vocabSize: number;
  readonly heldOutExamples?: Iterable<IdExample>;
}

/**
 * A data set of sequences of token ids without a tokenizer, such as for made-up tasks. Its held-out "texts" are the
 * ids with spaces between them. Options as for texts or pairs; there are no default ids.
 *
 * @throws OutOfRangeError, InvalidValueError, UnknownOptionError
 */
export function idDataset(
  kind: "text",
  examples: Iterable<IdExample>,
  options: IdDatasetOptions & TextOptions,
): Dataset;
export function idDataset(
  kind: "pairs",
  examples: Iterable<IdExample>,
  options: IdDatasetOptions & PairOptions,
): Dataset;
export function idDataset(
  kind: "text" | "pairs",
  examples: Iterable<IdExample>,
  options: IdDatasetOptions & (TextOptions | PairOptions),
): Dataset {
  const { vocabSize, heldOutExamples: own, ...rest } = options;
  rejectUnknownOptions(rest, kind === "text" ? textOptionNames : pairOptionNames);
  refuseLast(rest);
  const all = [...examples];
  const material = {
    records: recordsOfIds(all, vocabSize),
    heldOutRecords: own && recordsOfIds(own, vocabSize),
    examples: () => Array.from(own ?? all, ({ source, target }) => ({ source: spell(source), target: spell(target) })),
  };
  const tokenizer = { vocabSize, endIds: [] } as unknown as Tokenizer; // nothing but its ids is asked for
  return kind === "text"
    ? textDatasetOf(material, tokenizer, rest as TextOptions)
    : pairDatasetOf(material, { source: tokenizer, target: tokenizer }, rest as PairOptions);
}

function recordsOfIds(examples: Iterable<IdExample>, vocabSize: number) {
  const sink = new MemoryRecords();
  for (const { source = [], target } of examples) {
    const wrong = [...Array.from(source), ...Array.from(target)].find(
      (id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize),
    );
    if (wrong !== undefined) throw new InvalidValueError("token id", `in the vocabulary of ${vocabSize}`, wrong);
    const hash = textHash(source.length > 0 ? spell(source) : spell(target));
    sink.add({ source, target, bytes: target.length, hash, heldOut: false });
  }
  return sink.finish();
}

function spell(ids: ArrayLike<number> = []): string {
  return Array.from(ids).join(" ");
}

function textExample(text: TextExample): SourceExample {
  return typeof text === "string" ? { source: "", target: text } : { source: text.prompt, target: text.completion };
}

async function collect<In, Out>(items: Several<In>, map: (item: In) => Out): Promise<Out[]> {
  const list: Out[] = [];
  for await (const item of items) list.push(map(item));
  return list;
}
