"""Texts of like length in batches of so many tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from crossin.translation.engine import Ask

# Asks that are read, and sorted by length, at once.
WINDOW = 4096
T = TypeVar("T")


def windows(asks: Iterable[Ask]) -> Iterator[list[Ask]]:
    """The asks, so many at a time that few tokens of a batch are padding, and few asks in memory."""
    ahead = iter(asks)
    while window := list(islice(ahead, WINDOW)):
        yield window


def batches(items: Sequence[tuple[T, int]], tokens: int) -> Iterator[list[T]]:
    """Items with their lengths, the longest first, in batches that padded hold at most `tokens`; a longer
    item is alone.
    """
    batch: list[T] = []
    widest = 0
    for item, length in sorted(items, key=lambda pair: -pair[1]):
        if batch and (len(batch) + 1) * max(widest, length) > tokens:
            yield batch
            batch, widest = [], 0
        batch.append(item)
        widest = max(widest, length)
    if batch:
        yield batch


def longest_translation(length: int) -> int:
    """The most tokens that the translation of a sentence of so many may have: more is a loop."""
    return 3 * length + 24
