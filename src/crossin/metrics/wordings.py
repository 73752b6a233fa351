"""The effect of the prompt's wording: the spread of figures, and the answers that stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossin.metrics.families import Family, mean_family, observed
from crossin.metrics.table import MISSING, AnswerTable, aligned


@dataclass(frozen=True)
class Spread:
    """A figure's median over prompt wordings, and its range: the lowest and highest value."""

    median: float
    low: float
    high: float


def spread(wordings: Mapping[str, Mapping[str, float]]) -> dict[str, Spread]:
    """Each figure over prompt wordings, from the figures under each wording by name; nan where a figure is
    undefined under one of them. Figures that some wording lacks (RankC, without log-probabilities) are left
    out.

    SeaEval (arXiv 2309.04766) uses five paraphrased instructions and finds that most models vary with them;
    median and range are this project's measure. The range is of the wordings that were tried, not a
    confidence interval.
    """
    if not wordings:
        raise ValueError("a spread needs at least one wording")
    first = next(iter(wordings.values()))
    shared = [name for name in first if all(name in figures for figures in wordings.values())]
    values = {name: [figures[name] for figures in wordings.values()] for name in shared}
    return {
        name: Spread(float(np.median(found)), float(np.min(found)), float(np.max(found)))
        for name, found in values.items()
    }


def wording_agreement(tables: Sequence[AnswerTable]) -> dict[str, float]:
    """Share of items for which the answer is the same under all wordings, in 0..1, one a language.

    `tables` hold one model's answers to the same items, one table a wording (`read_wordings`). An item with a
    missing answer under some wording does not count. Whether the answer is right does not matter; a model
    that always takes the same position has 1. This project's own.
    """
    found = observed(wording_family(tables))
    return {x: found[f"wording_agreement/{x}"] for x in tables[0].languages}


def wording_family(tables: Sequence[AnswerTable]) -> Family:
    """`wording_agreement/<x>` of every language, and `wording_agreement`, their mean.

    Items and languages are those of the first table, in its order; CrossinError where another table has
    others.
    """
    if not tables:
        raise ValueError("agreement over wordings needs at least one table")
    first = tables[0]
    answers = np.stack([first.answers, *(aligned(table, first).answers for table in tables[1:])])
    same = (answers == answers[0]).all(axis=0) & (answers[0] != MISSING)
    return mean_family("wording_agreement", first.languages, same, first.asked)
