from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from crossin.metrics.bootstrap import resample
from crossin.metrics.choices import figures
from crossin.metrics.families import observed
from crossin.metrics.table import AnswerTable
from crossin.metrics.wordings import Spread, spread, wording_agreement, wording_family
from tests.helpers.answer_tables import random_table, table
from tests.helpers.errors import refused

PLAIN = table([[0, 0], [1, 2], [3, 3], [-1, 1]])
POLITE = table([[0, 1], [1, 2], [2, 3], [-1, 1]])
TERSE = table([[0, 0], [1, 3], [2, 3], [-1, 1]])


def test_a_worked_example() -> None:
    # en is the same on items 1 and 2 (missing is no answer), zh on items 3 and 4.
    assert wording_agreement([PLAIN, POLITE, TERSE]) == {"en": 2 / 4, "zh": 2 / 4}
    assert wording_agreement([PLAIN, POLITE]) == {"en": 2 / 4, "zh": 3 / 4}


def test_under_one_wording_all_that_is_answered_is_the_same() -> None:
    assert wording_agreement([PLAIN]) == {"en": 3 / 4, "zh": 1}


def test_it_counts_the_items_with_one_answer() -> None:
    wordings = [random_table(seed, languages=3) for seed in range(3)]
    counts = wording_agreement(wordings)
    for x, language in enumerate(wordings[0].languages):
        rows = zip(*(wording.answers[:, x].tolist() for wording in wordings), strict=True)
        same = sum(len(set(row)) == 1 and -1 not in row for row in rows)
        assert counts[language] == pytest.approx(same / 120)
    found = observed(wording_family(wordings))
    assert found["wording_agreement"] == pytest.approx(np.mean(list(counts.values())))
    drawn = resample([wording_family(wordings)], wordings[0].groups)["wording_agreement/zh"]
    assert drawn.low < drawn.value < drawn.high


def test_wordings_are_matched_by_item_and_language() -> None:
    turned = AnswerTable(
        items=POLITE.items[::-1],
        languages=POLITE.languages[::-1],
        groups=POLITE.groups[::-1],
        tasks=POLITE.tasks,
        answers=POLITE.answers[::-1, ::-1],
        gold=POLITE.gold,
        options=POLITE.options,
    )
    assert wording_agreement([PLAIN, turned]) == wording_agreement([PLAIN, POLITE])


def test_other_items_are_not_another_wording() -> None:
    with refused("differ", "item 'a'"):
        wording_agreement([PLAIN, replace(POLITE, items=("a", "b", "c", "d"))])
    with pytest.raises(ValueError, match="at least one table"):
        wording_family([])


def test_a_spread_is_the_median_and_the_range() -> None:
    found = spread({"plain": {"accuracy": 0.5, "kappa_2": 0.1}, "polite": {"kappa_2": 0.3, "accuracy": 0.4}})
    assert found == {"accuracy": Spread(0.45, 0.4, 0.5), "kappa_2": Spread(0.2, 0.1, 0.3)}
    three = spread({name: {"accuracy": value} for name, value in (("a", 0.1), ("b", 0.9), ("c", 0.2))})
    assert three["accuracy"] == Spread(0.2, 0.1, 0.9)


def test_a_figure_undefined_under_one_wording_has_no_spread() -> None:
    always = table([[0, 0]] * 4)
    found = spread({"plain": figures(PLAIN), "always": figures(always)})
    assert isnan(found["kappa_2"].median)
    assert isnan(found["kappa_2"].low)
    assert found["accuracy"].high == 1


def test_a_figure_that_one_wording_lacks_is_left_out() -> None:
    found = spread({"scored": {"accuracy": 0.5, "rankc": 0.4}, "replied": {"accuracy": 0.3}})
    assert list(found) == ["accuracy"]


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one wording"):
        spread({})
