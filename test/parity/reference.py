"""Random weights, float64 evaluation and greedy decoding of PyTorch `transformers` models."""

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.models.t5.modeling_t5 import T5Attention
from transformers.pytorch_utils import Conv1D


class Float64Throughout(TorchFunctionMode):
    """Turns the float32 that models ask for by name (in norms, softmax, rotary angles) into float64.

    `model.double()` alone leaves those in float32, which caps the reference at float32's own error.
    """

    def __enter__(self):
        torch.set_default_dtype(torch.float64)
        return super().__enter__()

    def __exit__(self, *error):
        torch.set_default_dtype(torch.float32)
        return super().__exit__(*error)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        function = torch.Tensor.double if function is torch.Tensor.float else function
        widen = lambda value: torch.float64 if value is torch.float32 else value
        return function(*map(widen, args), **{name: widen(value) for name, value in (kwargs or {}).items()})


def keep_t5_buckets_in_float32():
    """Bucket edges are a rounding of float32 logarithms, part of T5's definition: do not compute them more exactly."""
    original = T5Attention._relative_position_bucket

    def bucket(*args, **kwargs):
        with torch._C.DisableTorchFunction():
            return original(*args, **kwargs)

    T5Attention._relative_position_bucket = staticmethod(bucket)


def load(folder, dtype=torch.float32, **options):
    """The model saved in `folder`, with plain ("eager") attention, ready to evaluate."""
    config = options.get("config") or AutoConfig.from_pretrained(folder)
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    return auto.from_pretrained(folder, dtype=dtype, attn_implementation="eager", **options).eval()


def randomise(model, generator, embedding_std):
    """Draws every weight so that each one matters: no bias is zero, no norm weight is one, logits vary by several."""
    seen = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                draw(module, parameter.data, generator, embedding_std)
    for module in model.modules():
        if isinstance(module, T5Attention):  # T5 does not divide scores by sqrt(headDim); its weights must
            module.q.weight.data *= module.key_value_proj_dim**-0.5
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.uniform_(-1, 1, generator=generator)


def draw(module, weight, generator, embedding_std):
    if weight.ndim == 1:  # norm weights stay around their initial 1 (Gemma: 0), biases around 0
        weight += torch.empty_like(weight).uniform_(-0.25, 0.25, generator=generator)
    elif isinstance(module, nn.Embedding):
        weight.normal_(0, embedding_std, generator=generator)
    else:
        inputs = weight.shape[0] if isinstance(module, Conv1D) else weight.shape[1]
        weight.normal_(0, 1.5 * inputs**-0.5, generator=generator)


@torch.no_grad()
def logits(model, ids):
    """[tokens, vocabSize] for one sequence, no cache."""
    return model(input_ids=ids[None], use_cache=False).logits[0]


@torch.no_grad()
def encode(model, source):
    """[source tokens, hiddenSize]: what the decoder attends to."""
    return model.get_encoder()(input_ids=source[None]).last_hidden_state[0]


@torch.no_grad()
def translation_logits(model, source, target):
    """[target tokens, vocabSize] for decoder inputs `target`, no cache."""
    return model(input_ids=source[None], decoder_input_ids=target[None], use_cache=False).logits[0]


def greedy(next_logits, prompt, steps):
    """Greedy continuation by whole forward passes, and the smallest lead of a chosen token over the runner-up."""
    ids, margin = prompt, float("inf")
    for _ in range(steps):
        best = next_logits(ids)[-1].topk(2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        ids = torch.cat([ids, best.indices[:1]])
    return ids[len(prompt):], margin


def cached_greedy(model, prompt, steps, source=None):
    """The same continuation by transformers' own cached `generate`."""
    inputs = dict(input_ids=prompt[None]) if source is None else dict(
        input_ids=source[None], decoder_input_ids=prompt[None])
    ones = torch.ones_like(inputs["input_ids"])
    model.generation_config.eos_token_id = model.generation_config.forced_eos_token_id = None
    out = model.generate(**inputs, attention_mask=ones, max_new_tokens=steps, do_sample=False, num_beams=1)
    return out[0, len(prompt):]
