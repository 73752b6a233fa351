"""From item sums to estimates, for many weightings of the items at once.

All figures need only integer sums over items: how often a language was right, chose a position, and how often
n languages chose the same option. Such sums are exact, so no figure depends on the order of items, and no
number grows with the number of subsets of languages: 100 languages have 10^29 subsets of 50.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from crossin.metrics.families import ratio
from crossin.metrics.table import MISSING, AnswerTable, Floats

Number = TypeVar("Number", float, Floats)

# SeaEval adds it to the denominator of AC3, so that 0 and 0 give 0; here too, for equal digits.
_AC3_EPSILON = 1e-10


@dataclass(frozen=True, eq=False)
class Estimates:
    """Figures for W weightings of the items."""

    accuracy: Floats  # [W, L]
    missing: Floats  # [W, L]
    consistency: Floats  # [W, S], one column a subset size
    right: Floats  # [W, S]
    wrong: Floats  # [W, S]
    expected: Floats  # [W, S]

    @property
    def kappa(self) -> Floats:
        """[W, S], nan where chance alone explains full agreement."""
        return above_chance(self.consistency, self.expected)

    @property
    def ac3(self) -> Floats:
        """[W, S]."""
        return harmonic_mean(self.accuracy.mean(axis=1, keepdims=True), self.consistency)


def above_chance(agreement: Floats, expected: Floats) -> Floats:
    """`(agreement - expected) / (1 - expected)`, nan where chance alone explains full agreement."""
    return ratio(agreement - expected, 1 - expected)


def harmonic_mean(accuracy: Number, consistency: Number) -> Number:
    """AC3 as SeaEval computes it, with a small term in the denominator."""
    return 2 * accuracy * consistency / (accuracy + consistency + _AC3_EPSILON)


def choices(table: AnswerTable) -> npt.NDArray[np.bool_]:
    """Which position a language chose for an item: [I, L, K], K the most options of an item."""
    chosen: npt.NDArray[np.bool_] = table.answers[:, :, None] == np.arange(table.options.max())
    return chosen


def columns(table: AnswerTable) -> Floats:
    """The terms that are summed over items, [I, C]: 1; by language, right and missing; for n from 2 to L, the
    number of options that exactly n languages chose, and whether exactly n chose gold; by language and
    position, chosen.
    """
    items, languages = table.answers.shape
    chosen = choices(table)
    correct = table.answers == table.gold[:, None]  # [I, L]
    several = np.arange(2, languages + 1)
    parts = (
        np.ones((items, 1)),
        correct,
        table.answers == MISSING,
        (chosen.sum(axis=1)[:, :, None] == several).sum(axis=1),
        correct.sum(axis=1)[:, None] == several,
        chosen.reshape(items, -1),
    )
    return np.hstack(parts, dtype=np.float64)


def estimate(sums: Floats, languages: int, sizes: tuple[int, ...]) -> Estimates:
    """Estimates for these subset sizes from `sums` [W, C], weighted sums over items of `columns`."""
    several = languages - 1
    ends = np.cumsum([1, languages, languages, several, several])
    items, correct, missing, agreeing, on_gold, chosen = np.split(sums, ends, axis=1)
    # Of the subsets of s languages, n that agree make C(n, s) / C(L, s) agree; Python divides large integers
    # exactly.
    part = np.array(
        [[math.comb(n, s) / math.comb(languages, s) for s in sizes] for n in range(2, languages + 1)]
    ).reshape(several, len(sizes))
    shares = (chosen / items).T.reshape(languages, -1, len(sums))
    return Estimates(
        accuracy=correct / items,
        missing=missing / items,
        consistency=agreeing @ part / items,
        right=on_gold @ part / items,
        wrong=(agreeing - on_gold) @ part / items,
        expected=mean_products(shares)[list(sizes)].sum(axis=1).T,
    )


def mean_products(shares: Floats) -> Floats:
    """The mean over all subsets of s languages of the product of their shares, for s = 0 .. L:
    [L, K, W] -> [L + 1, K, W].

    That is e_s / C(L, s), e_s the elementary symmetric polynomial. The recurrence
    `e_s(p_1 .. p_l) = e_s(p_1 .. p_l-1) + p_l e_s-1(p_1 .. p_l-1)` replaces the sum over subsets; divided by
    C(l, s), whose ratios are (l - s) / l and s / l, it stays within 0..1 for any number of languages.
    """
    languages = len(shares)
    means = np.zeros((languages + 1, *shares.shape[1:]))
    means[0] = 1
    for count in range(1, languages + 1):
        size = np.arange(1, count + 1)[:, None, None]
        with_it = shares[count - 1] * means[:count]
        means[1 : count + 1] = ((count - size) * means[1 : count + 1] + size * with_it) / count
    return means
