import { loadTokenizer } from "../tokenizers/index.js";
import { ConfigReader } from "./config-reader.js";
import { huggingFaceDialect } from "./family.js";
/** @param tokenizer - contents of the tokenizer file beside the checkpoint, where there is one */
export function openLlama2c(path, file, tokenizer) {
    const { config } = file;
    const values = {
        architectures: ["LlamaForCausalLM"],
        model_type: "llama",
        hidden_size: config.hiddenSize,
        intermediate_size: config.intermediateSize,
        num_hidden_layers: config.layerCount,
        num_attention_heads: config.headCount,
        num_key_value_heads: config.keyValueHeadCount,
        vocab_size: config.vocabSize,
        max_position_embeddings: config.contextLength,
        tie_word_embeddings: config.tied,
        rms_norm_eps: 1e-5,
        rope_theta: 10000,
        bos_token_id: 1,
        // llama2.c ends at either: training texts are separated by the beginning token alone.
        eos_token_id: [2, 1],
    };
    const loaded = tokenizer === undefined ? undefined : loadTokenizer({ files: { "tokenizer.bin": tokenizer } });
    return {
        path,
        format: "llama2c",
        config: new ConfigReader(values, path),
        dialect: { ...huggingFaceDialect, interleavedRotary: true },
        tensors: file.tensors,
        tokenizer: loaded,
        files: async () => new Map(tokenizer === undefined ? [] : [["tokenizer.bin", tokenizer]]),
        close: () => file.close(),
    };
}
