/** How a data set is described: in code, or in the data part of a recipe's file. Everything here is a JSON value. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { type PairOptions, pairOptionNames, type TextOptions, textOptionNames } from "./assemble.js";
import type { HeldOutOptions } from "./divide.js";
import { checkNormalization, type Normalization } from "./normalize.js";

/** A file or a folder, or several. Of a folder, all files that look like the format, however deep. */
export type Paths = string | readonly string[];

/**
 * Where a file of text is divided into documents: nowhere, at every line, at every blank line, or at lines that hold
 * only the separator.
 */
export type DocumentRule = "file" | "line" | "paragraph" | { readonly separator: string };

/**
 * Plain text; one JSON object per line with the text in a field, and maybe a prompt that is not learned; or, without
 * files, all rows of `length` digits, and after each the same digits sorted (the demonstration of minGPT).
 */
export type TextFormat =
  | { readonly kind: "text"; readonly files: Paths; readonly documents?: DocumentRule }
  | {
      readonly kind: "jsonl";
      readonly files: Paths;
      /** Default `"text"`. */
      readonly field?: string;
      /** Default: no prompts. */
      readonly promptField?: string;
    }
  | { readonly kind: "sort"; readonly length?: number; readonly digits?: number };

/**
 * Two files whose lines belong together; one file with columns between tabs (counted from 0; default 0 and 1, others
 * are ignored); one JSON object per line; a pronouncing dictionary as CMU writes it, word to phonemes.
 */
export type PairFormat =
  | { readonly kind: "parallel"; readonly source: Paths; readonly target: Paths }
  | {
      readonly kind: "tsv";
      readonly files: Paths;
      readonly sourceColumn?: number;
      readonly targetColumn?: number;
    }
  | {
      readonly kind: "jsonl-pairs";
      readonly files: Paths;
      readonly sourceField: string;
      readonly targetField: string;
    }
  | { readonly kind: "cmudict"; readonly files: Paths };

/** Of `parallel`, files for each side. */
type OwnFiles = { readonly files: Paths | { readonly source: Paths; readonly target: Paths } };

/** What is held out of files: a part of them, or files of its own. */
export type FileHeldOut = HeldOutOptions | OwnFiles;

/** Texts in files. */
export type TextDataConfig = TextFormat &
  Omit<TextOptions, "heldOut"> & { readonly heldOut?: FileHeldOut; readonly normalize?: Normalization };

/** Pairs in files. */
export type PairDataConfig = PairFormat &
  Omit<PairOptions, "heldOut"> & {
    readonly heldOut?: FileHeldOut;
    readonly normalize?: { readonly source?: Normalization; readonly target?: Normalization };
  };

export type DataConfig = TextDataConfig | PairDataConfig;

/** Fields of each format, and what they hold. */
const formats: Readonly<Record<string, Readonly<Record<string, FieldCheck>>>> = {
  text: { files: paths, documents: documentRule },
  jsonl: { files: paths, field: optional(text), promptField: optional(text) },
  parallel: { source: paths, target: paths },
  tsv: { files: paths, sourceColumn: optional(count(0, 1000)), targetColumn: optional(count(0, 1000)) },
  "jsonl-pairs": { files: paths, sourceField: text, targetField: text },
  cmudict: { files: paths },
  sort: { length: optional(count(2, 12)), digits: optional(count(2, 10)) },
};

/** Formats of data for decoder-only models; all others are pairs. */
const textFormats = ["text", "jsonl", "sort"];

export function isTextConfig(config: DataConfig): config is TextDataConfig {
  return textFormats.includes(config.kind);
}

/** Files that are held out, if the configuration has any. */
export function heldOutFiles({ heldOut }: DataConfig): OwnFiles | undefined {
  return heldOut !== undefined && "files" in heldOut ? heldOut : undefined;
}

/**
 * Checks what may come from a file. What only the data can tell, such as whether an id exists, is checked later.
 *
 * @param value - a parsed JSON value
 * @throws InvalidValueError, OutOfRangeError, UnknownOptionError naming the field
 */
export function checkDataConfig(value: unknown): DataConfig {
  if (typeof value !== "object" || value === null) throw new InvalidValueError("data", "an object", value);
  const config = value as DataConfig & Record<string, unknown>;
  const fields = Object.hasOwn(formats, config.kind) ? formats[config.kind] : undefined;
  if (fields === undefined) {
    throw new InvalidValueError("data.kind", `one of ${Object.keys(formats).join(", ")}`, config.kind);
  }
  const isText = isTextConfig(config);
  const options = isText ? textOptionNames : pairOptionNames;
  rejectUnknownOptions(config, ["kind", "normalize", ...Object.keys(fields), ...options], "data");
  for (const [name, check] of Object.entries(fields)) check(`data.${name}`, config[name]);
  if (isText) checkNormalization("data.normalize", config.normalize);
  else checkSides(config.normalize);
  checkOwnFiles(config);
  return config;
}

type FieldCheck = (name: string, value: unknown) => void;

function optional(check: FieldCheck): FieldCheck {
  return (name, value) => (value === undefined ? undefined : check(name, value));
}

function text(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw new InvalidValueError(name, "a text", value);
}

function paths(name: string, value: unknown): void {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new InvalidValueError(name, "a path, or several", value);
  for (const path of list) text(name, path);
}

function count(least: number, most: number): FieldCheck {
  return (name, value) => {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
    throw new OutOfRangeError(name, `a whole number from ${least} to ${most}`, Number(value));
  };
}

function documentRule(name: string, value: unknown): void {
  if (value === undefined || value === "file" || value === "line" || value === "paragraph") return;
  if (typeof value !== "object" || value === null) {
    throw new InvalidValueError(name, `"file", "line", "paragraph" or { separator }`, value);
  }
  rejectUnknownOptions(value, ["separator"], name);
  text(`${name}.separator`, (value as { separator?: unknown }).separator);
}

function checkSides(normalize: PairDataConfig["normalize"]): void {
  if (normalize === undefined) return;
  rejectUnknownOptions(normalize, ["source", "target"], "data.normalize");
  checkNormalization("data.normalize.source", normalize.source);
  checkNormalization("data.normalize.target", normalize.target);
}

function checkOwnFiles(config: DataConfig): void {
  const own = heldOutFiles(config);
  if (own === undefined) return;
  rejectUnknownOptions(own, ["files"], "data.heldOut");
  if (config.kind === "sort") throw new InvalidValueError("data.heldOut", "a share: there are no files", own);
  if (config.kind !== "parallel") {
    paths("data.heldOut.files", own.files);
    return;
  }
  const sides = own.files as { readonly source?: unknown; readonly target?: unknown };
  rejectUnknownOptions(sides, ["source", "target"], "data.heldOut.files");
  paths("data.heldOut.files.source", sides.source);
  paths("data.heldOut.files.target", sides.target);
}
