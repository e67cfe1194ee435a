"""Trains the interim story model: a Llama of about a million weights on public domain stories, in minutes on a CPU.

    python test/parity/train_story_model.py [--minutes 24] [--threads 1] [--data DIR]

Progress is kept in scratch/story-model, so an interrupted run goes on from its last checkpoint; a finished one is
turned into test/fixtures/stories-tiny by export_story_model.py. The learning rate follows the processor time spent, not the
number of steps, so that a run costs the same on any machine, busy or idle.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HITHERTO_DATA", ROOT.parent / "shared" / "data"))
WORK = ROOT / "scratch" / "story-model"
END = "<|endoftext|>"
VOCAB_SIZE, CONTEXT, BATCH = 2048, 512, 4
CHECKPOINT_EVERY = 60  # seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=24, help="processor time")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds text/stories")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    WORK.mkdir(parents=True, exist_ok=True)
    tokens = training_tokens(options.data)
    train(tokens, options.minutes * 60)


def read_text(data, split):
    with gzip.open(data / "text" / "stories" / f"{split}.txt.gz", "rt", encoding="utf-8") as file:
        return file.read()


def training_tokens(data):
    """[tokens] of the training text; made once, then read from disk."""
    path = WORK / "train.npy"
    if not path.exists():
        text = read_text(data, "train")
        tokenizer = train_tokenizer(text)
        tokenizer.save(str(WORK / "tokenizer.json"))
        np.save(path, encode(tokenizer, text))
    return torch.from_numpy(np.load(path).astype(np.int64))


def train_tokenizer(text):
    """Byte-level BPE with GPT-2's splitting rule; id 0 separates books."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, special_tokens=[END], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(text.split(END), trainer)
    return tokenizer


def encode(tokenizer, text):
    """Each book's ids after the separator's, without the line break that follows a separator in the file."""
    books = [END + book.removeprefix("\n") for book in text.split(END) if book.strip()]
    return np.concatenate([np.array(tokenizer.encode(book).ids, dtype=np.uint16) for book in books])


def new_model():
    torch.manual_seed(20240229)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCAB_SIZE, hidden_size=128, intermediate_size=352, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, tie_word_embeddings=True, rms_norm_eps=1e-5,
        bos_token_id=0, eos_token_id=0))


def optimizers(model):
    """Muon for the matrices inside the layers, AdamW for the embeddings and norms."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=8e-3, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=4e-3, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def rate(progress):
    """Share of the full learning rate: a short rise, a plateau, a straight fall to zero over the second half."""
    return min(1.0, progress / 0.01, 2 * (1 - progress))


def batch(tokens, step):
    """[BATCH, CONTEXT + 1] windows, chosen by the step alone so that a resumed run sees what it would have seen."""
    starts = torch.randint(len(tokens) - CONTEXT - 1, (BATCH,), generator=torch.Generator().manual_seed(step))
    return torch.stack([tokens[start:start + CONTEXT + 1] for start in starts])


def train(tokens, seconds):
    model, step, spent = new_model(), 0, 0.0
    optimisers = optimizers(model)
    path = WORK / "checkpoint.pt"
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(optimisers, state["optimizers"]):
            optimiser.load_state_dict(saved)
        step, spent = state["step"], state["spent"]
    peaks = [optimiser.defaults["lr"] for optimiser in optimisers]
    saved_at, average = spent, None
    while spent < seconds:
        began = time.process_time()
        for optimiser, peak in zip(optimisers, peaks):
            for group in optimiser.param_groups:
                group["lr"] = peak * rate(spent / seconds)
        loss = train_step(model, optimisers, batch(tokens, step))
        average = loss if average is None else 0.98 * average + 0.02 * loss
        step, spent = step + 1, spent + time.process_time() - began
        if step % 100 == 0:
            speed = step * BATCH * CONTEXT / spent
            print(f"step {step}  {spent:.0f} s  loss {average:.3f}  {speed:.0f} tokens/s", flush=True)
        if spent - saved_at > CHECKPOINT_EVERY or spent >= seconds:
            saved_at = spent
            save_checkpoint(path, model, optimisers, step, spent)


def save_checkpoint(path, model, optimisers, step, spent):
    state = dict(model=model.state_dict(), optimizers=[o.state_dict() for o in optimisers], step=step, spent=spent)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def train_step(model, optimisers, windows):
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=windows[:, :-1], use_cache=False).logits
    loss = F.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
        optimiser.zero_grad()
    return loss.item()


if __name__ == "__main__":
    main()
