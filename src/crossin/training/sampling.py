"""Which rows make a step, which process takes them, and which of them share a micro-batch."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crossin.core.hashing import hash64
from crossin.training.rows import TrainingRow

# By language.
Shares = dict[str, float]


def rank_and_world_size() -> tuple[int, int]:
    """This process's number, and how many there are (torchrun, `accelerate launch`)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def fixed_steps(
    rows: Sequence[TrainingRow], rows_per_step: int, epochs: int, seed: int
) -> list[list[TrainingRow]]:
    """The rows of every step: in the mixture's order, then for every further epoch in an order of its own.

    A step may hold the end of one epoch and the beginning of the next.
    """
    order = list(rows)
    for epoch in range(1, epochs):
        order += sorted(rows, key=lambda row: hash64(str(seed), "epoch", str(epoch), str(row.number)))
    return [order[start : start + rows_per_step] for start in range(0, len(order), rows_per_step)]


def share_of(rows: Sequence[TrainingRow], rank: int, processes: int) -> list[TrainingRow]:
    """The rows of a step that process `rank` of `processes` takes: about as many tokens as any other."""
    if processes == 1:
        return list(rows)
    shares: list[list[TrainingRow]] = [[] for _ in range(processes)]
    for row in _longest_first(rows):
        min(shares, key=lambda share: sum(len(one.tokens) for one in share)).append(row)
    return shares[rank]


def micro_batches(rows: Sequence[TrainingRow], tokens: int) -> list[list[TrainingRow]]:
    """The rows in micro-batches of at most `tokens` tokens, rows of like length together; a longer row has
    one of its own.

    The longest come first, so that too little memory shows at once.
    """
    found: list[list[TrainingRow]] = []
    room = 0
    for row in _longest_first(rows):
        if len(row.tokens) > room:
            found.append([])
            room = tokens
        found[-1].append(row)
        room -= len(row.tokens)
    return found


def parts_of(sizes: Iterable[int], room: int) -> list[range]:
    """Consecutive places whose sizes are at most `room` together, or one place whose size is larger."""
    parts: list[range] = []
    left = 0
    for place, size in enumerate(sizes):
        if not parts or size > left:
            parts.append(range(place, place))
            left = room
        parts[-1] = range(parts[-1].start, place + 1)
        left -= size
    return parts


def _longest_first(rows: Sequence[TrainingRow]) -> list[TrainingRow]:
    return sorted(rows, key=lambda row: (-len(row.tokens), row.number))


def shares_of(criterion: Mapping[str, float]) -> Shares:
    """The share of each language by its criterion (the larger, the more): p ~ Phi(z), z the criterion less
    its mean, over its standard deviation between languages; uniform where all are the same.
    """
    mean = sum(criterion.values()) / len(criterion)
    spread = math.sqrt(sum((value - mean) ** 2 for value in criterion.values()) / len(criterion))
    raw = {
        language: 0.5 * (1 + math.erf((value - mean) / spread / math.sqrt(2))) if spread else 1.0
        for language, value in criterion.items()
    }
    total = sum(raw.values())
    return {language: value / total for language, value in raw.items()}


class AdaptiveSampler:
    """The rows of every step, by languages drawn by shares that change every `every` steps.

    A row's language is that of its completion. The first period has the shares of the rows themselves;
    `shares` holds those of all later periods, and grows by `follow`. Steps come in order; a resumed run draws
    the earlier ones again.
    """

    def __init__(
        self, rows: Sequence[TrainingRow], rows_per_step: int, every: int, seed: int, shares: list[Shares]
    ) -> None:
        self._rows: dict[str, list[TrainingRow]] = defaultdict(list)
        for row in rows:
            self._rows[row.group.language].append(row)
        self._first = {language: len(own) / len(rows) for language, own in self._rows.items()}
        self._rows_per_step, self._every, self._seed, self.shares = rows_per_step, every, seed, shares
        self._steps: list[list[TrainingRow]] = []
        self._taken: dict[str, int] = defaultdict(int)

    def follow(self, criterion: Mapping[str, float]) -> None:
        """Begin a period whose shares are those of the criterion; a language without one keeps its own."""
        known = {language: value for language, value in criterion.items() if language in self._rows}
        if not known:
            self.shares.append(self._current(len(self.shares)))
            return
        free = sum(share for language, share in self._first.items() if language in known)
        follows = {language: share * free for language, share in shares_of(known).items()}
        self.shares.append({**self._first, **follows})

    def rows_at(self, step: int) -> list[TrainingRow]:
        """The rows of step `step` (from 0)."""
        while len(self._steps) <= step:
            self._steps.append(self._drawn(len(self._steps)))
        return self._steps[step]

    def _current(self, period: int) -> Shares:
        # A dry run measures nothing, and so keeps the first shares.
        return (self.shares[:period] or [self._first])[-1]

    def _drawn(self, step: int) -> list[TrainingRow]:
        shares = self._current(step // self._every)
        found = []
        for slot in range(self._rows_per_step):
            place = hash64(str(self._seed), "slot", str(step), str(slot)) / 2**64 * sum(shares.values())
            for language in sorted(shares):
                place -= shares[language]
                if place < 0:
                    break
            found.append(self._next(language))
        return found

    def _next(self, language: str) -> TrainingRow:
        """The next row of the language: in the mixture's order, then in a new one each time around."""
        own = self._rows[language]
        turn, place = divmod(self._taken[language], len(own))
        self._taken[language] += 1
        if turn and not place:
            own.sort(key=lambda row: hash64(str(self._seed), "turn", str(turn), str(row.number)))
        return own[place]
