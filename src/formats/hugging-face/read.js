/** Reading a model folder as Hugging Face publishes it: configuration, tokenizer files, weights. */
import { FileNotFoundError, FormatError, UnsupportedError } from "../../core/errors.js";
import { readWholeFile, readWholeText } from "../folder.js";
import { readSafetensors } from "../safetensors/read.js";
import { readShardedSafetensors } from "../safetensors/sharded.js";
/** Files that say how text becomes token ids. Copied as they are when a folder is written. */
export const tokenizerFileNames = [
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "source.spm",
    "special_tokens_map.json",
    "spiece.model",
    "target.spm",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
];
const mostJsonBytes = 4 * 2 ** 20;
const mostTokenizerBytes = 128 * 2 ** 20;
/**
 * Opens a folder: reads the configuration and the headers of the weights, leaves the rest where it is.
 *
 * Weights are `model.safetensors`, else the shards of `model.safetensors.index.json`, else the folder's only
 * `.safetensors` file.
 *
 * @throws FileNotFoundError when `config.json` or the weights are absent, UnsupportedError when the weights are
 *   there in another format only (PyTorch pickles, TensorFlow, Flax), FormatError naming file and field.
 */
export async function readHuggingFace(folder) {
    const config = await readJson(folder, "config.json");
    const generation = "generation_config.json";
    const generationConfig = folder.files.includes(generation) ? await readJson(folder, generation) : undefined;
    const { tensors, close } = await openWeights(folder);
    return {
        path: folder.name,
        config,
        generationConfig,
        tokenizerFiles: tokenizerFileNames.filter((file) => folder.files.includes(file)),
        tensors,
        readBytes: (file) => readWholeFile(folder, file, mostTokenizerBytes),
        readText: (file) => readWholeText(folder, file, mostTokenizerBytes),
        close,
        [Symbol.asyncDispose]: close,
    };
}
async function readJson(folder, file) {
    if (!folder.files.includes(file))
        throw noConfiguration(folder, file);
    const text = await readWholeText(folder, file, mostJsonBytes);
    const path = `${folder.name}/${file}`;
    let value;
    try {
        value = JSON.parse(text);
    }
    catch (error) {
        throw new FormatError(file, "JSON", error.message, path);
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
        throw new FormatError(file, "JSON", "an object expected", path);
    }
    return value;
}
/** A folder of GGUF files, as many are published in, is opened by naming one of them. */
function noConfiguration(folder, file) {
    const other = folder.files.find((name) => name.endsWith(".gguf"));
    const expected = other === undefined ? "a Hugging Face model folder" : `it beside the weights, or a file, as ${other}`;
    return new FileNotFoundError(`${folder.name}/${file}`, expected);
}
async function openWeights(folder) {
    const index = "model.safetensors.index.json";
    const all = folder.files.filter((file) => file.endsWith(".safetensors"));
    const single = all.includes("model.safetensors") ? "model.safetensors" : undefined;
    if (single === undefined && folder.files.includes(index))
        return readShardedSafetensors(folder, index);
    const file = single ?? (all.length === 1 ? all[0] : undefined);
    if (file === undefined)
        throw noWeights(folder);
    const source = await folder.open(file);
    try {
        return await readSafetensors(source);
    }
    catch (error) {
        await source.close();
        throw error;
    }
}
function noWeights(folder) {
    const other = folder.files.find((file) => /^(pytorch_model.*\.bin|.*\.pth?|tf_model\.h5|flax_model\.msgpack)$/.test(file));
    if (other === undefined)
        return new FileNotFoundError(`${folder.name}/model.safetensors`, "the weights");
    const advice = "model.safetensors (convert with transformers: model.save_pretrained(folder, safe_serialization=True))";
    return new UnsupportedError(`${folder.name}: weights in`, other, [advice]);
}
