"""Where a prompt ends and its continuation begins, in tokens: one rule for training and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def heading_of(tokenizer: Any) -> tuple[int, ...]:
    """The tokens that this tokenizer puts before every text, such as the beginning of a sequence."""
    with_special = tokenizer("a")["input_ids"]
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    for length in range(len(with_special) + 1):
        if with_special[length : length + len(bare)] == bare:
            return tuple(with_special[:length])
    return ()


def head_for(tokenizer: Any, head: tuple[int, ...], start: int) -> tuple[int, ...]:
    """The tokens before a text whose token `start` is the first to be scored: `head`, or where nothing would
    precede that token, the beginning of a sequence (or the end of one, for tokenizers without it).
    """
    if head or start:
        return head
    return (tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id,)


def split(tokenizer: Any, texts: list[str], borders: list[int]) -> list[tuple[tuple[int, ...], int]]:
    """The tokens of each text, and how many of them end at or before its border (counted in characters): a
    token that holds characters of both sides belongs to the second.
    """
    if not texts:
        return []
    if not tokenizer.is_fast:
        # Without offsets: what the text shares with the text up to the border.
        prompts = [text[:border] for text, border in zip(texts, borders, strict=True)]
        both = (tokenizer(some, add_special_tokens=False)["input_ids"] for some in (texts, prompts))
        return [(tuple(whole), shared_length(whole, part)) for whole, part in zip(*both, strict=True)]
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    # One int object per distinct token: one per place would be most of the memory.
    numbers: dict[int, int] = {}
    split = []
    for tokens, offsets, border in zip(encoded["input_ids"], encoded["offset_mapping"], borders, strict=True):
        start = len(tokens)
        while start and offsets[start - 1][1] > border:
            start -= 1
        split.append((tuple(numbers.setdefault(token, token) for token in tokens), start))
    return split


def split_spelled(
    tokenizer: Any, text: str, borders: Sequence[int], spans: Sequence[tuple[int, int]]
) -> tuple[tuple[int, ...], list[int]]:
    """As `split`, of one text with several borders; within `spans` (in characters) a special token that is
    spelled out is text, if the tokenizer is a fast one.
    """
    if not tokenizer.is_fast:
        found = split(tokenizer, [text] * len(borders), list(borders))
        return found[0][0], [before for _, before in found]
    special = {number for number, one in tokenizer.added_tokens_decoder.items() if one.special}
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    tokens: list[int] = []
    before = [0] * len(borders)
    for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        inside = any(first <= start and end <= last for first, last in spans)
        if token in special and inside:
            plain = tokenizer(text[start:end], add_special_tokens=False, split_special_tokens=True)
            tokens += plain["input_ids"]
        else:
            tokens.append(token)
        before = [len(tokens) if end <= border else one for one, border in zip(before, borders, strict=True)]
    return tuple(tokens), before


def shared_length(*texts: Sequence[int]) -> int:
    """How many tokens all of the texts begin with."""
    columns = enumerate(zip(*texts, strict=False))
    return next((number for number, tokens in columns if len(set(tokens)) > 1), min(map(len, texts)))
