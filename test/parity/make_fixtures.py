"""Writes test/parity/fixtures: tiny random checkpoints and what PyTorch `transformers` computes from them.

    python test/parity/make_fixtures.py [CASE ...]

Every case draws its weights and inputs from a seed made of its name, so a run repeats to the bit, and one case can be
made again without the others.
"""

import json
import platform
import shutil
import sys
import zlib
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

import reference
from cases import FAMILIES
from legacy_config import legacy_config

FIXTURES = Path(__file__).parent / "fixtures"
GREEDY_STEPS = 12
SMALLEST_MARGIN = 0.01  # lead of a greedy token: a hundred times what float32 rounding can move


def main(names):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    reference.keep_t5_buckets_in_float32()
    FIXTURES.mkdir(exist_ok=True)
    write_json(FIXTURES / "versions.json", dict(
        python=platform.python_version(), torch=torch.__version__, transformers=transformers.__version__))
    for case in [case for family in FAMILIES for case in family() if not names or case.name in names]:
        make(case)


def make(case):
    folder = FIXTURES / case.name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(zlib.crc32(case.name.encode()))
    save_checkpoint(case, folder, generator)
    model = reference.load(folder)
    with reference.Float64Throughout():
        exact = reference.load(folder, torch.float64)
    draw = draw_translation if model.config.is_encoder_decoder else draw_continuation
    tensors, gap = evaluate(case, model, exact, generator)
    choice, margin = choose_greedy(draw, exact, generator)
    save_file({**tensors, **choice}, folder / "reference.safetensors")
    check_legacy_config(folder, case, model, tensors)
    report(case, folder, tensors, gap, margin, choice)


def save_checkpoint(case, folder, generator):
    config = AutoConfig.for_model(case.model_type, **case.config)
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = auto.from_config(config, attn_implementation="eager")
    if case.untied_head:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
    reference.randomise(model, generator, case.embedding_std)
    model.save_pretrained(folder, max_shard_size="20KB" if case.layout == "sharded" else "1GB")
    if case.layout == "published":
        use_published_gpt2_names(folder / "model.safetensors", config.n_positions, config.n_layer)
    legacy = legacy_config(json.loads((folder / "config.json").read_text()))
    if legacy:
        write_json(folder / "config.legacy.json", legacy)


def use_published_gpt2_names(path, positions, layers):
    """OpenAI's GPT-2 on the hub: no `transformer.` prefix, and each layer's causal mask saved as `attn.bias`."""
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in load_file(path).items()}
    mask = torch.tril(torch.ones(1, 1, positions, positions))
    save_file({**tensors, **{f"h.{layer}.attn.bias": mask.clone() for layer in range(layers)}}, path, {"format": "pt"})


def random_ids(count, model, generator):
    """Ids that are no special token (those are among the first three and the last of a case's vocabulary)."""
    return torch.randint(3, model.config.vocab_size - 1, (count,), generator=generator)


def target_ids(count, model, generator):
    """Decoder inputs: the start token, then ids that both vocabularies hold."""
    start = model.config.decoder_start_token_id
    last = getattr(model.config, "decoder_vocab_size", model.config.vocab_size) - 1
    return torch.cat([torch.tensor([start]), torch.randint(3, last, (count - 1,), generator=generator)])


def evaluate(case, model, exact, generator):
    """Inputs, float64 logits rounded to float32, and the largest error of PyTorch's own float32 logits."""
    tensors, gap = {}, 0.0
    for i, length in enumerate(case.lengths):
        if model.config.is_encoder_decoder:
            source, target = random_ids(length[0], model, generator), target_ids(length[1], model, generator)
            run = lambda m: reference.translation_logits(m, source, target)
            with reference.Float64Throughout():
                tensors[f"encoder_{i}"] = reference.encode(exact, source).float()
            tensors[f"source_ids_{i}"], tensors[f"target_ids_{i}"] = source.int(), target.int()
        else:
            ids = random_ids(length, model, generator)
            run = lambda m: reference.logits(m, ids)
            tensors[f"input_ids_{i}"] = ids.int()
        with reference.Float64Throughout():
            truth = run(exact)
        gap = max(gap, float((run(model) - truth).abs().max()))
        tensors[f"logits_{i}"] = truth.float()
    return tensors, gap


def draw_continuation(model, generator):
    prompt = random_ids(5, model, generator)
    return dict(greedy_prompt_0=prompt), lambda ids: reference.logits(model, ids), prompt, None


def draw_translation(model, generator):
    source, prompt = random_ids(9, model, generator), target_ids(1, model, generator)
    tensors = dict(greedy_source_0=source, greedy_prompt_0=prompt)
    return tensors, lambda ids: reference.translation_logits(model, source, ids), prompt, source


def choose_greedy(draw, model, generator, attempts=100):
    """The first prompt whose greedy continuation is clear-cut and varied, checked against cached generation."""
    for _ in range(attempts):
        tensors, next_logits, prompt, source = draw(model, generator)
        with reference.Float64Throughout():
            ids, margin = reference.greedy(next_logits, prompt, GREEDY_STEPS)
            cached = reference.cached_greedy(model, prompt, GREEDY_STEPS, source)
        assert torch.equal(ids, cached), f"cached decoding gave {cached.tolist()}, whole passes {ids.tolist()}"
        if margin >= SMALLEST_MARGIN and len(set(ids.tolist())) >= 3:
            return {name: tensor.int() for name, tensor in {**tensors, "greedy_0": ids}.items()}, margin
    raise RuntimeError("no prompt with a clear and varied greedy continuation: change the case's name or weights")


def check_legacy_config(folder, case, model, tensors):
    """The older spelling of a configuration must mean the same model."""
    path = folder / "config.legacy.json"
    if not path.exists():
        return
    config = AutoConfig.for_model(**json.loads(path.read_text()))
    older = reference.load(folder, config=config)
    last = len(case.lengths) - 1
    if model.config.is_encoder_decoder:
        source, target = tensors[f"source_ids_{last}"].long(), tensors[f"target_ids_{last}"].long()
        same = [reference.translation_logits(m, source, target) for m in (model, older)]
    else:
        same = [reference.logits(m, tensors[f"input_ids_{last}"].long()) for m in (model, older)]
    assert torch.equal(*same), f"{case.name}: config.legacy.json describes another model"


def report(case, folder, tensors, gap, margin, choice):
    values = torch.cat([tensor.flatten() for name, tensor in tensors.items() if name.startswith("logits")])
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{case.name:38} {size / 1024:6.1f} KiB  logits std {values.std():5.2f} max {values.abs().max():6.2f}  "
          f"f32 gap {gap:.1e} ({gap / values.abs().max():.1e} of max)  greedy margin {margin:.3f}  "
          f"{choice['greedy_0'].tolist()}", flush=True)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
