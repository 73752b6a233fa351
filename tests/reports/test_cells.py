from __future__ import annotations

from math import nan

import pytest

from crossin.metrics import Figure
from crossin.reports.cells import difference_cell, label, value_cell


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure(0.523, 0.4, 1), ".52 [.40 1.00]"),
        (Figure(43.21, 40, 50), "43.21 [40.00 50.00]"),
        (Figure(0.5, nan, nan), ".50"),
        (Figure(nan, nan, nan), "–"),
        (None, "–"),
    ],
)
def test_a_value_and_its_interval_if_it_has_one(figure: Figure | None, text: str) -> None:
    assert str(value_cell(figure)) == text


def test_a_difference_is_signed_and_marked_where_its_interval_excludes_0() -> None:
    better = difference_cell("accuracy/vi", Figure(0.1, 0.02, 0.2))
    assert (str(better), better.mark, better.tone) == ("+.10 [+.02 +.20]", "▲", "better")
    more_wrong = difference_cell("wrong_2", Figure(0.1, 0.02, 0.2))
    assert (more_wrong.mark, more_wrong.tone) == ("▲", "worse")
    unsure = difference_cell("accuracy/vi", Figure(-0.1, -0.2, 0.01))
    assert (str(unsure), unsure.mark) == ("−.10 [−.20 +.01]", "")
    alone = difference_cell("accuracy/vi", Figure(-0.1, nan, nan))
    assert (str(alone), alone.mark) == ("−.10", "")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("accuracy", "accuracy, mean"),
        ("accuracy/pt-BR", "accuracy pt-BR"),
        ("ac3_2", "AC3_2"),
        ("rankc/en+vi", "RankC en+vi"),
        ("f1/th", "F1 th"),
        ("exact_match", "exact match"),
    ],
)
def test_a_figure_has_a_name_for_people(key: str, name: str) -> None:
    assert label(key) == name
