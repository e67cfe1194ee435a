"""Turns the checkpoint of train_story_model.py into test/fixtures/stories-tiny, its model card and its parity fixture.

    python test/parity/export_story_model.py [--data DIR]
"""

import argparse
import json
import math
from pathlib import Path
from string import Template

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer

import reference
from make_fixtures import write_json
from train_story_model import BATCH, CONTEXT, DATA, END, ROOT, WORK, encode, new_model, read_text

FOLDER = ROOT / "test" / "fixtures" / "stories-tiny"
FIXTURE = Path(__file__).parent / "fixtures" / "stories-tiny"
PROMPT = "Once upon a time"
GREEDY_STEPS = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds text/stories")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    state = torch.load(WORK / "checkpoint.pt")
    tokenizer = save_model(state)
    write_fixture(tokenizer)
    write_card(tokenizer, state, options.data)


def save_model(state):
    """The folder, in half precision, which costs less than rounding to bfloat16 would."""
    model = new_model()
    model.load_state_dict(state["model"])
    model.half().save_pretrained(FOLDER)
    tokenizer = Tokenizer.from_file(str(WORK / "tokenizer.json"))
    tokenizer.save(str(FOLDER / "tokenizer.json"))
    write_json(FOLDER / "tokenizer_config.json", dict(
        tokenizer_class="PreTrainedTokenizerFast", bos_token=END, eos_token=END, model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False))
    return tokenizer


@torch.no_grad()
def write_fixture(tokenizer):
    """Logits of the prompt and a greedy continuation of the saved weights, in float64."""
    prompt = torch.tensor(tokenizer.encode(PROMPT).ids)
    with reference.Float64Throughout():
        model = reference.load(FOLDER, torch.float64)
        logits = reference.logits(model, prompt)
        ids, margin = reference.greedy(lambda ids: reference.logits(model, ids), prompt, GREEDY_STEPS)
        assert torch.equal(ids, reference.cached_greedy(model, prompt, GREEDY_STEPS))
    FIXTURE.mkdir(parents=True, exist_ok=True)
    tensors = dict(input_ids_0=prompt.int(), logits_0=logits.float(), greedy_prompt_0=prompt.int(), greedy_0=ids.int())
    save_file(tensors, FIXTURE / "reference.safetensors")
    continuation = tokenizer.decode(ids.tolist())
    write_json(FIXTURE / "greedy.json", dict(prompt=PROMPT, continuation=continuation))
    print(f"greedy margin {margin:.4f}\n{PROMPT}{continuation}")


@torch.no_grad()
def bits_per_byte(model, ids, size, stride):
    """Of a text of `size` bytes: windows of CONTEXT tokens, `stride` apart; each token is scored once."""
    nats, scored = 0.0, 0
    for start in range(0, len(ids) - 1, stride):
        window = ids[start:start + CONTEXT + 1]
        new = start + len(window) - 1 - scored
        logits = model(input_ids=window[None, :-1], use_cache=False).logits[0]
        nats += float(F.cross_entropy(logits[-new:], window[-new:], reduction="sum"))
        scored += new
        if scored == len(ids) - 1:
            return nats / math.log(2) / size


@torch.no_grad()
def sample(model, tokenizer, seed):
    torch.manual_seed(seed)
    prompt = torch.tensor([tokenizer.encode(PROMPT).ids])
    out = model.generate(
        prompt, attention_mask=torch.ones_like(prompt), pad_token_id=0, do_sample=True, temperature=0.7, top_p=0.9,
        top_k=0, max_new_tokens=120)
    return tokenizer.decode(out[0].tolist())


def write_card(tokenizer, state, data):
    model = reference.load(FOLDER)
    text = read_text(data, "valid")
    ids, size = torch.from_numpy(encode(tokenizer, text).astype("int64")), len(text.encode())
    card = Template((Path(__file__).parent / "story_model_card.md").read_text())
    (FOLDER / "README.md").write_text(card.substitute(
        parameters=f"{model.num_parameters():,}", vocabulary=tokenizer.get_vocab_size(), context=CONTEXT, batch=BATCH,
        steps=f"{state['step']:,}", tokens=f"{state['step'] * BATCH * CONTEXT / 1e6:.1f} million",
        minutes=round(state["spent"] / 60), bits=f"{bits_per_byte(model, ids, size, CONTEXT // 2):.3f}",
        bits_apart=f"{bits_per_byte(model, ids, size, CONTEXT):.3f}",
        samples="\n\n".join("> " + sample(model, tokenizer, seed).replace("\n", "\n> ") for seed in (1, 2))))
    print(FOLDER / "README.md")


if __name__ == "__main__":
    main()
