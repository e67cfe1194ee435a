import { withName } from "./lazy-tensors.js";
const textParts = {
    Gemma3ForConditionalGeneration: {
        architecture: "Gemma3ForCausalLM",
        defaults: {
            vocab_size: 262_208,
            hidden_size: 2304,
            intermediate_size: 9216,
            num_hidden_layers: 26,
            num_attention_heads: 8,
            num_key_value_heads: 4,
        },
    },
};
/** Keys that stand beside the nested configuration and hold for it too. */
const shared = ["bos_token_id", "eos_token_id", "pad_token_id", "quantization_config", "tie_word_embeddings"];
/** The text model of a checkpoint that holds more than one; any other checkpoint as it is. */
export function textModel(config, tensors) {
    const architecture = Array.isArray(config.architectures) ? String(config.architectures[0]) : "";
    const part = Object.hasOwn(textParts, architecture) ? textParts[architecture] : undefined;
    const nested = config.text_config;
    if (part === undefined || typeof nested !== "object" || nested === null)
        return { config, tensors };
    const beside = Object.fromEntries(shared.filter((key) => key in config).map((key) => [key, config[key]]));
    const values = { ...part.defaults, ...beside, ...nested, architectures: [part.architecture] };
    return { config: values, tensors: new Map([...tensors.values()].flatMap(renamed)) };
}
/** `language_model.model.x` (as first published) and `model.language_model.x` (since) are `model.x`. */
function renamed(tensor) {
    const [, , rest] = /^(language_model\.|model\.(?=language_model\.))(.+)$/.exec(tensor.name) ?? [];
    const name = tensor.name === "lm_head.weight" ? tensor.name : rest?.replace(/^language_model\./, "model.");
    return name === undefined ? [] : [[name, withName(tensor, name)]];
}
