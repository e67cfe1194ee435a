"""Writes test/parity/constrained: beam search that must include phrases, by `generate` of transformers 4.49.

    PYTHONPATH=OLD python test/parity/make_constrained_fixtures.py [CASE ...]

OLD as in make_diverse_fixtures.py, which says what is fixed here too. The best hypothesis alone: among several,
transformers gives back such as lack a phrase, this package does not. Prompts have no token of a phrase, since here what
the prompt has does not count.
"""

import itertools
import sys
import zlib

import torch
import transformers

from make_diverse_fixtures import LENGTHS, PADDING, load, write
from padding import batch

CASES = {"gpt2": 8, "llama-gqa-sharded": 28, "t5-gated-gelu-untied": 20, "marian": 36}  # ends
BEAMS = [2, 5]
PHRASES = [[[11, 12]], [[13], [14, 15, 16]], [[[11], [12, 13]]], [[[14], [15]], [16, 11]]]  # two with alternatives
MAX_NEW_TOKENS = 12


def has(ids, phrase):
    alternatives = phrase if isinstance(phrase[0], list) else [phrase]
    return any(ids[i:i + len(each)] == each for each in alternatives for i in range(len(ids)))


def search(name, model, prompts, setting):
    inputs = batch(model, prompts)
    out = model.generate(**inputs, **setting, max_new_tokens=MAX_NEW_TOKENS, do_sample=False,
                         pad_token_id=PADDING.get(name, 66), return_dict_in_generate=True, output_scores=True)
    start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    end = setting["eos_token_id"]
    rows = [(row[start:].tolist(), float(score)) for row, score in zip(out.sequences, out.sequences_scores)]
    return [(ids[:ids.index(end) + 1] if end in ids else ids, score) for ids, score in rows]


def make(name, end):
    model = load(name)
    generator = torch.Generator().manual_seed(zlib.crc32(f"constrained {name}".encode()))
    last = getattr(model.config, "decoder_vocab_size", None) or model.config.vocab_size
    draw = lambda length: torch.randint(21, last - 1, (length,), generator=generator).tolist()
    entries = []
    for beams, stop, phrases in itertools.product(BEAMS, [False, True], PHRASES):
        setting = dict(num_beams=beams, early_stopping=stop, eos_token_id=end, length_penalty=1.0, force_words_ids=phrases)
        lengths = [max(LENGTHS)] * 3 if model.config.is_encoder_decoder else LENGTHS
        prompts = [draw(length) for length in lengths]
        try:
            found = search(name, model, prompts, setting)
        except RuntimeError:  # some prompt has no hypothesis with all phrases: transformers cannot say so
            print(f"{name}: nothing for {setting}", flush=True)
            continue
        if not all(has(ids, phrase) for ids, _ in found for phrase in phrases):
            print(f"{name}: without a phrase: {setting} {found}")
            continue
        entries.append(dict(setting, prompts=prompts, hypotheses=[[dict(ids=ids, score=round(score, 6))] for ids, score in found]))
    write("constrained", name, entries, MAX_NEW_TOKENS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for each in sys.argv[1:] or CASES:
        make(each, CASES[each])
