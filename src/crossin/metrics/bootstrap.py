"""How sure a figure, or the difference of two, is: percentile bootstrap over groups of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossin.metrics.estimates import Columns, columns, estimate
from crossin.metrics.figures import all_sizes, by_name
from crossin.metrics.table import AnswerTable, Floats, aligned

_TAILS = (0.025, 0.975)
# Numbers held at once in each matrix of a batch of draws (32 MiB of them).
_BATCH = 2**22


@dataclass(frozen=True)
class Figure:
    """An observed value and its 95% interval."""

    value: float
    low: float
    high: float


def intervals(table: AnswerTable, *, draws: int = 2000, seed: int = 0) -> dict[str, Figure]:
    """Every figure of `crossin.metrics.figures`, with a 95% percentile interval from `draws` bootstrap draws.

    A draw takes as many groups as there are, with replacement, each with all its items: items of one group
    (questions on one paragraph, facts of one country) are not independent, and resampling them singly would
    give intervals that are too narrow. Every figure is computed anew in every draw, the chance agreement in
    kappa included. With few groups (below some 30) a percentile interval is too narrow; with one group
    nothing can be said, and the interval is nan. A kappa that is undefined in some draws takes its interval
    from the others.
    """
    groups = _Groups.of(table)
    summed = groups.sums(table)
    observed = _values(table, summed, np.ones((1, groups.count)))
    drawn = [_values(table, summed, weights) for weights in groups.draw(draws, seed, summed)]
    return _figures(observed, drawn, groups.count)


def differences(
    table: AnswerTable, baseline: AnswerTable, *, draws: int = 2000, seed: int = 0
) -> dict[str, Figure]:
    """`table` minus `baseline` for every figure, paired: the same draws of the same groups for both.

    The tables hold the same items, languages, gold answers and groups, in any order. Pairing removes the
    spread that comes from easy and hard items, so this is much sharper than comparing two intervals by eye.
    """
    baseline = aligned(baseline, table)
    groups = _Groups.of(table)
    ours, theirs = groups.sums(table), groups.sums(baseline)

    def difference(weights: Floats) -> dict[str, Floats]:
        minuend, subtrahend = _values(table, ours, weights), _values(baseline, theirs, weights)
        return {name: minuend[name] - subtrahend[name] for name in minuend}

    observed = difference(np.ones((1, groups.count)))
    return _figures(
        observed, [difference(weights) for weights in groups.draw(draws, seed, ours)], groups.count
    )


@dataclass(frozen=True, eq=False)
class _Groups:
    """Items sorted by group: `order` [I], and where each group `starts` in that order [G]."""

    order: np.ndarray[tuple[int], np.dtype[np.intp]]
    starts: np.ndarray[tuple[int], np.dtype[np.intp]]

    @staticmethod
    def of(table: AnswerTable) -> _Groups:
        _, index = np.unique(np.array(table.groups, dtype=np.str_), return_inverse=True)
        order = np.argsort(index, kind="stable")
        return _Groups(order, np.flatnonzero(np.diff(index[order], prepend=-1)))

    @property
    def count(self) -> int:
        return len(self.starts)

    def sums(self, table: AnswerTable) -> Columns:
        """The table's columns summed over the items of each group, [G, C]: all that a draw needs."""
        layout = columns(table, all_sizes(table))
        summed = np.add.reduceat(layout.values[self.order], self.starts, axis=0)
        return Columns(summed, layout.languages, layout.sizes)

    def draw(self, draws: int, seed: int, summed: Columns) -> Iterator[Floats]:
        """How often each group is taken in each draw: batches of [D, G] that together hold `draws` lines."""
        if draws < 1:
            raise ValueError("a bootstrap needs at least one draw")
        generator = np.random.default_rng(seed)
        chances = np.full(self.count, 1 / self.count)
        batch = max(1, _BATCH // max(summed.values.shape))
        for start in range(0, draws, batch):
            size = min(batch, draws - start)
            yield generator.multinomial(self.count, chances, size=size).astype(np.float64)


def _values(table: AnswerTable, summed: Columns, weights: Floats) -> dict[str, Floats]:
    return by_name(table, estimate(summed, weights @ summed.values), summed.sizes)


def _figures(observed: dict[str, Floats], drawn: list[dict[str, Floats]], groups: int) -> dict[str, Figure]:
    result = {}
    for name, value in observed.items():
        values = np.concatenate([batch[name] for batch in drawn])
        values = values[~np.isnan(values)]
        low = high = np.nan
        if groups > 1 and len(values) and not np.isnan(value[0]):
            low, high = np.quantile(values, _TAILS)
        result[name] = Figure(float(value[0]), float(low), float(high))
    return result
