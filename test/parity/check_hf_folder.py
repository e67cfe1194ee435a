"""What PyTorch `transformers` computes from any Hugging Face folder, such as `hitherto convert --to hf` writes.

    python test/parity/check_hf_folder.py FOLDER 12 7 31                   # decoder: prints the likeliest tokens
    python test/parity/check_hf_folder.py FOLDER 12 7 31 --target 2 9      # encoder-decoder: source, then target
    python test/parity/check_hf_folder.py FOLDER 12 7 31 --out logits.safetensors --hidden

Runs in float64 throughout; the file holds float32: `logits`, and with --hidden `hidden_0` (embeddings) to `hidden_N`
(after the last layer and, for most families, the final norm).
"""

import argparse

import torch
from safetensors.torch import save_file

import reference


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("ids", type=int, nargs="+", help="token ids (of the source, for an encoder-decoder)")
    parser.add_argument("--target", type=int, nargs="+", help="decoder input ids; default: the start token")
    parser.add_argument("--out", help="safetensors file to write")
    parser.add_argument("--hidden", action="store_true", help="also write each layer's output")
    options = parser.parse_args()
    reference.keep_t5_buckets_in_float32()
    with reference.Float64Throughout(), torch.no_grad():
        tensors = run(options)
    for position, row in enumerate(tensors["logits"]):
        best = row.topk(5)
        print(position, "  ".join(f"{token}: {logit:.5f}" for token, logit in zip(best.indices, best.values)))
    if options.out:
        save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, options.out)


def run(options):
    model = reference.load(options.folder, torch.float64)
    inputs = dict(input_ids=torch.tensor([options.ids]))
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = torch.tensor([options.target or [model.config.decoder_start_token_id]])
    output = model(**inputs, use_cache=False, output_hidden_states=options.hidden)
    tensors = dict(logits=output.logits[0])
    if options.hidden:
        states = output.decoder_hidden_states if model.config.is_encoder_decoder else output.hidden_states
        tensors.update({f"hidden_{i}": state[0] for i, state in enumerate(states)})
    return tensors


if __name__ == "__main__":
    main()
