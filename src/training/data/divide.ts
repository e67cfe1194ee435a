/**
 * Which records are learned and which are held out.
 *
 * Decided by the hash of a record's text (for pairs: of its source), so that copies of one text are never on both
 * sides, and a text stays on its side when others are added.
 */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { DataSummary } from "./batch.js";
import type { TokenRecords } from "./records.js";
import { asFraction } from "./text-hash.js";

/**
 * What is held out. `fraction`: texts with that share of all hashes. `count`: exactly so many records, no two of the
 * same text. `last`: the end of every document, as a share of its characters. Default: nothing, or what the data set
 * has files of its own for.
 */
export type HeldOutOptions = { readonly fraction: number } | { readonly count: number } | { readonly last: number };

/** Longest records that are used, in ids without special ones; one number holds for both sides. */
export type MaxLength = number | { readonly source?: number; readonly target?: number };

/** Records by number: those to learn are in `training`, those held out in `heldOut.records`. */
export interface Division {
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
  /** Where the held-out records are: `training`, or records of their own. */
  readonly heldOutRecords: TokenRecords;
  /** All that were set aside in that place, those too long to be a batch included. */
  readonly setAside: Int32Array;
  readonly summary: DataSummary;
}

export interface DivideOptions {
  readonly heldOut?: HeldOutOptions;
  readonly maxLength?: MaxLength;
  /** Records that are held out and come from elsewhere. Not with `heldOut`. */
  readonly heldOutRecords?: TokenRecords;
  /** Pairs need something on both sides. */
  readonly needsSource: boolean;
}

/** @throws InvalidValueError when nothing is left to learn, OutOfRangeError for a share or a count that is none */
export function divide(records: TokenRecords, options: DivideOptions): Division {
  checkHeldOut(options.heldOut);
  if (options.heldOut !== undefined && options.heldOutRecords !== undefined) {
    throw new InvalidValueError("heldOut", "a share, a count or files of its own, not two of them", options.heldOut);
  }
  const elsewhere = options.heldOutRecords;
  const side = elsewhere === undefined ? sidesWithin(records, options) : undefined;
  const keys = elsewhere === undefined ? undefined : new Set(elsewhere.hashes);
  const dropped = { empty: 0, tooLong: 0, shared: 0 };
  const kept = (from: TokenRecords, record: number): boolean => {
    const reason = reasonToDrop(from, record, options);
    if (reason !== undefined) dropped[reason]++;
    return reason === undefined;
  };
  const [train, heldOut, setAside]: number[][] = [[], [], []];
  for (let record = 0; record < records.count; record++) {
    const where = side === undefined ? (keys!.has(records.hashes[record]) ? "shared" : "train") : side(record);
    if (where === "heldOut" && reasonToDrop(records, record, options) !== "empty") setAside.push(record);
    if (where === "shared") dropped.shared++;
    else if (kept(records, record)) (where === "train" ? train : heldOut).push(record);
  }
  for (let record = 0; record < (elsewhere?.count ?? 0); record++) {
    if (reasonToDrop(elsewhere!, record, options) !== "empty") setAside.push(record);
    if (kept(elsewhere!, record)) heldOut.push(record);
  }
  if (train.length === 0) throw new InvalidValueError("data", "at least one example to learn", dropped);
  return {
    train: Int32Array.from(train),
    heldOut: Int32Array.from(heldOut),
    heldOutRecords: elsewhere ?? records,
    setAside: Int32Array.from(setAside),
    summary: { trainExamples: train.length, heldOutExamples: heldOut.length, dropped },
  };
}

type Side = "train" | "heldOut" | "shared";

function sidesWithin(records: TokenRecords, { heldOut, needsSource }: DivideOptions): (record: number) => Side {
  if (heldOut === undefined) return () => "train";
  if ("last" in heldOut) return (record) => (records.heldOut[record] === 1 ? "heldOut" : "train");
  if ("fraction" in heldOut) {
    return (record) => (asFraction(records.hashes[record]) < heldOut.fraction ? "heldOut" : "train");
  }
  const chosen = firstOfSmallestHashes(records, heldOut.count, needsSource);
  const keys = new Set([...chosen].map((record) => records.hashes[record]));
  return (record) => {
    if (chosen.has(record)) return "heldOut";
    return keys.has(records.hashes[record]) ? "shared" : "train";
  };
}

/** One record of each of the `count` smallest hashes. */
function firstOfSmallestHashes(records: TokenRecords, count: number, needsSource: boolean): Set<number> {
  const firstOf = new Map<number, number>();
  for (let record = 0; record < records.count; record++) {
    if (isEmpty(records, record, needsSource) || firstOf.has(records.hashes[record])) continue;
    firstOf.set(records.hashes[record], record);
  }
  if (firstOf.size <= count) {
    throw new OutOfRangeError("heldOut.count", `less than the ${firstOf.size} different texts`, count);
  }
  const hashes = Float64Array.from(firstOf.keys()).sort().subarray(0, count);
  return new Set(Array.from(hashes, (hash) => firstOf.get(hash)!));
}

function isEmpty({ lengths, splits }: TokenRecords, record: number, needsSource: boolean): boolean {
  return lengths[record] === splits[record] || (needsSource && splits[record] === 0);
}

function reasonToDrop(
  records: TokenRecords,
  record: number,
  { maxLength, needsSource }: DivideOptions,
): "empty" | "tooLong" | undefined {
  if (isEmpty(records, record, needsSource)) return "empty";
  const most = typeof maxLength === "number" ? { source: maxLength, target: maxLength } : (maxLength ?? {});
  const [source, target] = [records.splits[record], records.lengths[record] - records.splits[record]];
  return source > (most.source ?? Infinity) || target > (most.target ?? Infinity) ? "tooLong" : undefined;
}

/** @throws OutOfRangeError, InvalidValueError, UnknownOptionError */
export function checkHeldOut(heldOut: HeldOutOptions | undefined): void {
  if (heldOut === undefined) return;
  rejectUnknownOptions(heldOut, ["fraction", "count", "last"], "heldOut");
  const [key, ...others] = Object.keys(heldOut);
  if (key === undefined || others.length > 0) {
    throw new InvalidValueError("heldOut", "one of { fraction }, { count }, { last }", heldOut);
  }
  const value = Object.values(heldOut)[0] as number;
  if (key === "count") {
    if (!(Number.isInteger(value) && value >= 1)) throw new OutOfRangeError("heldOut.count", "at least 1", value);
  } else if (!(value > 0 && value < 1)) throw new OutOfRangeError(`heldOut.${key}`, "between 0 and 1", value);
}
