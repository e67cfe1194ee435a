/** A checkpoint of any format as what to write to a Hugging Face folder. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { UnsupportedError } from "../../core/errors.js";
import type { StorageType } from "../../core/storage.js";
import { convertTensor, type HuggingFaceContents, tokenizerFileNames } from "../../formats/index.js";
import { interpret, type OpenedCheckpoint } from "../checkpoint.js";
import { compress } from "../compressed-tensors.js";
import { huggingFaceDialect } from "../family.js";
import { type ConversionOptions, decoderOnly, supervised } from "./conversion.js";
import { relaid } from "./layout.js";
import { llama3Scaling } from "./llama3-scaling.js";
import { huggingFaceStorage, isQuantized, mainStorage } from "./storage.js";
import { vocabularyOf } from "./vocabulary/of-checkpoint.js";
import { toTokenizerFiles } from "./vocabulary/to-tokenizer-json.js";

/** @throws UnsupportedError for a checkpoint that transformers has no class for */
export async function toHuggingFace(
  checkpoint: OpenedCheckpoint,
  options: ConversionOptions = {},
): Promise<HuggingFaceContents> {
  if (checkpoint.format === "ctranslate2") {
    throw new UnsupportedError("converting to a Hugging Face folder", "CTranslate2", [
      "Hugging Face",
      "GGUF",
      "llama2.c",
    ]);
  }
  const laidOut = layOut(checkpoint, options);
  const compressed = options.type === "q8_0" ? compress(laidOut, isModuleOf(checkpoint)) : undefined;
  const tensors = compressed?.tensors ?? laidOut;
  const dtype = dtypeNames[mainStorage(tensors)] ?? "float32";
  const files = (await checkpoint.files?.()) ?? new Map<string, Uint8Array>();
  return {
    config: {
      ...configFor(checkpoint, compressed === undefined ? dtype : "float16", options),
      ...(compressed && { quantization_config: compressed.quantization }),
    },
    generationConfig: generationConfigOf(checkpoint, files),
    tokenizerFiles: await tokenizerFilesFor(checkpoint, files, options),
    tensors: supervised(tensors, options),
  };
}

const dtypeNames: Partial<Readonly<Record<StorageType, string>>> = { f32: "float32", f16: "float16", bf16: "bfloat16" };

function layOut(checkpoint: OpenedCheckpoint, options: ConversionOptions): StoredTensor[] {
  const all = [...checkpoint.tensors.values()];
  const quantized = all.filter(({ storage }) => isQuantized(storage)).length;
  if (quantized > 0 && options.type === undefined) {
    options.onNotice?.(`${quantized} quantized tensors are written as f16`);
  }
  const model = checkpoint.format === "hugging-face" ? undefined : decoderOnly(checkpoint, "a Hugging Face folder");
  return all.map((tensor) => {
    const moved = model === undefined ? tensor : relaid(tensor, model, checkpoint.dialect, huggingFaceDialect);
    return options.type === "q8_0" ? moved : convertTensor(moved, huggingFaceStorage(tensor.storage, options.type));
  });
}

/** GPT-2's matrices belong to modules of its own kind, which nobody quantizes; T5's relative biases are sums, not maps. */
function isModuleOf(checkpoint: OpenedCheckpoint): (name: string) => boolean {
  const { family } = interpret(checkpoint);
  return (name) => family.name !== "gpt2" && !/relative_attention_bias|positions?\.weight$|\.wpe\.weight$/.test(name);
}

function configFor(
  checkpoint: OpenedCheckpoint,
  dtype: string,
  { onNotice }: ConversionOptions,
): Record<string, unknown> {
  const { values } = checkpoint.config;
  const config: Record<string, unknown> = { ...values };
  // Older releases of transformers know the first key only, newer ones both.
  if ("torch_dtype" in values || !("dtype" in values)) config.torch_dtype = dtype;
  if ("dtype" in values) config.dtype = dtype;
  const scaling = values.rope_scaling as { rope_type?: string; factors?: number[] } | null | undefined;
  if (scaling?.rope_type === "factors") {
    config.rope_scaling = llama3Scaling(scaling.factors ?? [], checkpoint.config);
    if (config.rope_scaling === undefined) {
      throw new UnsupportedError("rotary scaling in a Hugging Face folder", "factors", [
        "those that Llama 3 would have",
      ]);
    }
    onNotice?.(`rotary scaling was recognised as Llama 3's: ${JSON.stringify(config.rope_scaling)}`);
  }
  return config;
}

function generationConfigOf(checkpoint: OpenedCheckpoint, files: ReadonlyMap<string, Uint8Array>) {
  const published = files.get("generation_config.json");
  if (published !== undefined) return JSON.parse(new TextDecoder().decode(published)) as Record<string, unknown>;
  if (checkpoint.format === "hugging-face") return undefined;
  const { config, tokenizer } = checkpoint;
  const ends = [...new Set([...config.tokenIds("eos_token_id"), ...(tokenizer?.tokenizer.endIds ?? [])])];
  const ids = {
    bos_token_id: config.tokenId("bos_token_id"),
    eos_token_id: ends.length > 1 ? ends : ends[0],
    pad_token_id: config.tokenId("pad_token_id"),
  };
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined));
}

/** The files that there are, else the same vocabulary in Hugging Face's form. */
async function tokenizerFilesFor(
  checkpoint: OpenedCheckpoint,
  files: ReadonlyMap<string, Uint8Array>,
  { onNotice }: ConversionOptions,
): Promise<Map<string, Uint8Array>> {
  const published = new Map([...files].filter(([name]) => tokenizerFileNames.includes(name)));
  if (checkpoint.format === "hugging-face" || checkpoint.tokenizer === undefined) return published;
  const vocabulary = await vocabularyOf(checkpoint);
  if (vocabulary === undefined) {
    onNotice?.(
      `the vocabulary of ${checkpoint.tokenizer.source} is left out: tokenizer.json cannot be written from it`,
    );
    return published;
  }
  return toTokenizerFiles(vocabulary, interpret(checkpoint).config.contextLength);
}
