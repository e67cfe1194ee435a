/** A checkpoint of any format as what to write to a GGUF file. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { InvalidValueError } from "../../core/errors.js";
import { convertTensor, type GgufContents, type GgufValue } from "../../formats/index.js";
import type { OpenedCheckpoint } from "../checkpoint.js";
import type { DecoderOnlyConfig } from "../config.js";
import { type GgufArchitecture, isComputedBuffer, toGgufName } from "../gguf/names.js";
import { ggufDialect, publishedConfigKey } from "../gguf/open-gguf.js";
import { architectureOfFamily, departures, describeForGguf, text, u32 } from "../gguf/write-config.js";
import { fits, withName } from "../lazy-tensors.js";
import { type ConversionOptions, decoderOnly, some, supervised } from "./conversion.js";
import { relaid } from "./layout.js";
import { ggufFileTypes, ggufStorage, isKeyOrValue, isQuantized, mainStorage } from "./storage.js";
import { vocabularyOf } from "./vocabulary/of-checkpoint.js";
import { specialIds, toGgufMetadata } from "./vocabulary/to-gguf.js";

/** @param name - `general.name` */
export async function toGguf(
  checkpoint: OpenedCheckpoint,
  name: string,
  options: ConversionOptions = {},
): Promise<GgufContents> {
  const model = decoderOnly(checkpoint, "GGUF");
  const architecture = architectureOfFamily[model.family];
  if (architecture === undefined)
    throw new InvalidValueError("family", Object.keys(architectureOfFamily).join(), model.family);
  const description = describeForGguf(architecture, checkpoint.config, model);
  const laidOut = layOut(checkpoint, model, options);
  const names = new Set(laidOut.map((tensor) => tensor.name));
  const lost = await departures(architecture, checkpoint.config, description, model.vocabSize, (each) =>
    names.has(each),
  );
  tellLimits(model, lost, options);
  const refused = refusedByLlamaCpp(architecture, names);
  if (refused !== undefined) options.onNotice?.(`llama.cpp will not open this file: for ${architecture} it ${refused}`);
  const tensors = [...laidOut, ...description.tensors];
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", text(architecture)],
    ["general.type", text("model")],
    ["general.name", text(name)],
    ...fileType(tensors),
    ...description.metadata,
    ...(lost.length > 0 ? ([[publishedConfigKey, text(JSON.stringify(checkpoint.config.values))]] as const) : []),
    ...(await vocabularyMetadata(checkpoint, model, options)),
  ]);
  return { metadata, tensors: supervised(tensors, options) };
}

export function fileType(tensors: readonly StoredTensor[]): [string, GgufValue][] {
  const type = ggufFileTypes[mainStorage(tensors)];
  return [
    ...(type === undefined ? [] : ([["general.file_type", u32(type)]] as [string, GgufValue][])),
    ["general.quantization_version", u32(2)],
  ];
}

/** Every tensor of the model under its GGUF name, in llama.cpp's layout and the storage type that it is to have. */
function layOut(checkpoint: OpenedCheckpoint, model: DecoderOnlyConfig, options: ConversionOptions): StoredTensor[] {
  const architecture = architectureOfFamily[model.family]!;
  const tensors: StoredTensor[] = [];
  const leftOut: string[] = [];
  for (const tensor of checkpoint.tensors.values()) {
    const name = toGgufName(architecture, tensor.name);
    if (name === undefined) {
      if (!isComputedBuffer(tensor.name)) leftOut.push(tensor.name);
      continue;
    }
    if (name === "output.weight" && model.head.tied) continue;
    const moved = withName(relaid(tensor, model, checkpoint.dialect, ggufDialect(architecture)), name);
    tensors.push(stored(moved, tensor.storage, model.head.tied, options));
  }
  if (leftOut.length > 0) {
    options.onNotice?.(`${leftOut.length} tensors that ${model.family} has no use for are left out: ${some(leftOut)}`);
  }
  tellFallbacks(tensors, options);
  return tensors.sort((a, b) => placeOf(a.name) - placeOf(b.name) || (a.name < b.name ? -1 : 1));
}

/** @param original - the type in the checkpoint, which moving may have changed */
export function stored(
  tensor: StoredTensor,
  original: StoredTensor["storage"],
  tied: boolean,
  { type }: ConversionOptions,
): StoredTensor {
  return convertTensor(tensor, ggufStorage(tensor.name, tensor, original, type, tied));
}

/** Says which matrices did not get the type that was asked for. */
export function tellFallbacks(tensors: readonly StoredTensor[], { type, onNotice }: ConversionOptions): void {
  if (type === undefined || !isQuantized(type)) return;
  for (const storage of ["q8_0", "f16"] as const) {
    const odd = tensors.filter((tensor) => tensor.storage === storage && !fits(tensor, type)).map(({ name }) => name);
    if (odd.length > 0) {
      onNotice?.(
        `${odd.length} matrices become ${storage}, since their rows are not whole blocks of ${type}: ${some(odd)}`,
      );
    }
  }
  const kept = tensors.filter((tensor) => isKeyOrValue(tensor.name) && tensor.storage === "q8_0" && fits(tensor, type));
  if (type !== "q8_0" && kept.length > 0) {
    onNotice?.(`${kept.length} matrices of keys and values become q8_0, since in ${type} they cost a model the most`);
  }
}

function placeOf(name: string): number {
  const block = /^blk\.(\d+)\./.exec(name)?.[1];
  if (block !== undefined) return 1 + Number(block);
  return name.startsWith("output") ? Number.MAX_SAFE_INTEGER : 0;
}

function tellLimits(model: DecoderOnlyConfig, lost: readonly string[], { onNotice }: ConversionOptions): void {
  if (lost.length > 0) {
    onNotice?.(
      `GGUF has no keys for ${some(lost)}: kept under ${publishedConfigKey} for this package, and computed otherwise by others`,
    );
  }
  const slides = model.decoder.layers.some(({ window }) => window > 0);
  if (slides && ["mistral", "phi3"].includes(model.family)) {
    onNotice?.(`llama.cpp does not apply the sliding window of ${model.family}: it differs on texts longer than that`);
  }
}

/** Why llama.cpp's loader, which wants exactly the tensors that it knows, would refuse the file; undefined: it opens it. */
function refusedByLlamaCpp(architecture: GgufArchitecture, names: ReadonlySet<string>): string | undefined {
  const missing = (name: string) => (names.has(name) ? undefined : `needs ${name}`);
  const foreign = (name: string) => (names.has(name) ? `knows no ${name}` : undefined);
  switch (architecture) {
    case "gemma2":
      return foreign("output.weight") ?? foreign("blk.0.attn_q.bias");
    case "gemma3":
    case "qwen3":
      return foreign("blk.0.attn_output.bias");
    case "gptneox":
      return missing("output.weight") ?? missing("blk.0.attn_qkv.bias");
    default:
      return undefined;
  }
}

async function vocabularyMetadata(
  checkpoint: OpenedCheckpoint,
  model: DecoderOnlyConfig,
  { onNotice }: ConversionOptions,
): Promise<Map<string, GgufValue>> {
  const vocabulary = await vocabularyOf(checkpoint);
  const fromConfig = { beginId: model.beginId, endIds: model.endIds, padId: model.padId };
  if (vocabulary === undefined) {
    const { source } = checkpoint.tokenizer ?? {};
    onNotice?.(
      source === undefined ? "no tokenizer: GGUF without one" : `GGUF cannot express the vocabulary of ${source}`,
    );
    const ids = specialIds(fromConfig).map(([role, id]) => [`tokenizer.ggml.${role}_token_id`, u32(id)] as const);
    return new Map([["tokenizer.ggml.model", text("none")], ...ids]);
  }
  if (vocabulary.tokens.length > model.vocabSize) {
    onNotice?.(
      `the last ${vocabulary.tokens.length - model.vocabSize} tokens have no row in the model and are left out`,
    );
  }
  const endIds = [...new Set([...vocabulary.endIds, ...model.endIds])];
  const { beginId = model.beginId, padId = model.padId } = vocabulary;
  return toGgufMetadata({ ...vocabulary, beginId, padId, endIds }, model.vocabSize);
}
