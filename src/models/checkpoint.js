import { UnsupportedError } from "../core/errors.js";
import { familyOf } from "./families/index.js";
/** Where configurations state how many blocks there are. */
const layerCountKeys = [
    "num_hidden_layers",
    "n_layer",
    "num_layers",
    "num_decoder_layers",
    "encoder_layers",
    "decoder_layers",
];
/** Every block has tensors of its own, so a claim of more blocks than tensors is refused before anything is made of it. */
function checkLayerCounts({ config, tensors }) {
    for (const key of layerCountKeys) {
        const count = config.values[key];
        if (typeof count !== "number")
            continue;
        config.require(!(count > tensors.size), key, `${count} is more than the checkpoint's ${tensors.size} tensors`);
    }
}
/** Weights quantized by GPTQ, AWQ, bitsandbytes and the like are not what their names and shapes say. */
function checkQuantization(config) {
    const quantization = config.group("quantization_config");
    if (quantization === undefined)
        return;
    const method = quantization.has("quant_method") ? quantization.text("quant_method") : "(unnamed)";
    throw new UnsupportedError(`${config.source}: quantization_config`, method, ["plain floats", "GGUF files"]);
}
/** Single tokens among the bad words that the configuration names. */
function bannedIds(checkpoint, { vocabSize }) {
    const ids = new Set([...checkpoint.config.singleTokens("bad_words_ids"), ...(checkpoint.bannedIds ?? [])]);
    return [...ids].filter((id) => id < vocabSize);
}
/** @throws UnsupportedError for an unknown architecture, FormatError for a configuration that makes no sense */
export function interpret(checkpoint, contextLength) {
    const family = familyOf(checkpoint.config);
    checkLayerCounts(checkpoint);
    checkQuantization(checkpoint.config);
    const input = {
        config: checkpoint.config,
        dialect: checkpoint.dialect,
        contextLength,
        has: (tensor) => checkpoint.tensors.has(tensor),
    };
    const config = family.configure(input);
    const endIds = [...new Set([...config.endIds, ...(checkpoint.endIds ?? [])])];
    return {
        family,
        config: { ...config, endIds, bannedIds: bannedIds(checkpoint, config) },
        recipes: family.recipes(config, input),
    };
}
