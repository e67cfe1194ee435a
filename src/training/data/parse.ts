/** From the text of files, as it streams in, to examples. Knows the formats, and no files. */
import { FormatError, OutOfRangeError } from "../../core/errors.js";
import type { Example } from "./batch.js";
import { type DataConfig, type DocumentRule, isTextConfig } from "./data-config.js";
import { normalizer } from "./normalize.js";

/** The text of one file, in pieces of any length. */
export interface TextFile {
  readonly path: string;
  chunks(): AsyncIterable<string>;
}

/** Examples of a configuration's files, in order. For `parallel`, `targets` are the files that belong to `files`. */
export async function* examplesOf(
  config: DataConfig,
  files: readonly TextFile[],
  targets: readonly TextFile[] = [],
): AsyncGenerator<Example, void> {
  const alone = isTextConfig(config);
  const source = normalizer(alone ? undefined : config.normalize?.source);
  const target = normalizer(alone ? config.normalize : config.normalize?.target);
  const raw = rawExamples(config, files, targets);
  for await (const example of raw) yield { source: source(example.source), target: target(example.target) };
}

function rawExamples(config: DataConfig, files: readonly TextFile[], targets: readonly TextFile[]) {
  if (config.kind === "sort") return sortedDigits(config.length ?? 6, config.digits ?? 3);
  return config.kind === "parallel" ? alignedLines(files, targets) : eachOf(config, files);
}

async function* eachOf(
  config: Exclude<DataConfig, { kind: "parallel" | "sort" }>,
  files: readonly TextFile[],
): AsyncGenerator<Example> {
  for (const file of files) {
    switch (config.kind) {
      case "text":
        for await (const text of documentsOf(file, config.documents ?? "file")) yield { source: "", target: text };
        break;
      case "jsonl":
        yield* jsonLines(file, config.promptField, config.field ?? "text");
        break;
      case "jsonl-pairs":
        yield* jsonLines(file, config.sourceField, config.targetField);
        break;
      case "tsv":
        yield* columns(file, config.sourceColumn ?? 0, config.targetColumn ?? 1);
        break;
      case "cmudict":
        yield* pronunciations(file);
    }
  }
}

/** Lines without their ends; a last line without one counts, if there is anything on it. */
export async function* linesOf(file: TextFile): AsyncGenerator<string, void> {
  let rest = "";
  for await (const chunk of file.chunks()) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest !== "") yield rest.endsWith("\r") ? rest.slice(0, -1) : rest;
}

/** The documents of one file, without what separates them; the ends of lines inside are `\n`. */
export async function* documentsOf(file: TextFile, rule: DocumentRule): AsyncGenerator<string, void> {
  if (rule === "file") {
    let text = "";
    for await (const chunk of file.chunks()) text += chunk;
    yield text;
    return;
  }
  if (rule === "line") {
    yield* linesOf(file);
    return;
  }
  const separates =
    rule === "paragraph" ? (line: string) => line.trim() === "" : (line: string) => line === rule.separator;
  let lines: string[] = [];
  for await (const line of linesOf(file)) {
    if (!separates(line)) lines.push(line);
    else if (lines.length > 0) {
      yield lines.join("\n");
      lines = [];
    }
  }
  if (lines.length > 0) yield lines.join("\n");
}

async function* jsonLines(
  file: TextFile,
  sourceField: string | undefined,
  targetField: string,
): AsyncGenerator<Example> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (line.trim() === "") continue;
    const place = `line ${number}`;
    const record = parseObject(line, place, file.path);
    const field = (name: string): string => {
      const value = Object.hasOwn(record, name) ? record[name] : undefined;
      if (typeof value === "string") return value;
      const problem = value === undefined ? `has no field ${JSON.stringify(name)}` : `${name} is not a text`;
      throw new FormatError("JSONL", place, problem, file.path);
    };
    yield { source: sourceField === undefined ? "" : field(sourceField), target: field(targetField) };
  }
}

function parseObject(line: string, place: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new FormatError("JSONL", place, `is not JSON: ${(error as Error).message}`, path);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new FormatError("JSONL", place, "is not an object", path);
}

async function* columns(file: TextFile, source: number, target: number): AsyncGenerator<Example> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (line === "") continue;
    const fields = line.split("\t");
    if (Math.max(source, target) >= fields.length) {
      throw new FormatError("tab-separated", `line ${number}`, `has only ${fields.length} columns`, file.path);
    }
    yield { source: fields[source], target: fields[target] };
  }
}

/** `read(2) R EH1 D # comment`: the word, without the number of its pronunciation, and its phonemes. */
async function* pronunciations(file: TextFile): AsyncGenerator<Example> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (line.trim() === "" || line.startsWith(";;;")) continue;
    const [word, ...phonemes] = line.replace(/ #.*$/, "").trim().split(/\s+/);
    if (phonemes.length === 0) throw new FormatError("CMUdict", `line ${number}`, "has no phonemes", file.path);
    yield { source: word.replace(/\(\d+\)$/, ""), target: phonemes.join(" ") };
  }
}

/** Line n of the sources with line n of the targets, over all files of each. */
async function* alignedLines(sources: readonly TextFile[], targets: readonly TextFile[]): AsyncGenerator<Example> {
  const [left, right] = [allLines(sources), allLines(targets)];
  for (let number = 1; ; number++) {
    const [source, target] = [await left.next(), await right.next()];
    if (source.done && target.done) return;
    if (source.done || target.done) {
      const longer = source.done ? targets : sources;
      const paths = longer.map(({ path }) => path).join(", ");
      throw new FormatError("parallel text", `line ${number}`, "has no line on the other side", paths);
    }
    yield { source: source.value, target: target.value };
  }
}

/** Most inputs of a task that is made up. */
const mostInputs = 2 ** 22;

/** Every row of `length` digits below `digits`, and what sorting makes of it. */
function* sortedDigits(length: number, digits: number): Generator<Example> {
  const inputs = digits ** length;
  if (inputs > mostInputs) throw new OutOfRangeError("digits ** length", `at most ${mostInputs}`, inputs);
  for (let input = 0; input < inputs; input++) {
    const source = input.toString(digits).padStart(length, "0");
    yield { source, target: [...source].sort().join("") };
  }
}

async function* allLines(files: readonly TextFile[]): AsyncGenerator<string, void> {
  for (const file of files) yield* linesOf(file);
}
