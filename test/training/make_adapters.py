"""Makes small LoRA adapters with Hugging Face PEFT beside models of test/parity, and what they compute.

    python make_adapters.py          writes adapters/NAME: the adapter and reference.json
    python make_adapters.py --check FOLDER BASE IDS
                                     prints the logits of the last token of an adapter that was written here
"""
import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

here = Path(__file__).parent
fixtures = here.parent / "parity" / "fixtures"
cases = {
    "llama-gqa-sharded": dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"]),
    "gpt2": dict(r=3, lora_alpha=8, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True),
    "phi3": dict(r=2, lora_alpha=4, target_modules="all-linear"),
    "t5-relu-tied": dict(r=2, lora_alpha=2, target_modules=["q", "v", "wo"], use_rslora=True),
}
ids = [3, 17, 5, 40, 8, 2, 60]
source = [11, 4, 33, 1]


def load(base):
    kind = AutoModelForSeq2SeqLM if base.startswith("t5") else AutoModelForCausalLM
    return kind.from_pretrained(fixtures / base, dtype=torch.float32).eval()


def logits(model, base):
    tokens = torch.tensor([ids])
    with torch.no_grad():
        if base.startswith("t5"):
            return model(input_ids=torch.tensor([source]), decoder_input_ids=tokens).logits[0]
        return model(input_ids=tokens).logits[0]


def make(base, options):
    torch.manual_seed(7)
    task = "SEQ_2_SEQ_LM" if base.startswith("t5") else "CAUSAL_LM"
    model = get_peft_model(load(base), LoraConfig(task_type=task, lora_dropout=0.1, **options))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    folder = here / "adapters" / base
    model.eval().save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = base
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    last = logits(model, base)[-1]
    (folder / "reference.json").write_text(json.dumps({"ids": ids, "source": source, "logits": [round(x, 6) for x in last.tolist()]}) + "\n")


if sys.argv[1:2] == ["--check"]:
    folder, base = sys.argv[2:4]
    print(json.dumps(logits(PeftModel.from_pretrained(load(base), folder).eval(), base)[-1].tolist()))
else:
    for base, options in cases.items():
        make(base, options)
