"""The configurations that the parity fixtures cover, one table per model family.

Sizes are awkward on purpose (head sizes 6 and 10, hidden sizes that are no multiple of 16), so that a kernel's
tail loops run; windows are shorter than the longest input, so that a missing mask shows.
"""

from dataclasses import dataclass

VOCAB = dict(vocab_size=67, bos_token_id=1, eos_token_id=2, pad_token_id=0)
SHORT = (1, 7, 23)
LONG = (1, 7, 40)


@dataclass(frozen=True)
class Case:
    name: str
    model_type: str
    config: dict
    lengths: tuple = SHORT  # of the inputs; pairs (source, target) for an encoder-decoder
    embedding_std: float = 0.5
    layout: str = "saved"  # "saved" by save_pretrained, "sharded", or "published" (GPT-2's older tensor names)
    untied_head: bool = False  # T5 1.1: its config class can only say "tied"


def gpt2():
    base = dict(VOCAB, n_positions=48, n_embd=24, n_layer=2, n_head=4)
    return [
        Case("gpt2", "gpt2", base),
        Case("gpt2-inner-relu-layer-scale-untied", "gpt2", dict(
            base, n_inner=44, activation_function="relu", scale_attn_by_inverse_layer_idx=True,
            tie_word_embeddings=False)),
        Case("gpt2-gelu-unscaled-attention", "gpt2", dict(
            base, n_head=3, n_inner=37, activation_function="gelu", scale_attn_weights=False)),
        Case("gpt2-published-names", "gpt2", dict(base, n_positions=32, n_head=6), layout="published"),
    ]


def llama():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=96)
    small = dict(base, hidden_size=20, num_attention_heads=2, num_key_value_heads=1)  # head size 10
    rope = lambda kind, **parameters: dict(rope_type=kind, rope_theta=500.0, **parameters)
    return [
        Case("llama-mha-tied", "llama", dict(base, num_key_value_heads=4, tie_word_embeddings=True)),
        Case("llama-gqa-sharded", "llama", base, layout="sharded"),
        Case("llama-mqa", "llama", dict(base, num_key_value_heads=1, rms_norm_eps=1e-5)),
        Case("llama-biases", "llama", dict(base, attention_bias=True, mlp_bias=True)),
        Case("llama-head-dim", "llama", dict(base, head_dim=10, hidden_size=20)),
        Case("llama-rope-linear", "llama", dict(small, rope_parameters=rope("linear", factor=4.0)), LONG),
        Case("llama-rope-dynamic", "llama", dict(small, rope_parameters=rope("dynamic", factor=2.0)), LONG),
        Case("llama-rope-llama3", "llama", dict(small, rope_parameters=rope(
            "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=32)), LONG),
        Case("llama-rope-yarn", "llama", dict(small, rope_parameters=rope(
            "yarn", factor=4.0, original_max_position_embeddings=24)), LONG),
        Case("llama-rope-yarn-mscale", "llama", dict(small, max_position_embeddings=960, rope_parameters=rope(
            "yarn", factor=4.0, original_max_position_embeddings=240, beta_fast=4.0, beta_slow=0.5, mscale=1.0,
            mscale_all_dim=0.5, truncate=False)), LONG),
    ]


def mistral():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=96)
    return [
        Case("mistral", "mistral", dict(base, sliding_window=None, rope_parameters=dict(
            rope_type="default", rope_theta=1000000.0))),
        Case("mistral-window", "mistral", dict(base, sliding_window=9, head_dim=10), LONG),
    ]


def qwen2():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=96)
    return [
        Case("qwen2-tied", "qwen2", dict(base, tie_word_embeddings=True)),
        Case("qwen2-window", "qwen2", dict(
            base, num_hidden_layers=3, use_sliding_window=True, sliding_window=9, max_window_layers=1), LONG),
    ]


def qwen3():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, head_dim=10, max_position_embeddings=96)
    return [
        Case("qwen3-tied", "qwen3", dict(base, tie_word_embeddings=True)),
        Case("qwen3-biases-window", "qwen3", dict(
            base, attention_bias=True, use_sliding_window=True, sliding_window=9, max_window_layers=1), LONG),
    ]


def gemma2():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, head_dim=10, max_position_embeddings=96, query_pre_attn_scalar=10,
                sliding_window=9, attn_logit_softcapping=2.0, final_logit_softcapping=5.0)
    return [
        Case("gemma2", "gemma2", base, LONG, embedding_std=0.2),
        Case("gemma2-no-capping-untied", "gemma2", dict(
            base, num_hidden_layers=3, num_key_value_heads=1, query_pre_attn_scalar=7, attn_logit_softcapping=None,
            final_logit_softcapping=None, tie_word_embeddings=False, attention_bias=True), LONG, embedding_std=0.2),
    ]


def gemma3():
    base = dict(VOCAB, hidden_size=24, intermediate_size=44, num_hidden_layers=3, num_attention_heads=4,
                num_key_value_heads=1, head_dim=6, max_position_embeddings=96, query_pre_attn_scalar=7,
                sliding_window=9, sliding_window_pattern=2)
    rope = lambda **full: dict(
        full_attention=dict(rope_theta=1000000.0, **full),
        sliding_attention=dict(rope_type="default", rope_theta=10000.0))
    return [
        Case("gemma3", "gemma3_text", dict(base, rope_parameters=rope(rope_type="default")), LONG, embedding_std=0.2),
        Case("gemma3-rope-linear", "gemma3_text", dict(
            base, num_key_value_heads=2, sliding_window_pattern=3,
            rope_parameters=rope(rope_type="linear", factor=8.0)), LONG, embedding_std=0.2),
        # The published pattern, five windows and one whole layer, which GGUF files take for granted.
        Case("gemma3-six-layers", "gemma3_text", dict(
            base, hidden_size=16, intermediate_size=28, num_hidden_layers=6, num_attention_heads=2, head_dim=8,
            query_pre_attn_scalar=8, sliding_window_pattern=6, rope_parameters=rope(rope_type="default")), LONG,
            embedding_std=0.2),
    ]


def phi3():
    base = dict(VOCAB, hidden_size=20, intermediate_size=44, num_hidden_layers=2, num_attention_heads=2,
                max_position_embeddings=96, original_max_position_embeddings=96)
    return [
        Case("phi3", "phi3", base),
        Case("phi3-partial-rotary-window", "phi3", dict(
            base, hidden_size=30, num_attention_heads=3, num_key_value_heads=1, sliding_window=9,
            rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.6)), LONG),
        # 7 and 23 tokens use the short factors, 40 tokens (more than 32) the long ones, at every position.
        Case("phi3-longrope", "phi3", dict(
            base, num_key_value_heads=1, max_position_embeddings=128, original_max_position_embeddings=32,
            tie_word_embeddings=True, rope_parameters=dict(
                rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.05, 1.1, 1.3, 1.5],
                long_factor=[1.2, 1.7, 2.5, 4.0, 6.0])), (7, 23, 40)),
    ]


def gpt_neox():
    base = dict(VOCAB, hidden_size=32, intermediate_size=52, num_hidden_layers=2, num_attention_heads=2,
                max_position_embeddings=96)
    rope = lambda fraction: dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=fraction)
    return [
        Case("gpt-neox-parallel", "gpt_neox", dict(base, rope_parameters=rope(0.25))),
        Case("gpt-neox-sequential", "gpt_neox", dict(
            base, hidden_size=30, num_attention_heads=3, use_parallel_residual=False, rope_parameters=rope(1.0))),
        Case("gpt-neox-no-attention-bias-tied", "gpt_neox", dict(
            base, attention_bias=False, hidden_act="gelu_new", tie_word_embeddings=True, rope_parameters=rope(0.5))),
    ]


def t5():
    base = dict(vocab_size=67, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, d_model=24, d_kv=6, d_ff=28,
                num_layers=2, num_heads=4)
    pairs = ((1, 1), (7, 4), (23, 12))
    return [
        Case("t5-relu-tied", "t5", base, pairs),
        Case("t5-gated-gelu-untied", "t5", dict(
            base, d_model=20, d_kv=10, num_heads=2, num_layers=3, num_decoder_layers=2,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False, relative_attention_num_buckets=12,
            relative_attention_max_distance=20), ((1, 1), (7, 4), (40, 33)), untied_head=True),
    ]


def bart():
    base = dict(vocab_size=67, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2,
                forced_eos_token_id=2, max_position_embeddings=48, d_model=24, encoder_layers=2, decoder_layers=2,
                encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=28, decoder_ffn_dim=28)
    pairs = ((1, 1), (7, 4), (23, 12))
    return [
        Case("bart", "bart", base, pairs),
        Case("bart-scaled-uneven-relu", "bart", dict(
            base, d_model=20, scale_embedding=True, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=5, encoder_ffn_dim=30, decoder_ffn_dim=36, activation_function="relu"), pairs,
            embedding_std=0.2),
    ]


def marian():
    base = dict(vocab_size=67, bos_token_id=None, pad_token_id=66, eos_token_id=0, decoder_start_token_id=66,
                forced_eos_token_id=0, max_position_embeddings=48, d_model=24, encoder_layers=2, decoder_layers=2,
                encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=28, decoder_ffn_dim=28,
                scale_embedding=True, activation_function="swish")
    pairs = ((1, 1), (7, 4), (23, 12))
    return [
        Case("marian", "marian", base, pairs, embedding_std=0.2),
        Case("marian-separate-embeddings-unscaled", "marian", dict(
            base, decoder_vocab_size=61, pad_token_id=1, decoder_start_token_id=1,
            share_encoder_decoder_embeddings=False, tie_word_embeddings=False, scale_embedding=False,
            activation_function="relu", d_model=20, encoder_attention_heads=2, decoder_attention_heads=2,
            decoder_layers=1), pairs),
    ]


FAMILIES = [gpt2, llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3, gpt_neox, t5, bart, marian]
