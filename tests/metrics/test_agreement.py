from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given

from crossin.metrics.bootstrap import intervals, resample
from crossin.metrics.choices import consistency
from crossin.metrics.families import observed
from crossin.metrics.pairwise import agreement, agreement_family, pair_kappa, pivot_consistency, pivot_family
from crossin.metrics.table import AnswerTable, select
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused

# en and zh agree on items 1, 2 and 3; vi agrees with both on item 1 and is missing on item 3.
WORKED = table([[0, 0, 0], [2, 2, 1], [3, 3, -1], [0, 1, 2]], gold=[0, 1, 3, 3])


def test_a_worked_example() -> None:
    assert agreement(WORKED).tolist() == [[1, 3 / 4, 1 / 4], [3 / 4, 1, 1 / 4], [1 / 4, 1 / 4, 3 / 4]]
    # Shares of positions in quarters: en 2 0 1 1, zh 1 1 1 1, vi 1 1 1 0. E of en and zh: 4/16; en, vi: 3/16.
    kappas = pair_kappa(WORKED)
    assert kappas[0, 1] == pytest.approx((3 / 4 - 4 / 16) / (1 - 4 / 16))
    assert kappas[0, 2] == pytest.approx((1 / 4 - 3 / 16) / (1 - 3 / 16))
    assert pivot_consistency(WORKED, "vi") == {"en": 1 / 4, "zh": 1 / 4}


@given(tables())
def test_every_cell_counts_the_items_with_the_same_answer(small: AnswerTable) -> None:
    rows = small.answers.tolist()
    matrix, kappas = agreement(small), pair_kappa(small)
    for x in range(len(small.languages)):
        for y in range(len(small.languages)):
            same = sum(row[x] == row[y] != -1 for row in rows) / len(rows)
            chance = (
                sum(sum(row[x] == a for row in rows) * sum(row[y] == a for row in rows) for a in range(4))
                / len(rows) ** 2
            )
            assert matrix[x, y] == pytest.approx(same)
            if chance < 1:
                assert kappas[x, y] == pytest.approx((same - chance) / (1 - chance))
            else:
                assert isnan(kappas[x, y])


@given(tables())
def test_the_mean_agreement_of_pairs_is_consistency_2(small: AnswerTable) -> None:
    pairs = agreement(small)[np.triu_indices(len(small.languages), k=1)]
    assert pairs.mean() == pytest.approx(consistency(small, 2))


@given(tables())
def test_families_give_the_same_figures(small: AnswerTable) -> None:
    found = observed(agreement_family(small))
    matrix, kappas, languages = agreement(small), pair_kappa(small), small.languages
    expected = {}
    for x, y in zip(*np.triu_indices(len(languages), k=1), strict=True):
        expected[f"agreement/{languages[x]}+{languages[y]}"] = matrix[x, y]
        expected[f"kappa/{languages[x]}+{languages[y]}"] = kappas[x, y]
    assert found == pytest.approx(expected, nan_ok=True)
    for pivot in languages:
        by_language = pivot_consistency(small, pivot)
        named = {f"pivot/{x}": value for x, value in by_language.items()}
        named["pivot"] = float(np.mean(list(by_language.values())))
        assert observed(pivot_family(small, pivot)) == pytest.approx(named)


def test_an_interval_of_two_languages_is_that_of_their_consistency() -> None:
    whole = random_table(3, languages=2)
    families = [agreement_family(whole), pivot_family(whole, "zh")]
    found, known = resample(families, whole.groups), intervals(whole)
    for name in ("agreement/en+zh", "pivot/en", "pivot"):
        assert found[name] == known["consistency_2"], name
    assert found["kappa/en+zh"].low == pytest.approx(known["kappa_2"].low)


def test_two_languages_of_one_position_have_no_kappa() -> None:
    assert np.isnan(pair_kappa(table([[0, 0]] * 3))).all()
    assert isnan(observed(agreement_family(table([[0, 0]] * 3)))["kappa/en+zh"])


def test_one_language_agrees_with_no_other() -> None:
    alone = select(WORKED, languages=["vi"])
    assert agreement(alone).tolist() == [[3 / 4]]
    assert observed(agreement_family(alone)) == {}
    assert pivot_consistency(alone, "vi") == {}
    assert observed(pivot_family(alone, "vi")) == {}


def test_a_pivot_that_was_not_asked_is_an_error() -> None:
    for call in (pivot_consistency, pivot_family):
        with refused("'fr'", hint="en, zh"):
            call(WORKED, "fr")
