"""Writes test/parity/gguf: the weights of some fixtures as GGUF files, laid out as llama.cpp's converter lays them out.

    python test/parity/make_gguf_fixtures.py

A file's logits are those of fixtures/<same name>/reference.safetensors. What differs from the Hugging Face folder, by
llama.cpp's conventions: tensor names; Llama's query and key rows, reordered for rotary pairs that lie side by side;
GPT-NeoX's fused projection, all queries first; GPT-2's matrices, transposed; Gemma's norm weights, plus one; rotary
scaling, as one factor per frequency.
"""

import json
import math
import re
import string
from pathlib import Path

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, TokenType, get_tensor_name_map
from safetensors.numpy import load_file

FIXTURES = Path(__file__).parent / "fixtures"
FOLDER = Path(__file__).parent / "gguf"
CASES = {
    "gpt2": MODEL_ARCH.GPT2,
    "llama-rope-llama3": MODEL_ARCH.LLAMA,
    "qwen2-tied": MODEL_ARCH.QWEN2,
    "qwen3-tied": MODEL_ARCH.QWEN3,
    "gemma2": MODEL_ARCH.GEMMA2,
    "gemma3-six-layers": MODEL_ARCH.GEMMA3,
    "phi3-longrope": MODEL_ARCH.PHI3,
    "gpt-neox-parallel": MODEL_ARCH.GPTNEOX,
}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, arch in CASES.items():
        config = json.loads((FIXTURES / name / "config.json").read_text())
        writer = GGUFWriter(FOLDER / f"{name}.gguf", config["model_type"].removesuffix("_text").replace("_", ""))
        add_sizes(writer, config)
        add_attention(writer, config)
        add_vocabulary(writer, config)
        add_tensors(writer, config, arch, load_file(FIXTURES / name / "model.safetensors"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        print(f"{name}: {(FOLDER / name).with_suffix('.gguf').stat().st_size} bytes")


def first(config, *names):
    """The value under the first of several names: GPT-2 has its own."""
    return next((config[name] for name in names if config.get(name) is not None), None)


def add_sizes(writer, config):
    hidden, heads = first(config, "hidden_size", "n_embd"), first(config, "num_attention_heads", "n_head")
    writer.add_name("tiny random weights")
    writer.add_file_type(0)  # all float32
    writer.add_context_length(first(config, "max_position_embeddings", "n_positions"))
    writer.add_embedding_length(hidden)
    writer.add_block_count(first(config, "num_hidden_layers", "n_layer"))
    writer.add_feed_forward_length(first(config, "intermediate_size", "n_inner") or 4 * hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    if "rms_norm_eps" in config:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    else:
        writer.add_layer_norm_eps(first(config, "layer_norm_eps", "layer_norm_epsilon"))


def add_attention(writer, config):
    """Head size, windows, capping and rotary parameters, for the families that have them."""
    head = head_size(config)
    if "head_dim" in config:
        writer.add_key_length(head)
        writer.add_value_length(head)
    if config["model_type"] in ("gemma2", "gemma3_text"):
        writer.add_sliding_window(config["sliding_window"])
    if config["model_type"] == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if config["model_type"] == "gpt_neox":
        writer.add_parallel_residual(config["use_parallel_residual"])
    rope = config.get("rope_parameters")
    if rope:
        rope = rope.get("full_attention", rope)
        writer.add_rope_dimension_count(int(head * rope.get("partial_rotary_factor", 1.0)))
        writer.add_rope_freq_base(rope["rope_theta"])
        if rope["rope_type"] == "longrope":
            original = rope["original_max_position_embeddings"]
            factor = config["max_position_embeddings"] / original
            writer.add_rope_scaling_orig_ctx_len(original)
            writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(factor) / math.log(original)))


def head_size(config):
    heads, hidden = first(config, "num_attention_heads", "n_head"), first(config, "hidden_size", "n_embd")
    return config.get("head_dim") or hidden // heads


def add_vocabulary(writer, config):
    """A SentencePiece vocabulary of single characters: llama.cpp opens no file without one."""
    characters = "\u2581.,:!?" + string.ascii_letters + string.digits
    pieces = (["<unk>", "<s>", "</s>", "<0x0A>"] + list(characters))[: config["vocab_size"]]
    types = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, TokenType.BYTE]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(i) for i in range(len(pieces))])
    writer.add_token_types(types + [TokenType.NORMAL] * (len(pieces) - len(types)))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)


def add_tensors(writer, config, arch, tensors):
    names = get_tensor_name_map(arch, first(config, "num_hidden_layers", "n_layer"))
    for name, factors in rope_factors(config).items():
        writer.add_tensor(name, np.array(factors, dtype=np.float32))
    for name, tensor in tensors.items():
        new_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(new_name, np.ascontiguousarray(converted(name, tensor, config)))


def converted(name, tensor, config):
    family = config["model_type"]
    if family == "llama" and re.search(r"[qk]_proj", name):
        return side_by_side(tensor, head_size(config))
    if family == "gpt_neox" and "query_key_value" in name:  # [heads, 3, head size, ...] becomes [3, heads, ...]
        by_head = tensor.reshape(config["num_attention_heads"], 3, head_size(config), *tensor.shape[1:])
        return by_head.swapaxes(0, 1).reshape(tensor.shape)
    if family == "gpt2" and re.search(r"\.c_\w+\.weight", name):
        return tensor.T
    if family.startswith("gemma") and name.endswith("norm.weight"):
        return tensor + np.float32(1)
    return tensor


def side_by_side(rows, head):
    """Rows i and i + head/2 of each head turn together; put them at 2i and 2i + 1."""
    halves = rows.reshape(-1, 2, head // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def rope_factors(config):
    """What each rotary frequency is divided by, where a family's scaling is stored like that."""
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type") == "longrope":
        return {"rope_factors_long.weight": rope["long_factor"], "rope_factors_short.weight": rope["short_factor"]}
    if rope.get("rope_type") == "llama3":
        head = head_size(config)
        frequencies = [rope["rope_theta"] ** (-i / head) for i in range(0, head, 2)]
        return {"rope_freqs.weight": [llama3_factor(rope, frequency) for frequency in frequencies]}
    return {}


def llama3_factor(rope, frequency):
    turns = rope["original_max_position_embeddings"] * frequency / (2 * math.pi)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    share = min(1.0, max(0.0, (turns - low) / (high - low)))
    return 1 / ((1 - share) / rope["factor"] + share)


if __name__ == "__main__":
    main()
