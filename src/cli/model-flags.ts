/** The flags that every command with a model shares, and loading the model that they name. */
import { type Command, Option } from "commander";
import { instructionSets } from "../backends/cpu/instructions.js";
import { wasmInstructionSets } from "../backends/cpu/wasm-host.js";
import { HithertoError } from "../core/errors.js";
import { defaultModel, modelPath } from "../embedded-models.node.js";
import type { Model } from "../generation/model.js";
import { type CacheCodec, cacheCodecs } from "../graph/operations/cache-codecs.js";
import { type BackendName, backendNames, type LoadModelOptions, loadModel } from "../load-model.node.js";
import { oneOf, wholeNumber } from "./flags.js";
import { noProgress, type Progress, progressOn } from "./progress.js";
import type { Terminal } from "./terminal.js";

export interface ModelFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly backend?: BackendName;
  readonly contextLength?: number;
  readonly tokenizer?: string;
  readonly instructionSet?: string;
  readonly cacheType?: CacheCodec;
  readonly cacheTypeK?: CacheCodec;
  readonly cacheTypeV?: CacheCodec;
  readonly json?: boolean;
}

export const modelHelp = modelHelpFor(defaultModel);

function modelHelpFor(byDefault: string): string {
  return (
    "a Hugging Face folder, a .gguf, .safetensors or llama2.c .bin file, or the name of an embedded model " +
    `(default: ${byDefault}, which comes with the package)`
  );
}

export const tokenizerHelp =
  "tokenizer file to use instead: .json, SentencePiece .model, llama2.c .bin (default: the checkpoint's own; for " +
  "llama2.c, tokenizer.bin or tok*.bin beside it)";

const nativeNames = instructionSets.filter((name) => !wasmInstructionSets.some((each) => each === name));

const instructionSetHelp =
  `use a lower one than the best: ${nativeNames.join(", ")}; on wasm ${wasmInstructionSets.join(", ")} ` +
  "(default: the best that is present, which `hitherto inspect` prints)";

/**
 * Adds the flags of `ModelFlags` to a command.
 * @param byDefault - the embedded model that is used when none is named
 */
export function addModelFlags(command: Command, byDefault = defaultModel): Command {
  const threads = new Option("--threads <N>", "threads to compute with, 1 to 64 (default: one per core)");
  const backend = new Option(
    "--backend <NAME>",
    `what computes: ${backendNames.join(", ")} (default: native where it was built, else wasm)`,
  );
  const context = new Option(
    "--context-length <N>",
    "longest sequence, in tokens (default: what the model was made for, at most 8192)",
  );
  return command
    .option("--model <PATH>", modelHelpFor(byDefault))
    .addOption(threads.argParser(wholeNumber("--threads", 1, 64)))
    .addOption(backend.argParser(oneOf("--backend", backendNames)))
    .addOption(context.argParser(wholeNumber("--context-length", 1, 2 ** 24)))
    .option("--tokenizer <FILE>", tokenizerHelp)
    .option("--instruction-set <NAME>", instructionSetHelp)
    .addOption(cacheType("--cache-type", `what the KV cache holds: ${cacheCodecs.join(", ")} (default: f32)`))
    .addOption(cacheType("--cache-type-k", "the same for keys alone (default: --cache-type)"))
    .addOption(cacheType("--cache-type-v", "the same for values alone (default: --cache-type)"));
}

function cacheType(flag: string, help: string): Option {
  return new Option(`${flag} <NAME>`, help).argParser(oneOf(flag, cacheCodecs));
}

/** Loads the model that the flags name, with a progress bar, and says what it has to say on standard error. */
export async function loadFor(
  flags: ModelFlags,
  terminal: Terminal,
  options: Pick<LoadModelOptions, "contextLength"> = {},
): Promise<Model> {
  const progress = progressFor(flags, terminal, "loading");
  const { backend, threads, instructionSet, tokenizer, cacheType, cacheTypeK, cacheTypeV } = flags;
  try {
    return await loadModel(modelPath(flags.model), {
      ...given({
        backend,
        threads,
        instructionSet,
        tokenizer,
        cache: given({ codec: cacheType, keys: cacheTypeK, values: cacheTypeV }),
        contextLength: flags.contextLength ?? options.contextLength,
      }),
      ...listeners(progress, terminal),
    });
  } finally {
    progress.clear();
  }
}

/** The checkpoint has no tokenizer, and the command works on text. */
export class NoTokenizerError extends HithertoError {
  readonly code = "NO_TOKENIZER";

  constructor(readonly path: string) {
    super(`${path}: the checkpoint has no tokenizer; name one with --tokenizer FILE, or use token ids from TypeScript`);
  }
}

/** As `loadFor`, for commands that work on text. @throws NoTokenizerError */
export async function loadWithTokenizer(flags: ModelFlags, terminal: Terminal): Promise<Model> {
  const model = await loadFor(flags, terminal);
  if (model.hasTokenizer) return model;
  await model.dispose();
  throw new NoTokenizerError(modelPath(flags.model));
}

/** A progress bar for a command: none with `--json`, where a program reads. */
export function progressFor(flags: { readonly json?: boolean }, terminal: Terminal, label: string): Progress {
  return flags.json === true ? noProgress : progressOn(terminal.errors, label);
}

/** The same options without those that are undefined. */
export function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** What work on a checkpoint reports to: the interrupt, the bar, and notices that do not run into the bar. */
export function listeners(
  progress: Progress,
  terminal: Terminal,
): Required<Pick<LoadModelOptions, "signal" | "onProgress" | "onNotice">> {
  return {
    signal: terminal.signal,
    onProgress: ({ loadedBytes, totalBytes }) => progress.update(loadedBytes, totalBytes),
    onNotice: (notice) => {
      progress.clear();
      terminal.notice(notice);
    },
  };
}
