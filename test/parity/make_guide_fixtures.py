"""Writes test/parity/guides: guidance, contrastive search and DoLa by `generate` of transformers 4.49.

    PYTHONPATH=OLD python test/parity/make_guide_fixtures.py [CASE ...]

OLD as in make_diverse_fixtures.py. In float32, greedily, without ends. A prompt is drawn again where the two likeliest
tokens of a step are nearer than rounding.
"""

import itertools
import json
import sys
import zlib

import torch
import transformers

from make_diverse_fixtures import HERE, load

STORIES = HERE.parent / "fixtures" / "stories-tiny"
MAX_NEW_TOKENS = 12
NEAR = 1e-4


def guidance(draw):
    for scale, length in itertools.product([0.5, 1.5, 3.0], [None, 1, 4]):
        negative = None if length is None else draw(length)
        given = {} if length is None else dict(negative_prompt_ids=torch.tensor([negative]))
        yield dict(guidance=dict(scale=scale, negative=negative)), dict(guidance_scale=scale, **given)


def contrastive(draw):
    for alpha, k in [(0.1, 4), (0.6, 4), (0.6, 8), (0.9, 3)]:
        yield dict(contrastive=dict(penaltyAlpha=alpha, topK=k)), dict(penalty_alpha=alpha, top_k=k)


def dola(draw):
    for layers in ["low", "high", [1], [0, 1], [2, 1, 0]]:
        yield dict(dola=dict(layers=layers)), dict(dola_layers=layers)


CASES = {
    "gpt2": [guidance, contrastive],
    "llama-gqa-sharded": [guidance, contrastive, dola],
    "t5-gated-gelu-untied": [contrastive],
    "stories-tiny": [guidance, dola],
}


def is_clear(scores):
    """No step at which rounding decides."""
    for step in scores or []:
        first, second = step[0].topk(2).values.tolist()
        if first - second < NEAR:
            return False
    return True


def run(model, prompt, setting):
    # Contrastive search's own scores are those before its choice.
    out = model.generate(input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                         **setting, max_new_tokens=MAX_NEW_TOKENS, do_sample=False, pad_token_id=0,
                         return_dict_in_generate=True, output_scores=True)
    start = 1 if model.config.is_encoder_decoder else len(prompt)
    return out.sequences[0, start:].tolist(), is_clear(out.scores)


def make(name, model, ways, vocabulary):
    generator = torch.Generator().manual_seed(zlib.crc32(f"guides {name}".encode()))
    draw = lambda length: torch.randint(3, vocabulary - 1, (length,), generator=generator).tolist()
    entries = []
    for way in ways:
        for options, setting in way(draw):
            layers = setting.get("dola_layers")
            if isinstance(layers, list) and max(layers) >= model.config.num_hidden_layers:
                continue  # transformers passes over layers that there are not; here they are an error
            for length in [3, 9]:
                for _ in range(50):
                    prompt = draw(length)
                    ids, clear = run(model, prompt, setting)
                    if clear or way is contrastive:
                        break
                entries.append(dict(options, prompt=prompt, ids=ids))
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    (HERE / "guides" / f"{name}.json").write_text(f'{{"transformers":"{transformers.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{name:24} {len(entries)} cases", flush=True)


def main(names):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    (HERE / "guides").mkdir(exist_ok=True)
    for name in names or CASES:
        model = load(STORIES if name == "stories-tiny" else name)
        make(name, model, CASES[name], getattr(model.config, "decoder_vocab_size", None) or model.config.vocab_size)


if __name__ == "__main__":
    main(sys.argv[1:])
