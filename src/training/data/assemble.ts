/** From token records and options to a data set: the same for data in memory and in files. */
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { Dataset, Example } from "./batch.js";
import { type DivideOptions, divide, type HeldOutOptions, type MaxLength } from "./divide.js";
import { defaultBucket, PairDataset } from "./pair-dataset.js";
import type { TokenRecords } from "./records.js";
import { checkSpecialIds, TextDataset } from "./text-dataset.js";
import { WindowDataset } from "./window-dataset.js";

/** What both kinds of data are told. */
export interface CommonOptions {
  /** What is held out. Default: nothing. */
  readonly heldOut?: HeldOutOptions;
  /** Leaves out what is longer, in ids; how many that were is in the data set's `summary`. Default: nothing. */
  readonly maxLength?: MaxLength;
}

/** How texts become sequences. */
export interface TextOptions extends CommonOptions {
  /**
   * `"documents"`: whole documents one after another, each to itself, long ones cut to the context. `"windows"`: all of
   * the text as one, in windows from random places. Default `"documents"`.
   */
  readonly packing?: "documents" | "windows";
  /** Before each document; null: nothing. Default: the tokenizer's beginning id, else its first end id, if it has one. */
  readonly startId?: number | null;
  /** After each document; null: nothing. Default: the tokenizer's first end id, if it has one. */
  readonly endId?: number | null;
}

/** How pairs become sequences. */
export interface PairOptions extends CommonOptions {
  /** What the decoder begins with. Default: the target tokenizer's beginning id, else its padding id. */
  readonly startId?: number;
  /** Ends every target. Default: the target tokenizer's first end id. */
  readonly endId?: number;
  /** Added after what the source's tokenizer makes of it, special tokens included. Default: nothing. */
  readonly sourceEndId?: number;
  /** Leaves out pairs of which one side, special ids included, is longer. Default: they are an error of `batches`. */
  readonly contextLength?: number;
  /** Pairs that are sorted by length before they are put into batches; 1: none. Default 1024. */
  readonly bucket?: number;
}

const common = ["heldOut", "maxLength"];

/** Names of `TextOptions` and of `PairOptions`. */
export const textOptionNames: readonly string[] = [...common, "packing", "startId", "endId"];
export const pairOptionNames: readonly string[] = [
  ...common,
  "startId",
  "endId",
  "sourceEndId",
  "contextLength",
  "bucket",
];

/** Records to make a data set of. */
export interface Material {
  readonly records: TokenRecords;
  /** Held-out records, where they have a source of their own. */
  readonly heldOutRecords?: TokenRecords;
  /** Texts of all examples of the place where held-out records are, in the records' order. */
  readonly examples: () => Iterable<Example> | AsyncIterable<Example>;
}

/** @throws OutOfRangeError, InvalidValueError, UnknownOptionError */
export function textDatasetOf(material: Material, tokenizer: Tokenizer, options: TextOptions): Dataset {
  const { packing = "documents" } = options;
  if (packing !== "documents" && packing !== "windows") {
    throw new InvalidValueError("packing", `"documents" or "windows"`, packing);
  }
  const endId = options.endId === null ? undefined : (options.endId ?? tokenizer.endIds[0]);
  const startId = options.startId === null ? undefined : (options.startId ?? tokenizer.beginId ?? endId);
  checkSpecialIds({ startId, endId }, tokenizer.vocabSize);
  const parts = partsOf(material, options, false);
  return packing === "windows" ? new WindowDataset(parts, endId) : new TextDataset(parts, { startId, endId });
}

/** @throws OutOfRangeError, InvalidValueError, UnknownOptionError */
export function pairDatasetOf(
  material: Material,
  tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer },
  options: PairOptions,
): Dataset {
  const { source, target } = tokenizers;
  const startId = options.startId ?? target.beginId ?? target.padId;
  const endId = options.endId ?? target.endIds[0];
  if (startId === undefined) throw new InvalidValueError("startId", "given: the tokenizer has none", startId);
  if (endId === undefined) throw new InvalidValueError("endId", "given: the tokenizer has none", endId);
  checkSpecialIds({ startId, endId }, target.vocabSize);
  checkSpecialIds({ sourceEndId: options.sourceEndId }, source.vocabSize);
  const { bucket = defaultBucket } = options;
  if (!(Number.isInteger(bucket) && bucket >= 1)) throw new OutOfRangeError("bucket", "at least 1", bucket);
  const parts = partsOf(material, { ...options, maxLength: fitting(options) }, true);
  return new PairDataset(parts, { startId, endId, sourceEndId: options.sourceEndId }, bucket);
}

/** What `maxLength` and `contextLength` allow together. The decoder's start id takes a place, as does a source's end. */
function fitting({ maxLength, contextLength, sourceEndId }: PairOptions): MaxLength | undefined {
  checkMaxLength(maxLength);
  if (contextLength === undefined) return maxLength;
  if (!(Number.isInteger(contextLength) && contextLength >= 2)) {
    throw new OutOfRangeError("contextLength", "a whole number, at least 2", contextLength);
  }
  const { source = Infinity, target = Infinity } =
    typeof maxLength === "number" ? { source: maxLength, target: maxLength } : (maxLength ?? {});
  return {
    source: Math.min(source, contextLength - (sourceEndId === undefined ? 0 : 1)),
    target: Math.min(target, contextLength - 1),
  };
}

function partsOf(material: Material, { heldOut, maxLength }: CommonOptions, needsSource: boolean) {
  const { records, heldOutRecords } = material;
  checkMaxLength(maxLength);
  const options: DivideOptions = { heldOut, maxLength, heldOutRecords, needsSource };
  const division = divide(records, options);
  const heldOutExamples = () => chosenFrom(material.examples(), division.setAside);
  return { records, division, heldOutExamples };
}

/** The examples whose numbers are in `chosen`, which rise. */
async function* chosenFrom(
  examples: Iterable<Example> | AsyncIterable<Example>,
  chosen: Int32Array,
): AsyncGenerator<Example, void> {
  let [index, at] = [0, 0];
  if (chosen.length === 0) return;
  for await (const { source, target } of examples) {
    if (index++ !== chosen[at]) continue;
    yield { source, target };
    if (++at === chosen.length) return;
  }
}

function checkMaxLength(maxLength: MaxLength | undefined): void {
  const sides: Record<string, unknown> = typeof maxLength === "object" ? { ...maxLength } : { target: maxLength };
  for (const [side, value] of Object.entries(sides)) {
    if (side !== "source" && side !== "target") throw new UnknownOptionError(`maxLength.${side}`, ["source", "target"]);
    if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) continue;
    throw new InvalidValueError("maxLength", "a whole number of ids, at least 1", value);
  }
}
