"""Rows by languages whose shares follow how the model is doing (the authors' archived idea)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from crossin.core.hashing import hash64
from crossin.training.document import Row


def shares_of(criterion: Mapping[str, float]) -> dict[str, float]:
    """The share of each language by its criterion (the larger, the more): p ~ Phi(z), z the criterion less
    its mean, by its standard deviation over the languages; uniform where all are the same.
    """
    mean = sum(criterion.values()) / len(criterion)
    spread = math.sqrt(sum((value - mean) ** 2 for value in criterion.values()) / len(criterion))
    raw = {
        language: 0.5 * (1 + math.erf((value - mean) / spread / math.sqrt(2))) if spread else 1.0
        for language, value in criterion.items()
    }
    total = sum(raw.values())
    return {language: value / total for language, value in raw.items()}


class Adaptive:
    """The rows of every step, by languages drawn by shares that change every `every` steps.

    A row's language is that of its completion. The first period has the shares that the rows themselves have;
    `shares` holds those of all later ones, and is added to by `follow`. Steps come in their order, and a run
    that goes on finds the rows of the steps before by drawing them again.
    """

    def __init__(
        self, rows: Sequence[Row], rows_per_step: int, every: int, seed: int, shares: list[dict[str, float]]
    ) -> None:
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[row.group.lang_out or row.group.lang_in].append(row)
        self._first = {language: len(own) / len(rows) for language, own in self._rows.items()}
        self._rows_per_step, self._every, self._seed, self.shares = rows_per_step, every, seed, shares
        self._steps: list[list[Row]] = []
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

    def rows_at(self, step: int) -> list[Row]:
        """The rows of step `step` (from 0)."""
        while len(self._steps) <= step:
            self._steps.append(self._drawn(len(self._steps)))
        return self._steps[step]

    def _current(self, period: int) -> dict[str, float]:
        return self.shares[period - 1] if period else self._first

    def _drawn(self, step: int) -> list[Row]:
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

    def _next(self, language: str) -> Row:
        """The next row of the language: in the mixture's order, and going round in a new one each time."""
        own = self._rows[language]
        turn, place = divmod(self._taken[language], len(own))
        self._taken[language] += 1
        if turn and not place:
            own.sort(key=lambda row: hash64(str(self._seed), "turn", str(turn), str(row.number)))
        return own[place]
