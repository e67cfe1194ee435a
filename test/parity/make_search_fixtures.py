"""Writes test/parity/search: what `generate` of PyTorch `transformers` finds by beam search in the parity checkpoints.

    python test/parity/make_search_fixtures.py [CASE ...]

Computed in float64 throughout, with every hypothesis' score; a batch is drawn again until float32 finds the same ids
and no score lies so near to another that rounding could swap them. Decoder-only prompts have different lengths and are
padded on the left, sources on the right: the numbers are those of each prompt alone.
"""

import itertools
import json
import sys
import zlib
from pathlib import Path

import torch
import transformers

import reference
from padding import batch

FOLDER = Path(__file__).parent / "search"
CHECKPOINTS = Path(__file__).parent / "fixtures"
CASES = ["gpt2", "llama-gqa-sharded", "t5-gated-gelu-untied", "bart", "marian"]
BEAMS = [2, 4, 5]
LENGTH_PENALTIES = [-1.0, 0.0, 0.6, 1.0, 2.0]
EARLY_STOPPING = [False, True, "never"]
LENGTHS = [7, 3, 10]
MAX_NEW_TOKENS = 12
NEAR = 1e-5


def settings(ends, words):
    """Every combination of width, penalty and early stopping; two ends; a least length; bad words."""
    for beams, penalty, stop in itertools.product(BEAMS, LENGTH_PENALTIES, EARLY_STOPPING):
        yield dict(num_beams=beams, length_penalty=penalty, early_stopping=stop, eos_token_id=ends[:1])
    for stop in EARLY_STOPPING:
        yield dict(num_beams=4, length_penalty=1.0, early_stopping=stop, eos_token_id=ends)
    yield dict(num_beams=4, length_penalty=1.0, early_stopping=False, eos_token_id=ends[:1], min_new_tokens=6)
    yield dict(num_beams=4, length_penalty=1.0, early_stopping=False, eos_token_id=ends[:1], bad_words_ids=words)


def search(model, prompts, setting):
    """[prompts][beams] of (generated ids, score)."""
    inputs = batch(model, prompts)
    out = model.generate(**inputs, **setting, max_new_tokens=MAX_NEW_TOKENS, num_return_sequences=setting["num_beams"],
                         do_sample=False, pad_token_id=0, return_dict_in_generate=True, output_scores=True)
    start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    found = [(cut(row[start:].tolist(), setting["eos_token_id"]), float(score))
             for row, score in zip(out.sequences, out.sequences_scores)]
    beams = setting["num_beams"]
    return [found[i:i + beams] for i in range(0, len(found), beams)]


def cut(ids, ends):
    """Without the padding after the first end."""
    first = next((i for i, token in enumerate(ids) if token in ends), len(ids))
    return ids[:first + 1]


def is_clear(exact, rounded):
    """Same ids in float32, and no two hypotheses whose order is a matter of rounding."""
    for a, b in zip(exact, rounded):
        scores = [score for _, score in a]
        if [ids for ids, _ in a] != [ids for ids, _ in b]:
            return False
        if any(abs(x - y) < NEAR for x, y in zip(scores, scores[1:])):
            return False
    return True


def choose_ends(model, draw):
    """Two tokens that the model often chooses, so that hypotheses end at different lengths."""
    plain = dict(num_beams=5, length_penalty=0.0, early_stopping=False, eos_token_id=[10**6])
    prompts = [draw(length) for length in LENGTHS * 4]
    counts = torch.zeros(model.config.vocab_size, dtype=torch.long)
    for hypotheses in search(model, prompts, plain):
        for ids, _ in hypotheses:
            counts[ids] += 1
    order = counts[3:-6].argsort(descending=True, stable=True) + 3
    return order[:2].tolist(), order[2:5].tolist()


def make(name):
    generator = torch.Generator().manual_seed(zlib.crc32(f"search {name}".encode()))
    model = reference.load(CHECKPOINTS / name)
    with reference.Float64Throughout():
        exact = reference.load(CHECKPOINTS / name, torch.float64)
    for each in (model, exact):
        for key in ["eos_token_id", "forced_eos_token_id", "forced_bos_token_id"]:
            setattr(each.generation_config, key, None)
    last = getattr(model.config, "decoder_vocab_size", model.config.vocab_size) - 1
    draw = lambda length: torch.randint(3, last, (length,), generator=generator).tolist()
    ends, common = choose_ends(model, draw)
    entries, lengths = [], []
    for setting in settings(ends, [common[:1], common[1:]]):
        for attempt in range(100):
            prompts = [draw(length) for length in LENGTHS]
            with reference.Float64Throughout():
                truth = search(exact, prompts, setting)
            if is_clear(truth, search(model, prompts, setting)):
                break
        else:
            raise RuntimeError(f"{name}: no clear batch for {setting}")
        lengths += [len(ids) for row in truth for ids, _ in row]
        entries.append(dict(setting, prompts=prompts, hypotheses=[
            [dict(ids=ids, score=round(score, 7)) for ids, score in row] for row in truth]))
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    versions = json.dumps(dict(torch=torch.__version__, transformers=transformers.__version__))
    (FOLDER / f"{name}.json").write_text(
        f'{{"versions":{versions},"maxNewTokens":{MAX_NEW_TOKENS},"cases":[\n{lines}\n]}}\n')
    shares = [sum(length == n for length in lengths) for n in range(1, MAX_NEW_TOKENS + 1)]
    print(f"{name:24} {len(entries)} cases, ends {ends}, hypotheses by length {shares}", flush=True)


def main(names):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    reference.keep_t5_buckets_in_float32()
    FOLDER.mkdir(exist_ok=True)
    for name in names or CASES:
        make(name)


if __name__ == "__main__":
    main(sys.argv[1:])
