"""Replies by the way that shares beginnings, called as the one that does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crossin.evaluation.engine import Draw, Reply
from crossin.evaluation.hf.decoding import Limits, decode, plan_replies


def shared(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    stop: Sequence[str] = (),
    draws: Sequence[Draw | None] | None = None,
    limits: Limits | None = None,
    unit_tokens: int = 10**6,
) -> list[Reply]:
    """The replies to `prompts`, in their order, from units of about `unit_tokens` tokens."""
    found: dict[int, Reply] = {}
    prefixes: dict[Any, Any] = {}
    drawn: Mapping[int, Draw] = {number: draw for number, draw in enumerate(draws or ()) if draw}
    for unit in plan_replies(prompts, tokens=unit_tokens, rows=10**6):
        found |= decode(
            model,
            tokenizer,
            dict(enumerate(prompts)),
            unit,
            prefixes,
            max_tokens=max_tokens,
            stop=stop,
            draws=drawn,
            limits=limits or Limits(),
        )
    return [found[number] for number in range(len(prompts))]
