/** `hitherto score --run FOLDER`: what a trained encoder-decoder makes of the pairs that it never learned from. */
import { writeFile } from "node:fs/promises";
import { UnsupportedError } from "../core/errors.js";
import type { Model } from "../generation/model.js";
import type { Dataset, Example } from "../training/index.node.js";
import { readTokenizer } from "../training/index.node.js";
import { FlagError } from "./flags.js";
import { loadWithTokenizer, type ModelFlags, progressFor } from "./model-flags.js";
import { type SearchFlags, searchOf } from "./search-flags.js";
import type { Terminal } from "./terminal.js";
import { type SettledConfig, settle } from "./train/load-config.js";
import { modelIn, reopenRun } from "./train/run-folder.js";
import { datasetFor, kindOf, tokenizerIn } from "./train/sources.js";

export interface ScoreRunFlags extends ModelFlags, SearchFlags {
  readonly run?: string;
  readonly source?: string;
  readonly target?: string;
  readonly output?: string;
  readonly phonemes?: boolean;
}

/** What to score, line by line. */
export interface ScoredLines {
  readonly hypotheses: readonly string[];
  readonly references: readonly (readonly string[])[];
}

/**
 * Translates what a run held out, or the pairs of two files made ready as the run's data was. Each pair is a line with
 * one reference; with `phonemes`, each source is one, and every target of it a reference.
 * @throws FlagError, FileNotFoundError, UnsupportedError for a run on text, and what opening its data and model throws
 */
export async function scoredRun(run: string, flags: ScoreRunFlags, terminal: Terminal): Promise<ScoredLines> {
  const pairs = await pairsOf(run, flags, terminal);
  const sources = [...new Set(pairs.map(({ source }) => source))];
  await using model = await loadWithTokenizer({ ...flags, model: flags.model ?? modelIn(run) }, terminal);
  const texts = await translateAll(model, sources, flags, terminal);
  if (flags.output !== undefined) await writeFile(flags.output, texts.map((text) => `${text}\n`).join(""));
  const found = new Map(sources.map((source, i) => [source, texts[i]!]));
  if (!flags.phonemes) {
    return {
      hypotheses: pairs.map(({ source }) => found.get(source)!),
      references: pairs.map((pair) => [pair.target]),
    };
  }
  const targets = new Map(sources.map((source) => [source, [] as string[]]));
  for (const { source, target } of pairs) targets.get(source)!.push(target);
  return { hypotheses: texts, references: sources.map((source) => targets.get(source)!) };
}

interface Pair {
  readonly source: string;
  readonly target: string;
}

async function pairsOf(run: string, flags: ScoreRunFlags, terminal: Terminal): Promise<Pair[]> {
  const config = withFiles(await reopenRun(run, []), flags);
  if (kindOf(config.data) !== "pairs")
    throw new UnsupportedError("scoring a run with data", config.data.kind, ["pairs"]);
  const progress = progressFor(flags, terminal, "reading");
  const watch = {
    signal: terminal.signal,
    onProgress: (_: string, done: number, all: number) => progress.update(done, all),
  };
  let data: Dataset | undefined;
  try {
    const { tokenizer } = config;
    const folder = tokenizer?.kind === "file" ? tokenizer.path : tokenizer && tokenizerIn(run);
    data = await datasetFor(config, await readTokenizer(folder ?? modelIn(run)), watch);
    const pairs: Pair[] = [];
    for await (const example of data.heldOutExamples()) pairs.push(pairOf(example));
    if (pairs.length === 0) throw new FlagError("--run", "one that held pairs out, or with --source and --target", run);
    return pairs;
  } finally {
    progress.clear();
    await data?.close();
  }
}

function pairOf({ source = "", target }: Example): Pair {
  return { source, target };
}

/** The run's configuration with the named files in the place of what it held out. */
function withFiles(config: SettledConfig, { source, target }: ScoreRunFlags): SettledConfig {
  if (source === undefined && target === undefined) return config;
  if (source === undefined || target === undefined) {
    throw new FlagError("--source and --target", "both given, or neither", source ?? target ?? "");
  }
  if (config.data.kind !== "parallel")
    throw new FlagError("--source", `absent: the data is ${config.data.kind}`, source);
  return settle({ ...config, data: { ...config.data, heldOut: { files: { source, target } } } }, [], "the run");
}

async function translateAll(
  model: Model,
  sources: readonly string[],
  flags: ScoreRunFlags,
  terminal: Terminal,
): Promise<string[]> {
  const { batch } = flags;
  const progress = progressFor(flags, terminal, "translating");
  const texts: string[] = [];
  try {
    for (let from = 0; from < sources.length; from += batch) {
      const some = sources.slice(from, from + batch).map((source) => ({ source }));
      const onProgress = (done: number) => progress.update(from + done, sources.length);
      const found = await model.beamSearchAll(some, { ...searchOf(flags), signal: terminal.signal, onProgress });
      texts.push(...found.map(([best]) => best!.text.replaceAll(/\s+/g, " ").trim()));
    }
    return texts;
  } finally {
    progress.clear();
  }
}
