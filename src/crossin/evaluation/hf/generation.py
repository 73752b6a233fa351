"""Replies, decoded greedily, of many prompts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossin.evaluation.engine import Reply

# A token has a byte of text or more, but for a few that have none.
_MORE_TOKENS = 16


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
    too. Special tokens are not part of the text. `cut` says that none of these came. The prompts are padded
    on the left; a prompt alone gives the same logits but for rounding.

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
    window = max((len(text.encode()) for text in stop), default=0) + _MORE_TOKENS
    # How many tokens a row had when it ended; what comes while it waits for the others is ignored.
    lengths: dict[int, int] = {}

    def is_stopped(reply: list[int]) -> bool:
        # The last tokens are decoded first: the whole of every reply at every step would take quadratic time.
        return bool(stop) and all(
            _before(_text(tokenizer, some), stop) is not None for some in (reply[-window:], reply)
        )

    def ended(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
        for row, reply in enumerate(tokens[:, width:].tolist()):
            if row not in lengths and (reply[-1] in ends or is_stopped(reply)):
                lengths[row] = len(reply)
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
        text = _text(tokenizer, tokens[: lengths.get(row)])
        before = _before(text, stop)
        cut = row not in lengths and before is None
        replies.append(Reply(text if before is None else before, cut, computed))
    return replies


def _end_tokens(model: Any, tokenizer: Any, stop: Sequence[str]) -> set[int]:
    own = model.generation_config.eos_token_id
    ends = {*([own] if isinstance(own, int) else own or []), tokenizer.eos_token_id} - {None}
    # Special tokens are not part of the text, so they have to be found by number.
    special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    return ends | {special[text] for text in stop if text in special}


def _text(tokenizer: Any, tokens: list[int]) -> str:
    text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _before(text: str, stop: Sequence[str]) -> str | None:
    """The text before the first of `stop`, or None where there is none."""
    places = [place for place in (text.find(end) for end in stop) if place >= 0]
    return text[: min(places)] if places else None
