"""Which option a model chooses where each is scored by its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

# What decides between options: the log-probability of each as it is (`sum`), a `token`, a UTF-8 `byte`, or
# less that of the option without its question (`bare`).
Choice = Literal["sum", "token", "byte", "bare"]


def option_values(
    options: Sequence[str],
    logprobs: Sequence[float | None],
    tokens: Sequence[int],
    bare: Sequence[float | None] | None,
    choice: Choice,
) -> list[float | None]:
    """What decides between the options, given their texts: each one's log-probability, by `choice` as it is,
    a token, or a byte; less that in `bare` where the options were asked without their question. None where it
    is not known. Where the option fills a gap, texts and tokens are those of the whole sentence, which all is
    scored.
    """
    if bare is not None:
        return [
            None if one is None or alone is None else one - alone
            for one, alone in zip(logprobs, bare, strict=True)
        ]
    if choice == "sum":
        return list(logprobs)
    # What separates an option from the prompt is not the option's own length.
    sizes = tokens if choice == "token" else list(map(byte_length, options))
    return [None if one is None else one / size for one, size in zip(logprobs, sizes, strict=True)]


def byte_length(option: str) -> int:
    """The length of an option's text, in bytes of UTF-8."""
    return len(option.strip().encode())


def best_option(values: Sequence[float | None]) -> int | None:
    """The place of the best option among those with a known value, the first of equals; None without any."""
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    return -max(known)[1] if known else None
