from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given

from crossin.metrics.bootstrap import resample
from crossin.metrics.choices import accuracy
from crossin.metrics.families import observed
from crossin.metrics.pivot_transfer import gained, kept, transfer, transfer_family
from crossin.metrics.table import AnswerTable, select
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused

# Right in en: items 1 to 4. Of these zh has 1, 2 and 3 right, vi only 1. Of the others zh has 5, vi 6 and 7.
WORKED = table(
    [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 3], [1, 0, 1], [-1, 3, 0], [2, -1, 0], [3, 2, 1]], options=8
)


def test_a_worked_example() -> None:
    assert kept(WORKED, "en") == {"zh": 3 / 4, "vi": 1 / 4}
    assert gained(WORKED, "en") == {"zh": 1 / 4, "vi": 2 / 4}
    # Right on 4, 4 and 3 of 8; chance is 1 of 8.
    assert transfer(WORKED, "en") == {"zh": 1, "vi": pytest.approx((3 - 1) / (4 - 1))}


@given(tables())
def test_every_share_counts_items(small: AnswerTable) -> None:
    right = (small.answers == small.gold[:, None]).tolist()
    chance = float(np.mean(1 / small.options))
    for p, pivot in enumerate(small.languages):
        for x, language in enumerate(small.languages):
            if x == p:
                assert language not in kept(small, pivot)
                continue
            known = [row[x] for row in right if row[p]]
            unknown = [row[x] for row in right if not row[p]]
            above = accuracy(small)[p] - chance
            assert kept(small, pivot)[language] == nearly(known)
            assert gained(small, pivot)[language] == nearly(unknown)
            ratio = (accuracy(small)[x] - chance) / above if above > 1e-12 else np.nan
            assert transfer(small, pivot)[language] == pytest.approx(ratio, nan_ok=True)


def nearly(shares: list[bool]) -> object:
    return pytest.approx(np.mean(shares) if shares else np.nan, nan_ok=True)


@given(tables())
def test_what_is_kept_and_gained_makes_up_accuracy(small: AnswerTable) -> None:
    known = accuracy(small)[0]
    for x, language in enumerate(small.languages[1:], start=1):
        of_known = kept(small, "en")[language] * known if known > 0 else 0
        of_others = gained(small, "en")[language] * (1 - known) if known < 1 else 0
        assert of_known + of_others == pytest.approx(accuracy(small)[x])


@given(tables())
def test_the_family_gives_the_same_figures_and_their_means(small: AnswerTable) -> None:
    found = observed(transfer_family(small, "zh"))
    for figure, call in (("kept", kept), ("gained", gained), ("transfer", transfer)):
        by_language = call(small, "zh")
        assert found[figure] == pytest.approx(np.mean(list(by_language.values())), nan_ok=True)
        for language, value in by_language.items():
            assert found[f"{figure}/{language}"] == pytest.approx(value, nan_ok=True)
    assert len(found) == 3 * len(small.languages)


def test_chance_is_that_of_each_item() -> None:
    mixed = replace(WORKED, options=np.array([4, 4, 4, 4, 8, 8, 8, 8]))
    chance = (1 / 4 + 1 / 8) / 2
    assert transfer(mixed, "en")["vi"] == pytest.approx((3 / 8 - chance) / (4 / 8 - chance))


def test_what_is_undefined_is_nan() -> None:
    nothing_known = table([[1, 0], [1, 1], [2, 3]])
    assert isnan(kept(nothing_known, "en")["zh"])
    assert gained(nothing_known, "en") == {"zh": pytest.approx(1 / 3)}
    everything_known = table([[0, 0], [0, 1]])
    assert isnan(gained(everything_known, "en")["zh"])
    # One right of three with three options each: just chance, but for rounding.
    for count in (3, 300):
        at_chance = table([[0, 0], [1, 0], [2, 1]] * (count // 3), options=3)
        assert isnan(transfer(at_chance, "en")["zh"])
        assert isnan(observed(transfer_family(at_chance, "en"))["transfer"])


def test_an_interval_holds_its_value() -> None:
    whole = random_table(1, languages=3)
    for name, figure in resample([transfer_family(whole, "en")], whole.groups).items():
        assert figure.low < figure.value < figure.high, name


def test_the_pivot_alone_has_nothing_to_transfer_to() -> None:
    assert kept(select(WORKED, languages=["en"]), "en") == {}
    assert observed(transfer_family(select(WORKED, languages=["en"]), "en")) == {}


def test_a_pivot_that_was_not_asked_is_an_error() -> None:
    for call in (kept, gained, transfer, transfer_family):
        with refused("'fr'"):
            call(WORKED, "fr")


def test_nobody_guesses_from_an_inventory_that_is_not_shown() -> None:
    small = table([[0, 0], [0, 1], [0, 0], [1, 0]], gold=[0, 0, 0, 0])
    pooled = replace(small, pools=("capital",) * 4)
    assert transfer(small, "en")["zh"] == pytest.approx((3 / 4 - 1 / 4) / (3 / 4 - 1 / 4))
    assert transfer(replace(pooled, answers=np.array([[0, 1], [0, 1], [0, 0], [1, 0]])), "en")[
        "zh"
    ] == pytest.approx((2 / 4) / (3 / 4))
    mixed = replace(small, pools=("capital", "capital", "", ""))
    assert mixed.guessing.tolist() == [0, 0, 1 / 4, 1 / 4]
