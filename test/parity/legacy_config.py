"""The config.json spelling that most published checkpoints still use (transformers before version 5)."""


def legacy_config(config):
    """`config` in the older spelling, or None where the two do not differ in anything that matters."""
    legacy = dict(config)
    rope = legacy.pop("rope_parameters", None)
    if config["model_type"] == "t5":  # 1.1 said "unscaled, own head" by claiming not to be tied
        legacy["tie_word_embeddings"] = legacy.pop("scale_decoder_outputs")
    elif rope is None:
        return None
    elif config["model_type"] == "gemma3_text":
        legacy.update(gemma3_rope(rope), sliding_window_pattern=legacy.pop("layer_types").index("full_attention") + 1)
    elif config["model_type"] == "gpt_neox":
        legacy.update(rotary_pct=rope["partial_rotary_factor"], rotary_emb_base=rope["rope_theta"])
    else:
        legacy.update(flat_rope(rope, config))
    legacy.pop("layer_types", None)
    legacy["torch_dtype"] = legacy.pop("dtype")
    legacy["transformers_version"] = "4.40.0"
    return legacy


def gemma3_rope(rope):
    scaling = {name: value for name, value in rope["full_attention"].items() if name != "rope_theta"}
    return dict(
        rope_theta=rope["full_attention"]["rope_theta"],
        rope_local_base_freq=rope["sliding_attention"]["rope_theta"],
        rope_scaling=None if scaling["rope_type"] == "default" else scaling,
    )


def flat_rope(rope, config):
    scaling = dict(rope)
    flat = dict(rope_theta=scaling.pop("rope_theta"))
    fraction = scaling.pop("partial_rotary_factor", None)
    if config["model_type"] == "phi3":
        flat["partial_rotary_factor"] = fraction
        scaling.pop("original_max_position_embeddings", None)  # stays beside max_position_embeddings
    if scaling["rope_type"] in ("linear", "dynamic", "longrope"):
        scaling["type"] = scaling.pop("rope_type")  # the name before "rope_type"
    return dict(flat, rope_scaling=None if scaling.get("rope_type") == "default" else scaling)
