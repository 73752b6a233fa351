from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import difference_cell, label, row_label, value_cell


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
    ("low", "high", "interval", "mark"),
    [
        (0.0049, 0.06, "[.00 +.06]", ""),
        (0.0051, 0.06, "[+.01 +.06]", "▲"),
        (-0.06, -0.0049, "[−.06 .00]", ""),
        (-0.06, -0.0051, "[−.06 −.01]", "▼"),
        (0.0, 0.06, "[.00 +.06]", ""),
        (-0.001, 0.06, "[.00 +.06]", ""),
        (0.001, 0.004, "[.00 .00]", ""),
    ],
)
def test_no_interval_that_is_shown_to_touch_0_has_a_mark(
    low: float, high: float, interval: str, mark: str
) -> None:
    cell = difference_cell("accuracy", Figure((low + high) / 2, low, high))
    assert (cell.interval, cell.mark, bool(cell.tone)) == (interval, mark, bool(mark))


@given(st.floats(-1, 1), st.floats(0, 1))
def test_a_mark_goes_by_the_digits_shown(low: float, width: float) -> None:
    cell = difference_cell("accuracy", Figure(low + width / 2, low, low + width))
    ends = [float(end.replace("−", "-")) for end in cell.interval.strip("[]").split()]
    assert bool(cell.mark) == (ends[0] > 0 or ends[1] < 0)


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


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("accuracy/th", "accuracy th Thai"),
        ("missing/pt-BR", "missing pt-BR Portuguese (Brazil)"),
        ("agreement/en+th", "agreement en+th"),
        ("consistency_2", "consistency_2"),
    ],
)
def test_a_row_names_its_language(key: str, name: str) -> None:
    assert row_label(key) == name
