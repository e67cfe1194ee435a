"""Writes test/parity/fixtures/CASE/gradients-SETTING.safetensors: losses and gradients of whole models, by PyTorch.

    python test/parity/make_gradient_fixtures.py

The checkpoints are those of `make_fixtures.py`, which empties their folders: run it first. Everything is computed in
float64 and rounded to float32; gradients have the names of the tensors in the checkpoint.
"""

import zlib

import torch
import transformers
from safetensors.torch import load_file, save_file

import reference
from make_fixtures import FIXTURES

CASES = ["gpt2", "llama-gqa-sharded", "t5-relu-tied", "marian"]
SETTINGS = {
    "plain": dict(label_smoothing=0.0, z_loss=0.0),
    "smoothed": dict(label_smoothing=0.1, z_loss=0.01),
}


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    reference.keep_t5_buckets_in_float32()
    for name in CASES:
        inputs = load_file(FIXTURES / name / "reference.safetensors")
        sequences = [with_targets(name, inputs, i) for i in range(len([k for k in inputs if k.startswith("logits_")]))]
        for setting, options in SETTINGS.items():
            with reference.Float64Throughout():
                exact = gradients(name, sequences, **options)
            tensors = {key: value.float() for key, value in exact.items()}
            for i, (_, _, targets) in enumerate(sequences):
                tensors[f"targets_{i}"] = targets.int()
            path = FIXTURES / name / f"gradients-{setting}.safetensors"
            save_file(tensors, path)
            print(f"{name:20} {setting:10} loss {float(tensors['loss']):.6f}  {path.stat().st_size / 1024:.1f} KiB")


def with_targets(name, inputs, i):
    """A sequence's source (or None), ids, and the ids to predict; some of them do not count."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{name}, targets {i}".encode()))
    source = inputs.get(f"source_ids_{i}")
    ids = inputs[f"input_ids_{i}" if source is None else f"target_ids_{i}"].long()
    targets = torch.cat([ids[1:], torch.randint(3, 60, (1,), generator=generator)])
    targets[torch.rand(len(ids), generator=generator) < 0.2] = -1
    return (None if source is None else source.long()), ids, targets


def gradients(name, sequences, label_smoothing, z_loss):
    """Of the mean over all targets that count, of all sequences together."""
    model = reference.load(FIXTURES / name, torch.float64)
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.requires_grad_()
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None  # Marian starts with its padding token: leave nothing of its gradient out
    counted = sum(int((targets >= 0).sum()) for _, _, targets in sequences)
    total = sum(loss(model, *sequence, label_smoothing, z_loss) for sequence in sequences) / counted
    total.backward()
    named = [*model.named_parameters(), *model.named_buffers()]
    tensors = {key: value.grad.contiguous() for key, value in named if value.grad is not None}
    return {**tensors, "loss": total.detach()}


def loss(model, source, ids, targets, label_smoothing, z_loss):
    inputs = dict(input_ids=ids[None]) if source is None else dict(input_ids=source[None], decoder_input_ids=ids[None])
    logits = model(**inputs, use_cache=False).logits[0]
    entropy = torch.nn.functional.cross_entropy(
        logits, targets, ignore_index=-1, label_smoothing=label_smoothing, reduction="sum")
    return entropy + z_loss * (logits.logsumexp(-1)[targets >= 0] ** 2).sum()


if __name__ == "__main__":
    main()
