"""SeaEval's score file from a table of answers: the values to expect where SeaEval draws an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from crossin.errors import CrossinError
from crossin.metrics.estimates import harmonic_mean
from crossin.metrics.table import MISSING, AnswerTable, Floats, select

# With so many languages there are 32,752 subsets; each further language doubles them.
_MOST_LANGUAGES = 15


def filled_accuracy(table: AnswerTable) -> Floats:
    """Accuracy to expect, in 0..1, one a language: [L], where each missing answer is drawn from all options.

    A missing answer to an item of K options is right with chance 1/K.
    """
    right = (table.answers == table.gold[:, None]) + (table.answers == MISSING) / table.options[:, None]
    return np.asarray(right.mean(axis=0))


def filled_consistency(table: AnswerTable, s: int) -> float:
    """Consistency to expect, in 0..1, where each missing answer is drawn from all options; s is from 1 to L.

    With K options, m languages missing and n_a that chose option a, an item adds
    `[sum_{j<s} C(m, j) sum_a C(n_a, s-j) K^-j + C(m, s) K^(1-s)] / C(L, s)`: j languages of the subset are
    drawn and must hit what the others chose, or all s are drawn and must hit one another. With nothing
    missing it is `crossin.metrics.consistency`.
    """
    languages = len(table.languages)
    subsets = np.array([[math.comb(n, k) for k in range(s + 1)] for n in range(languages + 1)], np.float64)
    chosen = (table.answers[:, :, None] == np.arange(table.options.max())).sum(axis=1)  # [I, K]
    missing = (table.answers == MISSING).sum(axis=1)  # [I]
    hit = 1 / table.options
    agreeing = subsets[missing, s] * hit ** (s - 1)
    for drawn in range(s):
        agreeing += subsets[missing, drawn] * subsets[chosen, s - drawn].sum(axis=1) * hit**drawn
    return float(agreeing.mean() / math.comb(languages, s))


def seaeval_scores(table: AnswerTable, names: Sequence[str]) -> dict[str, Any]:
    """The figures of SeaEval (arXiv 2309.04766) in the shape and order of its `_score.json` files.

    `names` [L] are the languages as the file shall call them. `overall_acc`, `language_acc`,
    `consistency_score_s`, `detailed_consistency_score` (by subset of languages) and `AC3_s` for every s from
    2 to L. Where answers are missing, SeaEval draws them without a seed; accuracy and consistency are then
    the values to expect, and `AC3_s` follows from these two (the expected value of a ratio differs a little).
    Raises CrossinError for more than 15 languages: the file names every subset, and there are 2^L.
    """
    if len(names) > _MOST_LANGUAGES:
        raise CrossinError(
            f"SeaEval's scores name every subset of the languages, too many for {len(names)} languages",
            fix=f"choose at most {_MOST_LANGUAGES} of them; all other figures bear any number",
        )
    by_language = filled_accuracy(table)
    overall = float(by_language.mean())
    sizes = range(2, len(names) + 1)
    consistency = {s: filled_consistency(table, s) for s in sizes}
    name_of = dict(zip(table.languages, names, strict=True))
    return {
        "overall_acc": overall,
        "language_acc": dict(zip(names, by_language.tolist(), strict=True)),
        **{f"consistency_score_{s}": consistency[s] for s in sizes},
        "detailed_consistency_score": {
            f"{s}_combine": {
                ",".join(name_of[language] for language in subset): filled_consistency(
                    select(table, languages=subset), s
                )
                for subset in combinations(table.languages, s)
            }
            for s in sizes
        },
        **{f"AC3_{s}": harmonic_mean(overall, consistency[s]) for s in sizes},
    }
