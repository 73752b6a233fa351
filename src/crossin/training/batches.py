"""Which rows make a step, which process takes them, and which of them share a pass."""

from __future__ import annotations

from collections.abc import Sequence

from crossin.core.hashing import hash64
from crossin.training.document import Row


def fixed_steps(rows: Sequence[Row], rows_per_step: int, epochs: int, seed: int) -> list[list[Row]]:
    """The rows of every step: in the order of the mixture, then for every further epoch in one of its own.

    A step may hold the end of one epoch and the beginning of the next.
    """
    order: list[Row] = []
    for epoch in range(epochs):
        if epoch:
            order += sorted(rows, key=lambda row: hash64(str(seed), "epoch", str(epoch), str(row.number)))
        else:
            order += rows
    return [order[start : start + rows_per_step] for start in range(0, len(order), rows_per_step)]


def share_of(rows: Sequence[Row], rank: int, processes: int) -> list[Row]:
    """The rows of a step that process `rank` of `processes` takes: about as many tokens as any other."""
    if processes == 1:
        return list(rows)
    shares: list[list[Row]] = [[] for _ in range(processes)]
    for row in _longest_first(rows):
        min(shares, key=lambda share: sum(len(one.tokens) for one in share)).append(row)
    return shares[rank]


def passes(rows: Sequence[Row], tokens: int) -> list[list[Row]]:
    """The rows in passes of at most `tokens` tokens each, rows of like length together; a row that is longer
    by itself has a pass of its own.

    The longest come first, so that memory that does not suffice is found at once.
    """
    found: list[list[Row]] = []
    room = 0
    for row in _longest_first(rows):
        if len(row.tokens) > room:
            found.append([])
            room = tokens
        found[-1].append(row)
        room -= len(row.tokens)
    return found


def _longest_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-len(row.tokens), row.number))
