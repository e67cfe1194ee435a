/** What a configuration's data and tokenizer are: files become a data set, texts a vocabulary. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "../../training/config/kinds.js";
import {
  type DataConfig,
  type Dataset,
  openDataset,
  readTokenizer,
  type SavedTokenizer,
  type SpecialTokens,
  type TokenizeProgress,
  textsOf,
  trainTokenizer,
  writeTokenizer,
} from "../../training/index.node.js";
import type { SettledConfig } from "./load-config.js";

export interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (label: string, done: number, total: number) => void;
}

type Data = SettledConfig["data"];

/** Whether the data is for decoder-only models, or pairs for encoder-decoders. */
export function kindOf({ kind }: Data): "text" | "pairs" {
  return ["text", "jsonl", "sort"].includes(kind) ? "text" : "pairs";
}

export const tokenizerIn = (folder: string) => join(folder, "tokenizer");

/**
 * The tokenizer that the configuration asks for: read, or made from its data and kept in the run's folder. A run that
 * is resumed has the one that is there.
 * @param own - that of the checkpoint that is trained further
 */
export async function tokenizerFor(
  config: SettledConfig,
  own: SavedTokenizer | undefined,
  watch: Watch,
): Promise<SavedTokenizer> {
  const { tokenizer: made } = config;
  if (made === undefined) {
    if (own === undefined) throw new ConfigError("tokenizer", "is required for a new model", undefined);
    return own;
  }
  if (made.kind === "file")
    return readTokenizer((await stat(made.path)).isDirectory() ? made.path : dirname(made.path));
  const folder = tokenizerIn(config.run.folder);
  if (existsSync(folder)) return readTokenizer(folder);
  const kind = kindOf(config.data);
  const saved = await trainTokenizer(textsOf(config.data as DataConfig), {
    vocabulary: made,
    special: specialTokens[kind],
    around: { begin: beginsTexts(config.data), end: kind === "pairs" },
    contextLength: config.batch.contextLength,
    signal: watch.signal,
    onProgress: ({ done, total }) => watch.onProgress("making a tokenizer", done, total),
  });
  await writeTokenizer(folder, saved);
  return saved;
}

/** Whether each text is learnt from its beginning token on; then prompts must have it too. */
function beginsTexts(data: Data): boolean {
  return data.kind === "sort" || ("packing" in data && data.packing === "documents");
}

/** Texts begin and end with one token, as GPT-2's do; pairs have three, as Marian's: the decoder begins with padding. */
const specialTokens: Readonly<Record<"text" | "pairs", SpecialTokens>> = {
  text: { begin: "<|endoftext|>", end: "<|endoftext|>" },
  pairs: { pad: "<pad>", end: "</s>", unknown: "<unk>" },
};

/** @throws what `openDataset` does */
export function datasetFor({ data, batch }: SettledConfig, tokenizer: SavedTokenizer, watch: Watch): Promise<Dataset> {
  const onProgress = ({ bytes = 0, totalBytes = 0 }: TokenizeProgress) =>
    watch.onProgress("tokenizing", bytes, totalBytes);
  const config = kindOf(data) === "pairs" ? { ...data, contextLength: batch.contextLength } : data;
  return openDataset(config as DataConfig, { tokenizer, signal: watch.signal, onProgress });
}
