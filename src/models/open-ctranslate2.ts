/** Opens a CTranslate2 model: the classic transformer, whose sizes are those of its tensors. */
import type { StoredTensor } from "../core/checkpoint.js";
import { MissingTensorError, UnsupportedError } from "../core/errors.js";
import { type LoadedTokenizer, loadTokenizer, type TokenizerFiles } from "../tokenizers/index.js";
import type { OpenedCheckpoint } from "./checkpoint.js";
import { ConfigReader } from "./config-reader.js";
import { huggingFaceDialect } from "./family.js";

/** Attention heads by the name of the specification: nothing in the file states them. */
const headCounts: Readonly<Record<string, number>> = { TransformerBase: 8, TransformerBig: 16 };

export interface Ctranslate2Model {
  readonly specification: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  close(): Promise<void>;
}

/** Names of the vocabulary files in a model's folder. */
export const ctranslate2Vocabularies = ["source_vocabulary.txt", "target_vocabulary.txt", "shared_vocabulary.txt"];

/** Whether these are a CTranslate2 model's tensors, in whatever file. */
export function hasCtranslate2Names(tensors: ReadonlyMap<string, StoredTensor>): boolean {
  return tensors.has("encoder/embeddings/weight") && tensors.has("decoder/projection/weight");
}

/**
 * @param vocabularies - contents of the vocabulary files that there are, by name
 * @throws UnsupportedError for another specification, MissingTensorError, FormatError
 */
export function openCtranslate2(path: string, model: Ctranslate2Model, vocabularies: TokenizerFiles): OpenedCheckpoint {
  const { specification, tensors } = model;
  if (!Object.hasOwn(headCounts, specification)) {
    throw new UnsupportedError(`${path}: CTranslate2 specification`, specification, Object.keys(headCounts));
  }
  const learned = [...tensors.keys()].find((name) => name.includes("position_encodings"));
  if (learned !== undefined) throw new UnsupportedError(`${path}: positions`, learned, ["sines and cosines"]);
  const { source, target } = readVocabularies(vocabularies);
  return {
    path,
    format: "ctranslate2",
    config: new ConfigReader(configOf(path, specification, tensors), path),
    dialect: huggingFaceDialect,
    tensors,
    tokenizer: target,
    sourceTokenizer: source,
    close: () => model.close(),
  };
}

function configOf(path: string, specification: string, tensors: ReadonlyMap<string, StoredTensor>) {
  const shape = (name: string): readonly number[] => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new MissingTensorError(name, path);
    return tensor.shape;
  };
  const layers = (part: string): number => {
    let count = 0;
    while (tensors.has(`${part}/layer_${count}/ffn/linear_0/weight`)) count++;
    return count;
  };
  const [sourceVocabSize, hiddenSize] = shape("encoder/embeddings/weight");
  return {
    architectures: [specification],
    hidden_size: hiddenSize,
    intermediate_size: shape("encoder/layer_0/ffn/linear_0/weight")[0],
    num_attention_heads: headCounts[specification],
    encoder_layers: layers("encoder"),
    decoder_layers: layers("decoder"),
    source_vocab_size: sourceVocabSize,
    target_vocab_size: shape("decoder/projection/weight")[0],
    bos_token_id: 1,
    eos_token_id: 2,
    decoder_start_token_id: 1,
  };
}

function readVocabularies(files: TokenizerFiles): { source?: LoadedTokenizer; target?: LoadedTokenizer } {
  if (Object.keys(files).length === 0) return {};
  const loaded = loadTokenizer({ files });
  const { target, ...source } = loaded;
  return { source, target: target === undefined ? source : { ...source, tokenizer: target } };
}
