"""Replies, decoded greedily, of many prompts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossin.evaluation.engine import Reply


def batches(prompts: Sequence[Sequence[int]], limit: int, max_tokens: int) -> list[list[int]]:
    """The numbers of the prompts to compute together, such that no batch lays out more than `limit` tokens,
    padding and replies of `max_tokens` included; a prompt longer than that has a batch of its own.

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

    Greedy means greedy: the most probable token each time. What the model's folder asks for in its
    generation_config (sampling, penalties, beams, stop texts) is left aside, but for its end tokens. A reply
    ends at one of them, at the tokenizer's own end token, or before the first text of `stop`, wherever the
    borders of its tokens lie; a text of `stop` that is a special token ends it too. Special tokens are not
    part of the text. `cut` says that none of these came. The prompts are padded on the left; a prompt alone
    gives the same logits but for rounding.

    `computed` counts what went through the model in a prompt's row, padding and the wait for the longest
    reply included.
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
    # How many tokens a row had when it ended; what the model adds while it waits for the others is not read.
    lengths: dict[int, int] = {}

    def ended(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
        for row, reply in enumerate(tokens[:, width:].tolist()):
            if row not in lengths and (
                reply[-1] in ends or _before(_text(tokenizer, reply), stop) is not None
            ):
                lengths[row] = len(reply)
        return torch.tensor([row in lengths for row in range(len(prompts))], device=tokens.device)

    # What generate is not told, it takes from the model's own configuration: it must not find one.
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
        text = _text(tokenizer, tokens[: lengths.get(row)])
        before = _before(text, stop)
        replies.append(Reply(text if before is None else before, row not in lengths, computed))
    return replies


def _end_tokens(model: Any, tokenizer: Any, stop: Sequence[str]) -> set[int]:
    own = model.generation_config.eos_token_id
    ends = {*([own] if isinstance(own, int) else own or []), tokenizer.eos_token_id} - {None}
    # The text of a special token is never read, so it has to be found by its number.
    special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    return ends | {special[text] for text in stop if text in special}


def _text(tokenizer: Any, tokens: list[int]) -> str:
    text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _before(text: str, stop: Sequence[str]) -> str | None:
    """What stands before the first text of `stop`, or None where there is none."""
    places = [place for place in (text.find(end) for end in stop) if place >= 0]
    return text[: min(places)] if places else None
