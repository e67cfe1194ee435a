/** From a configuration to the metadata and the extra tensors that llama.cpp expects for it. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { GgufMetadata, type GgufValue, memoryTensor } from "../../formats/index.js";
import type { DecoderOnlyConfig } from "../config.js";
import { ConfigReader } from "../config-reader.js";
import { familyOf } from "../families/index.js";
import { huggingFaceDialect } from "../family.js";
import { rotaryConfig } from "../rotary.js";
import { MetadataFields } from "./metadata-fields.js";
import type { GgufArchitecture } from "./names.js";
import { configFromGguf } from "./read-config.js";

/** `general.architecture` by the family's name. */
export const architectureOfFamily: Readonly<Record<string, GgufArchitecture>> = {
  llama: "llama",
  mistral: "llama",
  qwen2: "qwen2",
  qwen3: "qwen3",
  gemma2: "gemma2",
  gemma3: "gemma3",
  phi3: "phi3",
  gpt2: "gpt2",
  gpt_neox: "gptneox",
};

export const u32 = (value: number): GgufValue => ({ type: "u32", value });
export const f32 = (value: number): GgufValue => ({ type: "f32", value: Math.fround(value) });
export const text = (value: string): GgufValue => ({ type: "string", value });
export const flag = (value: boolean): GgufValue => ({ type: "bool", value });

export interface GgufDescription {
  /** Keys of the architecture, such as `llama.block_count`. */
  readonly metadata: Map<string, GgufValue>;
  /** Divisors of rotation frequencies, where scaling is stored as tensors. */
  readonly tensors: readonly StoredTensor[];
}

/** @param model - what `config` means */
export function describeForGguf(
  architecture: GgufArchitecture,
  config: ConfigReader,
  model: DecoderOnlyConfig,
): GgufDescription {
  const keys = new Map<string, GgufValue>();
  const put = (key: string, value: GgufValue) => keys.set(`${architecture}.${key}`, value);
  const { decoder } = model;
  const { headCount, keyValueHeadCount, headDim, softCap } = decoder.attention;
  put("context_length", u32(model.contextLength));
  put("embedding_length", u32(decoder.hiddenSize));
  put("block_count", u32(decoder.layers.length));
  put("feed_forward_length", u32(decoder.feedForward.intermediateSize));
  put("attention.head_count", u32(headCount));
  put("attention.head_count_kv", u32(keyValueHeadCount));
  put(`attention.layer_norm_${decoder.norm.kind === "rms" ? "rms_" : ""}epsilon`, f32(decoder.norm.eps));
  put("vocab_size", u32(model.vocabSize));
  if (headCount * headDim !== decoder.hiddenSize || /^(gemma|qwen3)/.test(architecture)) {
    put("attention.key_length", u32(headDim));
    put("attention.value_length", u32(headDim));
  }
  if (softCap > 0) put("attn_logit_softcapping", f32(softCap));
  if (model.head.softCap > 0) put("final_logit_softcapping", f32(model.head.softCap));
  if (architecture === "gptneox") put("use_parallel_residual", flag(decoder.residual === "parallel"));
  putWindow(put, architecture, model);
  return { metadata: keys, tensors: putRotary(put, architecture, config, model) };
}

type Put = (key: string, value: GgufValue) => void;

/** Qwen's window has no key: what cannot be said stays out, and `departures` finds it. */
function putWindow(put: Put, architecture: GgufArchitecture, { decoder: { layers } }: DecoderOnlyConfig): void {
  const window = Math.max(...layers.map((layer) => layer.window));
  if (window === 0 || !["llama", "phi3", "gemma2", "gemma3"].includes(architecture)) return;
  put("attention.sliding_window", u32(window));
  if (architecture !== "gemma3") return;
  const fitsPeriod = (period: number) => layers.every((layer, i) => layer.window > 0 === ((i + 1) % period !== 0));
  const period = [6, ...layers.map((_, i) => i + 1)].find(fitsPeriod);
  if (period !== undefined && period !== 6) put("attention.sliding_window_pattern", u32(period));
}

/** @returns the tensors that state the scaling */
function putRotary(
  put: Put,
  architecture: GgufArchitecture,
  config: ConfigReader,
  { decoder: { position }, contextLength }: DecoderOnlyConfig,
): StoredTensor[] {
  if (position.kind !== "rotary") return [];
  const { scaling, theta, localTheta } = ropeSettings(architecture, config);
  put("rope.dimension_count", u32(position.rotaryDim));
  put("rope.freq_base", f32(theta));
  if (localTheta !== undefined && localTheta !== 10000) put("rope.freq_base_swa", f32(localTheta));
  const kind = scaling?.text(scaling.has("rope_type") ? "rope_type" : "type", "default");
  const divisors = (name: string, values: readonly number[]) =>
    memoryTensor(`${name}.weight`, [values.length], "f32", Float32Array.from(values));
  const table = position.tables[0]!;
  if (kind === "linear") {
    put("rope.scaling.type", text("linear"));
    put("rope.scaling.factor", f32(scaling!.number("factor")));
  } else if (kind === "yarn") {
    const original = scaling!.number("original_max_position_embeddings", contextLength);
    const factor = scaling!.number("factor", contextLength / original);
    put("rope.scaling.type", text("yarn"));
    put("rope.scaling.factor", f32(factor));
    put("rope.scaling.original_context_length", u32(original));
    for (const name of ["beta_fast", "beta_slow"]) {
      if (scaling!.has(name)) put(`rope.scaling.yarn_${name}`, f32(scaling!.number(name)));
    }
    const magnitude = table.attentionFactor / (1 + 0.1 * Math.log(factor));
    if (Math.abs(magnitude - 1) > 1e-6) put("rope.scaling.attn_factor", f32(magnitude));
  } else if (kind === "llama3" || kind === "factors") {
    const plain = rotaryConfig({ theta, rotaryDim: position.rotaryDim, trainedLength: contextLength, contextLength });
    const factors =
      scaling!.numbers("factors") ?? Array.from(plain.frequencies, (each, i) => each / table.frequencies[i]!);
    return [divisors("rope_freqs", factors)];
  } else if (kind === "longrope" || kind === "su") {
    const original = scaling!.number(
      "original_max_position_embeddings",
      config.number("original_max_position_embeddings", contextLength),
    );
    put("rope.scaling.type", text("longrope"));
    put("rope.scaling.original_context_length", u32(original));
    put("rope.scaling.attn_factor", f32(table.attentionFactor));
    return [
      divisors("rope_factors_long", scaling!.numbers("long_factor") ?? []),
      divisors("rope_factors_short", scaling!.numbers("short_factor") ?? []),
    ];
  }
  return [];
}

/** The base of the rotation and its scaling, under the keys of old and of new configurations. */
function ropeSettings(architecture: GgufArchitecture, config: ConfigReader) {
  const parameters = config.group("rope_parameters");
  const byLayer = architecture === "gemma3";
  const full = byLayer ? parameters?.group("full_attention") : parameters;
  const local = byLayer ? parameters?.group("sliding_attention") : undefined;
  const base = (group: ConfigReader | undefined, key: string, fallback: number) =>
    group?.has("rope_theta") ? group.number("rope_theta") : config.number(key, fallback);
  const theta =
    architecture === "gptneox" && !full?.has("rope_theta") && config.has("rotary_emb_base")
      ? config.number("rotary_emb_base")
      : base(full, "rope_theta", byLayer ? 1e6 : 10000);
  return {
    theta,
    localTheta: byLayer ? base(local, "rope_local_base_freq", 10000) : undefined,
    scaling: full ?? config.group("rope_scaling"),
  };
}

/**
 * What a reader of the metadata alone would get wrong about the model: paths such as `decoder.feedForward.activation`.
 * Empty when GGUF's keys say it all. Special tokens are another matter.
 *
 * @param has - whether the file will have a tensor of this name
 */
export async function departures(
  architecture: GgufArchitecture,
  config: ConfigReader,
  { metadata, tensors }: GgufDescription,
  vocabSize: number,
  has: (tensor: string) => boolean,
): Promise<string[]> {
  const fields = new MetadataFields(new GgufMetadata(metadata), architecture, "GGUF");
  const divisors = (name: string) => tensorValues(tensors.find((tensor) => tensor.name === `${name}.weight`));
  const facts = {
    vocabSize,
    has,
    frequencyDivisors: await divisors("rope_freqs"),
    longDivisors: await divisors("rope_factors_long"),
    shortDivisors: await divisors("rope_factors_short"),
  };
  const restored = new ConfigReader(configFromGguf(architecture, fields, facts), "GGUF");
  // Some scaling depends on the length that a model is loaded for: a short one and the default tell all.
  const paths = [1, undefined].flatMap((length) => differences(meaning(config, length), meaning(restored, length), ""));
  return [...new Set(paths)].filter((path) => !/^(family$|beginId|padId|endIds)/.test(path));
}

async function tensorValues(tensor: StoredTensor | undefined): Promise<number[] | undefined> {
  if (tensor === undefined) return undefined;
  const bytes = new Uint8Array(tensor.byteLength);
  await tensor.read(0, bytes);
  return Array.from(new Float32Array(bytes.buffer));
}

/** What a configuration means, whatever the layout of the tensors. */
function meaning(config: ConfigReader, contextLength?: number): unknown {
  return familyOf(config).configure({ config, contextLength, dialect: huggingFaceDialect, has: () => true });
}

function differences(a: unknown, b: unknown, path: string): string[] {
  if (typeof a === "number" && typeof b === "number") {
    return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b)) ? [] : [path];
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b ? [] : [path];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const member = (value: object, key: string) => (value as Record<string, unknown>)[key];
  return [...keys].flatMap((key) => differences(member(a, key), member(b, key), path === "" ? key : `${path}.${key}`));
}
