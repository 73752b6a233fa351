"""SeaEval's score file: the expected values where SeaEval draws an answer at random.

Every cell has a chance for each option. A decided cell has chance 1 for its option; SeaEval draws the others
from all options, or in a tie from two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from crossin.core.errors import CrossinError
from crossin.metrics.chance import mean_products
from crossin.metrics.choices import ac3, chosen_options
from crossin.metrics.table import AnswerTable, Floats, Integers

# 15 languages have 32,752 subsets; each further language doubles them.
_MOST_LANGUAGES = 15


def chances_of(table: AnswerTable) -> Floats:
    """The chance of each option where a missing answer is drawn from all options of its item: [I, L, K], K
    the most options of an item.
    """
    chosen = chosen_options(table)
    real = np.arange(chosen.shape[2]) < table.options[:, None]  # [I, K]
    drawn = (real / table.options[:, None])[:, None, :]
    return np.where(chosen.any(axis=2, keepdims=True), chosen, drawn).astype(np.float64)


def drawn_accuracy(chances: Floats, gold: Integers) -> Floats:
    """The expected accuracy, in 0..1, per language: [L], from chances [I, L, K] and positions of gold [I]."""
    return np.asarray(chances[np.arange(len(gold)), :, gold].mean(axis=0))


def drawn_consistency(chances: Floats) -> Floats:
    """The expected consistency, 0..1, over subsets of s = 0 .. L languages: [L + 1], from chances [I, L, K].

    Cells are drawn independently, so s languages all choose option a with the product of their chances, and
    an item adds `sum_a e_s(p_1a .. p_La) / C(L, s)`, e_s the elementary symmetric polynomial. With m missing
    cells drawn from K options and n_a cells that chose option a, that is
    `[sum_{j<s} C(m, j) sum_a C(n_a, s-j) K^-j + C(m, s) K^(1-s)] / C(L, s)`; with nothing drawn it is
    `crossin.metrics.consistency`.
    """
    return np.asarray(mean_products(chances.transpose(1, 2, 0)).sum(axis=1).mean(axis=1))


def seaeval_scores(chances: Floats, gold: Integers, names: Sequence[str]) -> dict[str, Any]:
    """The figures of SeaEval (arXiv 2309.04766) in the shape and order of its `_score.json` files.

    `chances` [I, L, K] are those of each option in each cell, `gold` [I] the positions of the right options,
    `names` [L] the languages as the file names them. `overall_acc`, `language_acc`, `consistency_score_s`,
    `detailed_consistency_score` (by subset of languages) and `AC3_s` for every s from 2 to L. Accuracy and
    consistency are the expected values of SeaEval's draws, which have no seed; `AC3_s` follows from these two
    (the expected value of a ratio differs slightly). Raises CrossinError for more than 15 languages: the file
    names all 2^L subsets.
    """
    if len(names) > _MOST_LANGUAGES:
        message = f"SeaEval's scores name every subset of the languages, too many for {len(names)} languages"
        hint = f"choose at most {_MOST_LANGUAGES} of them; all other figures take any number"
        raise CrossinError(message, hint=hint)
    by_language = drawn_accuracy(chances, gold)
    overall = float(by_language.mean())
    sizes = range(2, len(names) + 1)
    consistency = drawn_consistency(chances).tolist()
    return {
        "overall_acc": overall,
        "language_acc": dict(zip(names, by_language.tolist(), strict=True)),
        **{f"consistency_score_{s}": consistency[s] for s in sizes},
        "detailed_consistency_score": {
            f"{s}_combine": {
                ",".join(names[i] for i in subset): float(chances[:, subset].prod(axis=1).sum(axis=1).mean())
                for subset in combinations(range(len(names)), s)
            }
            for s in sizes
        },
        **{f"AC3_{s}": ac3(overall, consistency[s]) for s in sizes},
    }
