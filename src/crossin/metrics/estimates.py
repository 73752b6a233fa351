"""From item sums to estimates, for many weightings of the items at once.

Everything a figure needs is a sum over items of a whole number: how often a language was right, chose a
position, and how many subsets of languages agreed. So the observed figures (every item weighs 1) and those of
every bootstrap draw come from one matrix product and the same few formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from crossin.errors import CrossinError
from crossin.metrics.table import MISSING, AnswerTable, Floats

Number = TypeVar("Number", float, Floats)

# Kappa's denominator is a sum of products of shares: what is left below this is rounding, not disagreement.
_ROUNDING = 1e-12
# SeaEval adds it to the denominator of AC3, so that 0 and 0 give 0; kept for equal digits.
_AC3_EPSILON = 1e-10


@dataclass(frozen=True, eq=False)
class Columns:
    """The summable columns of a table: items, correct, missing, agreeing, agreeing on gold, chosen.

    They are whole numbers, exact in a float, so that no figure depends on the order of items.
    """

    values: Floats  # [I, C], or [G, C] once summed by group
    languages: int
    sizes: tuple[int, ...]


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
        possible = 1 - self.expected
        defined = possible > _ROUNDING
        return np.where(defined, (self.consistency - self.expected) / np.where(defined, possible, 1), np.nan)

    @property
    def ac3(self) -> Floats:
        """[W, S]."""
        return harmonic_mean(self.accuracy.mean(axis=1, keepdims=True), self.consistency)


def harmonic_mean(accuracy: Number, consistency: Number) -> Number:
    """AC3 as SeaEval computes it, with its small term in the denominator."""
    return 2 * accuracy * consistency / (accuracy + consistency + _AC3_EPSILON)


def columns(table: AnswerTable, sizes: tuple[int, ...]) -> Columns:
    """The summable columns of a table, for these sizes of language subsets."""
    languages = len(table.languages)
    for size in sizes:
        if not 2 <= size <= languages:
            raise CrossinError(
                f"consistency over {size} languages at a time is not defined for {languages} languages",
                fix=f"choose sizes from 2 to {languages}"
                if languages > 1
                else "answer in two or more languages",
            )
    chosen = table.answers[:, :, None] == np.arange(table.options.max())  # [I, L, K]
    correct = table.answers == table.gold[:, None]  # [I, L]
    # subsets[n, s] = C(n, s): of n languages that gave one answer, so many subsets agree.
    subsets = np.array(
        [[math.comb(n, size) for size in sizes] for n in range(languages + 1)], dtype=np.float64
    )
    agreeing = subsets[chosen.sum(axis=1)].sum(axis=1)  # [I, K, S] -> [I, S]
    on_gold = subsets[correct.sum(axis=1)]
    items = len(table.items)
    parts = (
        np.ones((items, 1)),
        correct,
        table.answers == MISSING,
        agreeing,
        on_gold,
        chosen.reshape(items, -1),
    )
    return Columns(np.hstack(parts, dtype=np.float64), languages, sizes)


def estimate(layout: Columns, sums: Floats) -> Estimates:
    """Estimates from `sums` [W, C], weighted sums over items of the columns described by `layout`."""
    languages, sizes = layout.languages, layout.sizes
    ends = np.cumsum([1, languages, languages, len(sizes), len(sizes)])
    items, correct, missing, agreeing, on_gold, chosen = np.split(sums, ends, axis=1)
    subsets = np.array([math.comb(languages, size) for size in sizes], dtype=np.float64)
    shares = (chosen / items).reshape(len(sums), languages, -1)
    return Estimates(
        accuracy=correct / items,
        missing=missing / items,
        consistency=agreeing / (items * subsets),
        right=on_gold / (items * subsets),
        wrong=(agreeing - on_gold) / (items * subsets),
        expected=symmetric_polynomials(shares)[:, :, list(sizes)].sum(axis=1) / subsets,
    )


def symmetric_polynomials(shares: Floats) -> Floats:
    """Elementary symmetric polynomials e_0 .. e_L over the languages: [W, L, K] -> [W, K, L + 1].

    The recurrence e_s(p_1 .. p_l) = e_s(p_1 .. p_l-1) + p_l e_s-1(p_1 .. p_l-1) replaces the sum over C(L, s)
    subsets.
    """
    weightings, languages, positions = shares.shape
    result = np.zeros((weightings, positions, languages + 1))
    result[:, :, 0] = 1
    for language in range(languages):
        result[:, :, 1:] += shares[:, language, :, None] * result[:, :, :-1]
    return result
