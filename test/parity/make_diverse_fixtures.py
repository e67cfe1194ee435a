"""Writes test/parity/diverse: diverse (group) beam search by `generate` of transformers 4.49, which still has it.

    pip install --target OLD --no-deps transformers==4.49.0 "tokenizers<0.22" "huggingface-hub<1.0"
    PYTHONPATH=OLD python test/parity/make_diverse_fixtures.py

In float32. Decoder-only prompts are padded on the left; sources are of one length, since this old release with a current
PyTorch does not keep padding out of an encoder. Batches in which scores lie so near to each other that rounding could swap them are drawn again.
"""

import itertools
import json
import zlib
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from padding import batch

HERE = Path(__file__).parent
CASES = {"gpt2": [8, 30], "llama-gqa-sharded": [8, 28], "t5-gated-gelu-untied": [20, 35], "marian": [36, 56]}  # ends
GROUPS = [(4, 2), (6, 3), (4, 4)]
PENALTIES = [0.5, 3.0]
LENGTHS = [7, 3, 10]
MAX_NEW_TOKENS = 8
NEAR = 1e-3
PADDING = {"llama-gqa-sharded": 2}  # otherwise 66


def load(name):
    folder = HERE / "fixtures" / name
    legacy = folder / "config.legacy.json"
    values = json.loads((legacy if legacy.exists() else folder / "config.json").read_text())
    config = AutoConfig.for_model(**values)
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = auto.from_pretrained(folder, config=config, torch_dtype=torch.float32, attn_implementation="eager").eval()
    for key in ["eos_token_id", "forced_eos_token_id", "forced_bos_token_id"]:
        setattr(model.generation_config, key, None)
        setattr(model.config, key, None)
    return model


def search(name, model, prompts, setting):
    inputs = batch(model, prompts)
    beams = setting["num_beams"]
    # A group that is done "chooses" the padding, which is then penalised for the others: here one that makes no difference.
    out = model.generate(**inputs, **setting, max_new_tokens=MAX_NEW_TOKENS, num_return_sequences=beams, do_sample=False,
                         pad_token_id=PADDING.get(name, 66), return_dict_in_generate=True, output_scores=True)
    start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    end = setting["eos_token_id"]
    found = []
    for row, score in zip(out.sequences, out.sequences_scores):
        ids = row[start:].tolist()
        found.append((ids[:ids.index(end) + 1] if end in ids else ids, float(score)))
    return [found[i:i + beams] for i in range(0, len(found), beams)]


def is_clear(found):
    """No two scores so near that rounding decides; groups that found the same have just the same score."""
    return all(abs(a[1] - b[1]) > NEAR or a[0] == b[0] for row in found for a, b in zip(row, row[1:]))


def write(folder, name, entries, max_new_tokens):
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    (HERE / folder).mkdir(exist_ok=True)
    (HERE / folder / f"{name}.json").write_text(
        f'{{"transformers":"{transformers.__version__}","maxNewTokens":{max_new_tokens},"cases":[\n{lines}\n]}}\n')
    ended = sum(setting["eos_token_id"] in h["ids"] for setting in entries for row in setting["hypotheses"] for h in row)
    print(f"{name:24} {len(entries)} cases, {ended} hypotheses ended", flush=True)


def make(name):
    model = load(name)
    generator = torch.Generator().manual_seed(zlib.crc32(f"diverse {name}".encode()))
    last = getattr(model.config, "decoder_vocab_size", None) or model.config.vocab_size
    draw = lambda length: torch.randint(3, last - 1, (length,), generator=generator).tolist()
    entries = []
    for (beams, groups), penalty, stop, end in itertools.product(GROUPS, PENALTIES, [False, True], CASES[name]):
        setting = dict(num_beams=beams, num_beam_groups=groups, diversity_penalty=penalty, early_stopping=stop,
                       eos_token_id=end, length_penalty=1.0)
        for _ in range(200):
            lengths = [max(LENGTHS)] * 3 if model.config.is_encoder_decoder else LENGTHS
            prompts = [draw(length) for length in lengths]
            found = search(name, model, prompts, setting)
            if is_clear(found):
                break
        else:
            raise RuntimeError(f"{name}: no clear batch for {setting}")
        entries.append(dict(setting, prompts=prompts, hypotheses=[
            [dict(ids=ids, score=round(score, 6)) for ids, score in row] for row in found]))
    write("diverse", name, entries, MAX_NEW_TOKENS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for each in CASES:
        make(each)
