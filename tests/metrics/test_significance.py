from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.significance import corrected, holm, mcnemar
from crossin.metrics.table import select
from tests.helpers.answer_tables import random_table, table
from tests.helpers.errors import refused


def test_mcnemar_is_a_sign_test_on_the_items_where_one_model_is_right() -> None:
    # en: won 5, lost 0. zh: won 1, lost 1. vi: no difference, be both right or both wrong.
    baseline = table([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 2], [1, 0, 2], [0, 0, 2]])
    improved = table([[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 2], [0, 0, 1], [0, 0, -1]])
    assert mcnemar(improved, baseline) == pytest.approx({"en": 2 / 32, "zh": 1, "vi": 1})
    assert mcnemar(baseline, improved) == pytest.approx(mcnemar(improved, baseline))


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_exact(won: int, lost: int) -> None:
    ours = table([[0]] * won + [[1]] * lost + [[0]])
    theirs = table([[1]] * won + [[0]] * lost + [[0]])
    tail = sum(comb(won + lost, k) for k in range(min(won, lost) + 1))
    assert mcnemar(ours, theirs)["en"] == pytest.approx(min(1, 2 * tail / 2 ** (won + lost)))


def test_mcnemar_bears_thousands_of_items() -> None:
    # Near a normal deviate of (2600 - 2400) / sqrt(5000) = 2.83, with the half item of continuity.
    ours = table(np.repeat([[0], [1]], [2600, 2400], axis=0))
    theirs = table(np.repeat([[1], [0]], [2600, 2400], axis=0))
    assert mcnemar(ours, theirs)["en"] == pytest.approx(0.00489, rel=0.01)


def test_mcnemar_wants_the_same_items() -> None:
    whole = random_table(0, items=10)
    with refused("tables differ"):
        mcnemar(whole, replace(whole, items=tuple("abcdefghij")))
    with refused("tables differ"):
        mcnemar(whole, select(whole, languages=["en"]))


def test_holm_steps_down() -> None:
    # Times 4, 3, 2, 1 from the smallest, and never below the one before.
    adjusted = holm({"vi": 0.03, "en": 0.01, "th": 0.04, "zh": 0.005})
    assert adjusted == pytest.approx({"vi": 0.06, "en": 0.03, "th": 0.06, "zh": 0.02})
    assert list(adjusted) == ["vi", "en", "th", "zh"]


def test_holm_at_its_borders() -> None:
    assert holm({}) == {}
    assert holm({"en": 0.2}) == {"en": 0.2}
    assert holm({"en": 0.9, "zh": 0.8}) == {"en": 1, "zh": 1}
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm({"en": float("nan")})


def test_languages_are_corrected_by_figure_and_the_other_figures_among_themselves() -> None:
    adjusted = corrected(
        {
            # Times 3, 2, 1: 0.06, 0.08, 0.5.
            "accuracy/vi": 0.04,
            "accuracy/en": 0.02,
            "accuracy/th": 0.5,
            # Of another figure: times 2, 1.
            "chrf/en": 0.03,
            "chrf/vi": 0.01,
            # Of no language: times 2, 1; what is undefined does not count.
            "accuracy": 0.001,
            "consistency_2": 0.02,
            "kappa_2": float("nan"),
        }
    )
    assert adjusted == pytest.approx(
        {
            "accuracy/vi": 0.08,
            "accuracy/en": 0.06,
            "accuracy/th": 0.5,
            "chrf/en": 0.03,
            "chrf/vi": 0.02,
            "accuracy": 0.002,
            "consistency_2": 0.02,
        }
    )


@given(st.dictionaries(st.sampled_from(["a", "b", "a/x", "a/y", "a/z", "b/x", "b/y"]), st.floats(0, 1)))
def test_a_correction_never_makes_a_p_value_smaller_nor_changes_their_order(p: dict[str, float]) -> None:
    adjusted = corrected(p)
    assert adjusted.keys() == p.keys()
    assert all(p[name] <= adjusted[name] <= 1 for name in p)
    for family in ("a/", "b/"):
        names = sorted((name for name in p if name.startswith(family)), key=p.__getitem__)
        assert [adjusted[name] for name in names] == sorted(adjusted[name] for name in names)
