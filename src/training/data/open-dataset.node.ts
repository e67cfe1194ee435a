/** A data set from files: tokenized once, kept in a cache that is checked by content. */
import { createHash, type Hash } from "node:crypto";
import { join, resolve } from "node:path";
import { assert, HithertoError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { pairDatasetOf, textDatasetOf } from "./assemble.js";
import type { Dataset, Example } from "./batch.js";
import { defaultCacheFolder } from "./cache-folder.node.js";
import { checkDataConfig, type DataConfig, heldOutFiles, isTextConfig } from "./data-config.js";
import type { HeldOutOptions } from "./divide.js";
import { type DataFile, findFiles } from "./files.node.js";
import { refuseLast } from "./memory-datasets.js";
import { examplesOf, type TextFile } from "./parse.js";
import { MemoryRecords, type RecordSink, type TokenRecords } from "./records.js";
import type { SavedTokenizer } from "./saved-tokenizer.js";
import { openShard, ShardWriter } from "./shard.node.js";
import { widthFor } from "./shard-layout.js";
import { type Encoders, splitLast, type TokenizeProgress, tokenize, type Watching } from "./tokenize.js";

export interface OpenDatasetOptions extends Watching {
  readonly tokenizer: SavedTokenizer;
  /** Of the target side of pairs. Default: `tokenizer`. */
  readonly targetTokenizer?: SavedTokenizer;
  /** The folder for tokenized data; false: keep it in memory. Default: a folder of the user's cache. */
  readonly cache?: string | false;
  /** What relative paths in the configuration are relative to. Default: the working folder. */
  readonly folder?: string;
}

/** The format of shards and of what is in them: another number makes all existing ones stale. */
const version = 1;

/** A source file is not the same at its end as it was at its beginning. */
export class FileChangedError extends HithertoError {
  readonly code = "FILE_CHANGED";

  constructor(readonly path: string) {
    super(`${path} has changed while it was read`);
  }
}

/**
 * Opens the data that `config` describes. Tokenizes it where that has not been done before; files, tokenizer and
 * settings that give the same ids share what is kept.
 *
 * @throws InvalidValueError, OutOfRangeError, UnknownOptionError for the configuration; FileNotFoundError, FormatError
 *   for a file; FileChangedError; the signal's reason
 */
export async function openDataset(config: DataConfig, options: OpenDatasetOptions): Promise<Dataset> {
  rejectUnknownOptions(options, ["tokenizer", "targetTokenizer", "cache", "folder", "signal", "onProgress"]);
  checkDataConfig(config);
  const { folder = ".", tokenizer, targetTokenizer = tokenizer } = options;
  const own = heldOutFiles(config);
  const heldOut = own === undefined ? (config.heldOut as HeldOutOptions | undefined) : undefined;
  if (!isTextConfig(config)) refuseLast({ heldOut });
  const context = { config, options, folder: resolve(folder), heldOut };
  const learned = await Part.find(context, config as PathsOf);
  const held = own && (await Part.find(context, config.kind === "parallel" ? (own.files as PathsOf) : own));
  const records = await learned.records();
  let heldOutRecords: TokenRecords | undefined;
  try {
    heldOutRecords = await held?.records();
    const material = { records, heldOutRecords, examples: () => (held ?? learned).examples() };
    const rest = { ...config, heldOut };
    if (isTextConfig(rest)) return textDatasetOf(material, tokenizer.tokenizer, rest);
    return pairDatasetOf(material, { source: tokenizer.tokenizer, target: targetTokenizer.tokenizer }, rest);
  } catch (error) {
    await records.close();
    await heldOutRecords?.close();
    throw error;
  }
}

interface Context {
  readonly config: DataConfig;
  readonly options: OpenDatasetOptions;
  readonly folder: string;
  readonly heldOut: HeldOutOptions | undefined;
}

type PathsOf = { readonly files?: unknown; readonly source?: unknown; readonly target?: unknown };

/** The files to learn from, or those that are held out. */
class Part {
  private constructor(
    private readonly context: Context,
    private readonly files: readonly DataFile[],
    private readonly targets: readonly DataFile[],
  ) {}

  static async find(context: Context, paths: PathsOf): Promise<Part> {
    const { kind } = context.config;
    if (kind === "sort") return new Part(context, [], []);
    const find = (list: unknown) => findFiles(list as string | string[], kind, context.folder);
    if (kind === "parallel") return new Part(context, await find(paths.source), await find(paths.target));
    return new Part(context, await find(paths.files), []);
  }

  examples(files: readonly TextFile[] = this.files, targets: readonly TextFile[] = this.targets) {
    const { config, heldOut } = this.context;
    const examples: AsyncIterable<Example> = examplesOf(config, files, targets);
    return heldOut !== undefined && "last" in heldOut ? splitLast(examples, heldOut.last) : examples;
  }

  /** From the cache; made where they are not there, or cannot be trusted. */
  async records(): Promise<TokenRecords> {
    const { options } = this.context;
    const digests = await Promise.all(this.all.map((file) => file.digest(options.signal)));
    if (options.cache === false) {
      const sink = new MemoryRecords();
      await this.tokenize(sink, digests);
      return sink.finish();
    }
    const key = this.key(digests);
    const path = join(options.cache ?? defaultCacheFolder(), `${key}.tokens`);
    const known = await openShard(path, key, options.signal);
    if (known !== undefined) return known;
    const { source, target } = this.encoders;
    const width = widthFor(Math.max(source.vocabSize, target.vocabSize));
    const writer = await ShardWriter.create(path, key, width);
    try {
      await this.tokenize(writer, digests);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const made = await openShard(path, key, options.signal);
    assert(made !== undefined, `${path} cannot be read back`);
    return made;
  }

  private get all(): readonly DataFile[] {
    return [...this.files, ...this.targets];
  }

  private get encoders(): Encoders {
    const { config, options } = this.context;
    const { tokenizer, targetTokenizer = tokenizer } = options;
    const kind = isTextConfig(config) ? "text" : "pairs";
    return { kind, source: tokenizer.tokenizer, target: targetTokenizer.tokenizer };
  }

  /** Reads what has the digests given, or says that it has not. */
  private async tokenize(sink: RecordSink, digests: readonly string[]): Promise<void> {
    const { signal, onProgress } = this.context.options;
    const hashes = this.all.map(() => createHash("sha256"));
    const hashed = this.all.map((file, index) => ({ path: file.path, chunks: () => file.read(hashes[index]) }));
    const examples = this.examples(hashed.slice(0, this.files.length), hashed.slice(this.files.length));
    const progress = (): Pick<TokenizeProgress, "bytes" | "totalBytes"> => ({
      bytes: this.all.reduce((sum, file) => sum + file.bytesRead, 0),
      totalBytes: this.all.reduce((sum, file) => sum + file.size, 0),
    });
    await tokenize(examples, this.encoders, sink, { signal, onProgress }, progress);
    const changed = hashes.findIndex((hash: Hash, index) => hash.digest("hex") !== digests[index]);
    if (changed >= 0) throw new FileChangedError(this.all[changed].path);
  }

  /** A hash of everything that ids depend on: contents, not names. */
  private key(digests: readonly string[]): string {
    const { config, options, heldOut } = this.context;
    const { tokenizer, targetTokenizer = tokenizer } = options;
    const { files, source, target, heldOut: _, ...settings } = config as Record<string, unknown>;
    for (const name of afterTokenizing) delete settings[name];
    const parts = {
      version,
      settings: Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)),
      last: heldOut !== undefined && "last" in heldOut ? heldOut.last : null,
      sources: this.files.length,
      digests,
      tokenizers: [tokenizer, targetTokenizer].map(({ files }) => digestOfFiles(files)),
    };
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }
}

/** Settings that change nothing about the ids of an example. */
const afterTokenizing = ["packing", "startId", "endId", "sourceEndId", "bucket", "contextLength", "maxLength"];

function digestOfFiles(files: ReadonlyMap<string, Uint8Array>): string[][] {
  const digest = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => [name, digest(content)]);
}
