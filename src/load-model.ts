/** From an opened checkpoint and a backend to a model that is ready to run. */
import type { Backend } from "./backends/backend.js";
import type { StoredTensor } from "./core/checkpoint.js";
import { HithertoError, OutOfRangeError, UnsupportedError } from "./core/errors.js";
import { rejectUnknownOptions } from "./core/options.js";
import { dequantize } from "./formats/index.js";
import { Model } from "./generation/model.js";
import {
  type CacheCodec,
  type CacheCodecs,
  cacheBlockWords,
  cacheCodecs,
  plainCache,
} from "./graph/operations/cache-codecs.js";
import { interpret, type OpenedCheckpoint } from "./models/checkpoint.js";
import type { ModelConfig } from "./models/config.js";
import { blocksFor, type Capacity } from "./models/decoder-graph.js";
import type { LoadProgress, Repack } from "./models/load-parameters.js";
import { Network } from "./models/network.js";
import { cacheBlockSize } from "./nn/attention-layer.js";

export interface ModelOptions {
  /**
   * Longest sequence, in tokens. Default: what the model was made for, at most 8192. Some models accept more than they
   * were made for (rotary positions without a table); `ContextLengthError` where this one does not.
   */
  readonly contextLength?: number;
  readonly cache?: CacheOptions;
  /** Stops the loading; everything is freed again and the signal's reason thrown. */
  readonly signal?: AbortSignal;
  /** Called as weights are read. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called with what a user should know: weights that were repacked, for instance. */
  readonly onNotice?: (notice: string) => void;
}

export interface CacheOptions {
  /** Positions that all sessions together can hold. Default: four times `contextLength`, within a memory budget. */
  readonly positions?: number;
  /**
   * Whether what was run of one session is kept for others that begin with the same tokens, or how many bytes of the
   * cache it may hold. It is given up, what was used longest ago first, when sessions need the room. Default true: half
   * of the cache, at most 512 MiB.
   */
  readonly prefixes?: boolean | { readonly bytes: number };
  /** What the cache holds: `cacheCodecs`; default `f32`. Fewer bytes for each position, at some cost in exactness. */
  readonly codec?: CacheCodec;
  /** The same for keys alone, and for values alone. Default: `codec`. */
  readonly keys?: CacheCodec;
  readonly values?: CacheCodec;
}

export const modelOptionNames = ["contextLength", "cache", "signal", "onProgress", "onNotice"] as const;

const defaultContextLength = 8192;

/** Tokens, outputs and sequences that one run of the program takes. Longer work is cut into runs. */
const runCapacity = { tokens: 512, outputs: 128, sequences: 64 };

/** A cache takes at most this many bytes unless asked for more; the pages are touched as sequences grow. */
const cacheBudget = { native: 16 * 2 ** 30, wasm: 256 * 2 ** 20, reference: 2 ** 30, webgpu: 256 * 2 ** 20 };

/** Bytes that earlier sessions' beginnings may hold, unless more are asked for. */
const largestPrefixBytes = 512 * 2 ** 20;

/** The error for a checkpoint whose position table ends before the context length that was asked for. */
export class ContextLengthError extends HithertoError {
  readonly code = "CONTEXT_LENGTH";

  constructor(
    readonly contextLength: number,
    readonly longest: number,
  ) {
    super(`contextLength ${contextLength} is more than the ${longest} positions that this model has learned`);
  }
}

/**
 * Loads the weights and compiles the program.
 * @param release - frees what the model stands on, when it is disposed
 */
export async function modelFrom(
  checkpoint: OpenedCheckpoint,
  backend: Backend,
  options: ModelOptions,
  release: () => Promise<void>,
): Promise<Model> {
  // Some frequencies follow from the context length, so it is settled before they are computed.
  const wanted = options.contextLength ?? Math.min(interpret(checkpoint).config.contextLength, defaultContextLength);
  const { config, recipes } = interpret(checkpoint, wanted);
  const capacity = capacityFor(config, backend.name, wanted, options);
  const prefixBytes = prefixBytesFor(config, capacity, options.cache?.prefixes);
  const noted = new NotedTensors(checkpoint.tensors);
  const repacks = new Map<string, Repack[]>();
  const network = await Network.load(backend, config, { ...checkpoint, tensors: noted }, recipes, dequantize, {
    capacity,
    signal: options.signal,
    onProgress: options.onProgress,
    onRepack: (repack) => {
      const key = `${repack.from} to ${repack.to}`;
      repacks.set(key, [...(repacks.get(key) ?? []), repack]);
    },
  });
  for (const [change, list] of repacks) {
    options.onNotice?.(
      `${list.length} matrices repacked from ${change}: the ${backend.name} backend has no kernel for their type`,
    );
  }
  const unused = noted.unusedOfBlocks();
  if (unused.length > 0) {
    const rest = unused.length > 1 ? ` and ${unused.length - 1} more` : "";
    options.onNotice?.(`the configuration leaves out tensors of the checkpoint: ${unused[0]}${rest}`);
  }
  const { tokenizer, sourceTokenizer, generationDefaults, format } = checkpoint;
  const adapterBase = { format, recipes };
  return new Model({ network, tokenizer, sourceTokenizer, generationDefaults, adapterBase, release, prefixBytes });
}

/** The checkpoint's tensors, with a note of which were asked for. */
class NotedTensors extends Map<string, StoredTensor> {
  readonly #used = new Set<string>();

  override get(name: string): StoredTensor | undefined {
    this.#used.add(name);
    return super.get(name);
  }

  /** Tensors of some block that nothing read; masks and tables that published files also carry do not count. */
  unusedOfBlocks(): string[] {
    const isOfBlock = (name: string) => /(^|[./])(layers|layer|block|h)[._]\d+[./]/.test(name);
    const isDerived = (name: string) =>
      /attn\.(masked_)?bias$|attention\.(masked_)?bias$|inv_freq$|position_ids$/.test(name);
    return [...this.keys()].filter((name) => !this.#used.has(name) && isOfBlock(name) && !isDerived(name));
  }
}

function capacityFor(
  config: ModelConfig,
  backend: Backend["name"],
  contextLength: number,
  options: ModelOptions,
): Capacity {
  const codecs = codecsOf(options.cache ?? {});
  if (!(Number.isInteger(contextLength) && contextLength >= 1 && contextLength <= 2 ** 24)) {
    throw new OutOfRangeError("contextLength", `a whole number from 1 to ${2 ** 24}`, contextLength);
  }
  if (config.decoder.position.kind === "learned" && contextLength > config.contextLength) {
    throw new ContextLengthError(contextLength, config.contextLength);
  }
  const blocks = cacheBlocks(config, backend, contextLength, codecs, options.cache?.positions);
  const crossBlocks = config.kind === "encoder-decoder" ? blocks : 0;
  const tokens = Math.min(runCapacity.tokens, contextLength);
  const outputs = Math.min(runCapacity.outputs, tokens);
  return { ...runCapacity, tokens, outputs, contextLength, blocks, crossBlocks, codecs };
}

function prefixBytesFor(
  config: ModelConfig,
  { blocks, codecs = plainCache }: Capacity,
  wanted: NonNullable<CacheOptions["prefixes"]> = true,
): number {
  if (wanted === false) return 0;
  if (wanted === true) return Math.min(largestPrefixBytes, (blocks * blockBytesOf(config, codecs)) / 2);
  rejectUnknownOptions(wanted, ["bytes"], "cache.prefixes");
  if (!(Number.isSafeInteger(wanted.bytes) && wanted.bytes >= 0)) {
    throw new OutOfRangeError("cache.prefixes.bytes", "a whole number from 0 on", wanted.bytes);
  }
  return wanted.bytes;
}

function blockBytesOf({ decoder }: ModelConfig, { keys, values }: CacheCodecs): number {
  const { keyValueHeadCount, headDim } = decoder.attention;
  const words = [keys, values].map((codec) => cacheBlockWords(codec, keyValueHeadCount, headDim));
  return 4 * (words[0]! + words[1]!) * decoder.layers.length;
}

function codecsOf(options: CacheOptions): CacheCodecs {
  rejectUnknownOptions(options, ["positions", "prefixes", "codec", "keys", "values"], "cache");
  for (const key of ["codec", "keys", "values"] as const) {
    const codec = options[key];
    if (codec !== undefined && !cacheCodecs.includes(codec)) {
      throw new UnsupportedError(`cache.${key}`, String(codec), cacheCodecs);
    }
  }
  const { codec = "f32", keys = codec, values = codec } = options;
  return { keys, values };
}

function cacheBlocks(
  config: ModelConfig,
  backend: Backend["name"],
  contextLength: number,
  codecs: CacheCodecs,
  positions?: number,
): number {
  if (positions !== undefined) {
    if (!(Number.isInteger(positions) && positions >= 1 && positions <= 2 ** 30)) {
      throw new OutOfRangeError("cache.positions", `a whole number from 1 to ${2 ** 30}`, positions);
    }
    return blocksFor(positions);
  }
  const affordable = Math.floor(cacheBudget[backend] / blockBytesOf(config, codecs));
  // Room for a few sessions of full length, and for many short ones where blocks are small.
  const wanted = Math.max(4 * blocksFor(contextLength), 4096 / cacheBlockSize);
  return Math.max(blocksFor(contextLength), Math.min(wanted, affordable));
}
