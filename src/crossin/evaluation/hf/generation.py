"""Replies, decoded greedily, of many prompts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossin.evaluation.engine import Reply, before
from crossin.evaluation.hf.stops import StopSearch, decoded, decoded_with_thoughts


def reply_batches(prompts: Sequence[Sequence[int]], limit: int, max_tokens: int) -> list[list[int]]:
    """The numbers of the prompts of each batch, such that none has more than `limit` tokens, padding and
    replies of `max_tokens` included; a prompt longer than that has a batch of its own.

    Depends on the prompts alone, not on their order: the longest come first, those of one length in the order
    of their tokens. So the whole of a batch, computed again after a restart, gives the same bits on a CPU.
    """
    order = sorted(range(len(prompts)), key=lambda number: (-len(prompts[number]), list(prompts[number])))
    found: list[list[int]] = []
    rows = 0
    for number in order:
        if not found or len(found[-1]) == rows:
            rows = max(1, limit // (len(prompts[number]) + max_tokens))
            found.append([])
        found[-1].append(number)
    return found


def generate(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], *, max_tokens: int, stop: Sequence[str] = ()
) -> list[Reply]:
    """The replies to `prompts` (token ids, none empty), computed together, each of at most `max_tokens`
    tokens.

    Decoding is greedy. The model's generation_config (sampling, penalties, beams, stop texts) is ignored, but
    for its end tokens. A reply ends at one of them, at the tokenizer's own end token, or before the first
    text of `stop`, wherever the borders of its tokens lie; a text of `stop` that is a special token ends it
    too. Special tokens are not part of the text, except for tags of thoughts. `cut` says that none of these
    came. The prompts are padded on the left; a prompt alone gives the same logits but for rounding.

    `computed` counts the tokens of a prompt's row, padding and the wait for the longest reply included.
    """
    import torch
    from transformers import GenerationConfig

    if not prompts:
        return []
    width = max(map(len, prompts))
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    ends = _end_tokens(model, tokenizer, stop)
    searches = [StopSearch(tokenizer, stop) for _ in prompts]
    # How many tokens a row had when it ended; what comes while it waits for the others is ignored.
    lengths: dict[int, int] = {}

    def ended(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
        for row, token in enumerate(tokens[:, -1].tolist()):
            if row not in lengths and (
                token in ends
                or (
                    searches[row].found(token)
                    and before(decoded(tokenizer, tokens[row, width:].tolist()), stop) is not None
                )
            ):
                lengths[row] = tokens.shape[1] - width
        return torch.tensor([row in lengths for row in range(len(prompts))], device=tokens.device)

    # Settings that are not passed come from the model's own configuration: there must be none.
    own = model.generation_config
    model.generation_config = GenerationConfig()
    try:
        with torch.inference_mode():
            output = model.generate(
                ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=GenerationConfig(
                    do_sample=False, max_new_tokens=max_tokens, use_cache=True
                ),
                stopping_criteria=[ended],
            )
    finally:
        model.generation_config = own
    computed = output.shape[1] - 1
    replies = []
    for row, tokens in enumerate(output[:, width:].tolist()):
        text = decoded_with_thoughts(tokenizer, tokens[: lengths.get(row)])
        shorter = before(text, stop)
        cut = row not in lengths and shorter is None
        replies.append(Reply(text if shorter is None else shorter, cut, computed))
    return replies


def _end_tokens(model: Any, tokenizer: Any, stop: Sequence[str]) -> set[int]:
    own = model.generation_config.eos_token_id
    ends = {*([own] if isinstance(own, int) else own or []), tokenizer.eos_token_id} - {None}
    # Special tokens are not part of the text, so they have to be found by number.
    special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    return ends | {special[text] for text in stop if text in special}
