from __future__ import annotations

import re
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import (
    difference_cell,
    digits,
    label,
    p_value,
    row_label,
    value_cell,
)


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
        (0.0049, 0.06, "[+.005 +.06]", "▲"),
        (0.004, 0.13, "[+.004 +.13]", "▲"),
        (0.0051, 0.06, "[+.01 +.06]", "▲"),
        (-0.06, -0.0049, "[−.06 −.005]", "▼"),
        (-0.06, -0.0051, "[−.06 −.01]", "▼"),
        (-0.001, 0.06, "[−.001 +.06]", ""),
        (-0.06, 0.0006, "[−.06 +.001]", ""),
        (0.001, 0.004, "[+.001 +.004]", "▲"),
        # With one more digit they still read 0.
        (0.0, 0.06, "[.00 +.06]", ""),
        (0.0004, 0.06, "[.00 +.06]", ""),
        (-0.06, -0.0004, "[−.06 .00]", ""),
        (-0.0, 0.0, "[.00 .00]", ""),
    ],
)
def test_a_bound_that_would_read_0_has_one_digit_more_and_none_that_still_does_has_a_mark(
    low: float, high: float, interval: str, mark: str
) -> None:
    cell = difference_cell("accuracy", Figure((low + high) / 2, low, high))
    assert (cell.interval, cell.mark, bool(cell.tone)) == (interval, mark, bool(mark))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure(0.004, 0.001, 0.02), ".004 [.001 .02]"),
        (Figure(0, 0, 0.003), ".00 [.00 .003]"),
        (Figure(-0.001, -0.2, 0.0), "-.001 [-.20 .00]"),
        (Figure(-0.0001, -0.0, 0.9999), ".00 [.00 1.00]"),
        (Figure(10.004, 0.004, 100), "10.00 [.004 100.00]"),
    ],
)
def test_a_value_that_would_read_0_has_one_digit_more(figure: Figure, text: str) -> None:
    assert str(value_cell(figure)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.500"), (0.0004, "0.0004"), (-0.0004, "-0.0004"), (0.00001, "0.000"), (-0.00001, "0.000")],
)
def test_three_digits_are_four_where_they_would_read_0(value: float, text: str) -> None:
    assert digits(value) == text


@given(st.floats(-1, 1), st.floats(0, 1), st.none() | st.floats(0, 1))
def test_a_mark_means_a_corrected_p_of_at_most_5_percent_and_an_interval_that_shows_no_0(
    low: float, width: float, p: float | None
) -> None:
    cell = difference_cell("accuracy", Figure(low + width / 2, low, low + width), p)
    ends = [float(end.replace("−", "-")) for end in cell.interval.strip("[]").split()]
    assert bool(cell.mark) == ((ends[0] > 0 or ends[1] < 0) and (p is None or p <= 0.05))
    assert not re.search(r"[+−]\.0+(?!\d)", str(cell)), "a signed zero"
    # Of what is not 0 to four digits, the sign and the order are shown.
    assert ends == sorted(ends)
    for shown, true in zip(ends, (low, low + width), strict=True):
        assert (shown == 0) == (abs(true) <= 0.0005) or abs(abs(true) - 0.0005) < 1e-9


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


@pytest.mark.parametrize(("p", "text"), [(0.0, "<.001"), (0.0009, "<.001"), (0.0214, ".021"), (1.0, "1.000")])
def test_a_p_value_has_three_digits_and_is_never_0(p: float, text: str) -> None:
    assert p_value(p) == text
