"""Prompts of different lengths as one batch."""

import torch


def batch(model, prompts):
    """Inputs of `generate`: a decoder's prompts are padded on the left, an encoder's on the right."""
    longest = max(map(len, prompts))
    ids, mask = torch.zeros(len(prompts), longest, dtype=torch.long), torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        place = slice(0, len(prompt)) if model.config.is_encoder_decoder else slice(longest - len(prompt), longest)
        ids[row, place], mask[row, place] = torch.tensor(prompt), 1
    return dict(input_ids=ids, attention_mask=mask)
