"""Trains the model of FOLDER/initial on FOLDER/train.safetensors as FOLDER/plan.json says, and measures what was held out.

Started by train-beside-torch.mjs, which trains the same model on the same tokens. Rows are cut into their sequences
(position 0 begins one), which are padded to one length and attend to themselves alone. AdamW: matrices decay, vectors
and tables of embeddings do not. Prints one JSON object.
"""

import json
import math
import sys
import time

import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import AutoModelForCausalLM

folder = sys.argv[1]
plan = json.load(open(f"{folder}/plan.json"))
torch.set_num_threads(plan["threads"])
model = AutoModelForCausalLM.from_pretrained(f"{folder}/initial", dtype=torch.float32)
options = plan["optimizer"]
tables = {m.weight for m in model.modules() if isinstance(m, torch.nn.Embedding)}
matrices = [p for p in model.parameters() if p.dim() >= 2 and p not in tables]
others = [p for p in model.parameters() if p.dim() < 2 or p in tables]
adamw = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": options["weightDecay"]}, {"params": others, "weight_decay": 0.0}],
    lr=1.0,
    betas=(options["beta1"], options["beta2"]),
    eps=options.get("eps", 1e-8),
)


def batches(name):
    """Each batch as (ids, targets) [sequences, length], padded with 0 and -100."""
    tensors = load_file(f"{folder}/{name}.safetensors")
    start = 0
    for end in tensors["ends"].tolist():
        positions = tensors["positions"][start:end]
        cuts = (positions == 0).nonzero().flatten().tolist() + [end - start]
        pieces = [slice(start + a, start + b) for a, b in zip(cuts, cuts[1:])]
        longest = max(piece.stop - piece.start for piece in pieces)
        ids = torch.zeros(len(pieces), longest, dtype=torch.long)
        targets = torch.full((len(pieces), longest), -100)
        for row, piece in enumerate(pieces):
            length = piece.stop - piece.start
            ids[row, :length] = tensors["ids"][piece]
            targets[row, :length] = tensors["targets"][piece]
        targets[targets < 0] = -100
        yield ids, targets
        start = end


def total_loss(ids, targets):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=plan["precision"] == "bf16"):
        logits = model(ids).logits
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum")


losses = []
began = time.perf_counter()
stream = batches("train")
for rate in plan["rates"]:
    parts = [next(stream) for _ in range(plan["parts"])]
    counted = sum(int((targets >= 0).sum()) for _, targets in parts)
    loss = 0.0
    for ids, targets in parts:
        part = total_loss(ids, targets) / counted
        part.backward()
        loss += part.item()
    if options["clipNorm"] > 0:
        torch.nn.utils.clip_grad_norm_(model.parameters(), options["clipNorm"])
    for group in adamw.param_groups:
        group["lr"] = rate
    adamw.step()
    adamw.zero_grad()
    losses.append(loss)
seconds = time.perf_counter() - began

with torch.no_grad():
    held_out = [(total_loss(ids, targets).item(), int((targets >= 0).sum())) for ids, targets in batches("held-out")]
nats, tokens = (sum(column) for column in zip(*held_out))
result = {"losses": losses, "heldOutLoss": nats / tokens, "bitsPerByte": nats / math.log(2) / plan["bytes"]}
print(json.dumps({**result, "seconds": seconds}))
