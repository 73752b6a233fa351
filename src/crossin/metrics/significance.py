"""Tests of one model's accuracy against another's, and their correction for multiple languages."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

from crossin.metrics.table import AnswerTable, aligned


def mcnemar(table: AnswerTable, baseline: AnswerTable) -> dict[str, float]:
    """The exact two-sided p-value of McNemar's test on accuracy, one a language.

    Only items that one model has right and the other wrong count: if the models are equally good, each such
    item is a fair coin. The test assumes independent items; where groups hold several items, prefer
    `differences`. Correct for the number of languages with `holm`. Source: McNemar, Psychometrika 12 (1947),
    with the exact binomial distribution.
    """
    baseline = aligned(baseline, table)
    ours = table.answers == table.gold[:, None]
    theirs = baseline.answers == baseline.gold[:, None]
    won, lost = (ours & ~theirs).sum(axis=0).tolist(), (theirs & ~ours).sum(axis=0).tolist()
    return {x: _fair_coin(min(w, n), w + n) for x, w, n in zip(table.languages, won, lost, strict=True)}


LEVEL = 0.05


Name = TypeVar("Name", bound=Hashable)


def holm(p: Mapping[Name, float]) -> dict[Name, float]:
    """p-values adjusted by Holm's step-down method, which bounds the family-wise error rate.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979). Raises ValueError where one is not from 0 to 1.
    """
    if not all(0 <= value <= 1 for value in p.values()):
        raise ValueError("a p-value is from 0 to 1")
    adjusted, highest = {}, 0.0
    for place, name in enumerate(sorted(p, key=p.__getitem__)):
        highest = max(highest, min(1.0, (len(p) - place) * p[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p}


def corrected(p: Mapping[str, float]) -> dict[str, float]:
    """The p-values of a table's differences, corrected by Holm's method in families: the languages of each
    figure (`accuracy/en`, `accuracy/vi`), and all figures that are of no single language (`accuracy`,
    `consistency_2`). A figure whose p-value is nan (undefined) is left out.
    """
    families: dict[str, dict[str, float]] = {}
    for name, value in p.items():
        if not math.isnan(value):
            figure, slash, _ = name.partition("/")
            families.setdefault(figure if slash else "", {})[name] = value
    return {name: value for family in families.values() for name, value in holm(family).items()}


def _fair_coin(fewer: int, flips: int) -> float:
    """The chance that flips of a fair coin split at least as unevenly as `fewer` to the rest."""
    # By logarithms: 2^n is not a float for thousands of items.
    logarithms = (
        math.lgamma(flips + 1) - math.lgamma(k + 1) - math.lgamma(flips - k + 1) - flips * math.log(2)
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * math.fsum(math.exp(logarithm) for logarithm in logarithms))
