from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import differences
from crossin.metrics.choices import figures
from crossin.metrics.difference_parts import has_missing, split, split_family
from crossin.metrics.families import observed
from crossin.metrics.table import AnswerTable
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused

GOLD = [0, 1, 2, 3]
OURS = table([[0, 0], [1, 1], [2, -1], [0, 3]], gold=GOLD)
THEIRS = table([[0, 1], [-1, 1], [0, 2], [-1, -1]], gold=GOLD)


def test_a_worked_example() -> None:
    found = observed(split_family(OURS, THEIRS))
    # Cells that both answer: items 1 (both languages), 2 in zh, 3 in en. Ours has all four right, theirs two.
    assert (found["both"], found["both_ours"], found["both_theirs"]) == (4 / 8, 4 / 4, 2 / 4)
    assert found["both_difference"] == pytest.approx(1 / 2)
    # Newly answered: item 2 in en (right), item 4 in en (wrong) and zh (right).
    assert found["new"] == 3 / 8
    assert found["new_accuracy"] == pytest.approx(2 / 3)
    # No longer: item 3 in zh, which theirs has right.
    assert (found["lost"], found["lost_accuracy"], found["neither"]) == (1 / 8, 1, 0)
    assert (found["gain_both"], found["gain_new"], found["gain_lost"]) == (2 / 8, 2 / 8, -1 / 8)
    assert (found["both/en"], found["new/en"], found["lost/en"]) == (2 / 4, 2 / 4, 0)
    assert isnan(found["lost_accuracy/en"])
    assert (found["gain_both/en"], found["gain_new/en"], found["gain_lost/en"]) == (1 / 4, 1 / 4, 0)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[AnswerTable, AnswerTable]:
    ours = draw(tables())
    cell = st.integers(-1, 3)
    row = st.lists(cell, min_size=len(ours.languages), max_size=len(ours.languages))
    theirs = draw(st.lists(row, min_size=len(ours.items), max_size=len(ours.items)))
    return ours, replace(ours, answers=np.array(theirs) % ours.options[:, None] - (np.array(theirs) < 0))


@given(pairs())
def test_the_gains_add_up_to_the_difference_in_accuracy(pair: tuple[AnswerTable, AnswerTable]) -> None:
    ours, theirs = pair
    found, accuracies, before = observed(split_family(ours, theirs)), figures(ours), figures(theirs)
    for end in ("", *(f"/{language}" for language in ours.languages)):
        gains = sum(found[f"gain_{part}{end}"] for part in ("new", "lost", "both"))
        assert gains == pytest.approx(accuracies[f"accuracy{end}"] - before[f"accuracy{end}"])
        assert sum(found[f"{part}{end}"] for part in ("both", "new", "lost", "neither")) == pytest.approx(1)
        for part, share, sign in (
            ("new", "new_accuracy", 1),
            ("lost", "lost_accuracy", -1),
            ("both", "both_difference", 1),
        ):
            product = (
                0 if found[f"{part}{end}"] == 0 else sign * found[f"{part}{end}"] * found[f"{share}{end}"]
            )
            assert found[f"gain_{part}{end}"] == pytest.approx(product)


@given(pairs())
def test_the_other_way_round_new_is_lost(pair: tuple[AnswerTable, AnswerTable]) -> None:
    one, other = observed(split_family(*pair)), observed(split_family(*reversed(pair)))
    assert one["new"] == other["lost"]
    assert one["gain_new"] == -other["gain_lost"]
    assert one["gain_both"] == pytest.approx(-other["gain_both"])


def test_a_table_against_itself_gains_nothing() -> None:
    whole = random_table(1)
    for name, figure in split(whole, whole, draws=50).items():
        if name.startswith("gain"):
            assert (figure.value, figure.low, figure.high) == (0, 0, 0), name


def test_the_draws_are_those_of_the_difference() -> None:
    ours, theirs = random_table(1, known=0.6), random_table(1, known=0.5)
    ours = replace(ours, answers=np.where(np.arange(len(ours.items))[:, None] % 5 == 0, -1, ours.answers))
    full = split(ours, theirs, draws=300, seed=3)
    difference = differences(ours, theirs, draws=300, seed=3)["accuracy"]
    assert sum(full[f"gain_{part}"].value for part in ("new", "lost", "both")) == pytest.approx(
        difference.value
    )
    assert full["gain_new"].value == 0
    assert full["gain_lost"].low <= full["gain_lost"].value <= full["gain_lost"].high < 0


def test_tables_in_another_order_are_aligned_and_other_items_refused() -> None:
    order = [2, 0, 3, 1]
    shuffled = replace(
        THEIRS,
        items=tuple(THEIRS.items[i] for i in order),
        groups=tuple(THEIRS.groups[i] for i in order),
        answers=THEIRS.answers[order],
        gold=THEIRS.gold[order],
    )
    assert repr(split(OURS, shuffled, draws=20)) == repr(split(OURS, THEIRS, draws=20))
    with refused("differ"):
        split(OURS, replace(THEIRS, items=("a", "b", "c", "d")))


def test_where_the_languages_have_items_of_their_own_each_counts_alike() -> None:
    apart = table([[0, -2], [-2, 1], [-2, 0], [-2, -1]], gold=[0, 1, 2, 3])
    before = table([[-1, -2], [-2, 1], [-2, 2], [-2, -1]], gold=[0, 1, 2, 3])
    found = observed(split_family(apart, before))
    assert found["new"] == 1 / 2
    assert found["both"] == pytest.approx((0 + 2 / 3) / 2)
    gains = sum(found[f"gain_{part}"] for part in ("new", "lost", "both"))
    assert gains == pytest.approx(figures(apart)["accuracy"] - figures(before)["accuracy"])


def test_missing_answers_are_seen() -> None:
    assert has_missing(OURS)
    assert not has_missing(table([[0, 1]]))
    assert not has_missing(table([[0, -2], [-2, 1]]))
