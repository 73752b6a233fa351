"""Rows by languages whose shares follow a criterion."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from crossin.training.adaptive import Adaptive, shares_of
from crossin.training.document import Group, Row


def made_rows(counts: dict[str, int]) -> list[Row]:
    languages = [language for language, count in counts.items() for _ in range(count)]
    return [
        Row(number, f"id {number}", Group("questions", "en", language), [1, 2], 1)
        for number, language in enumerate(languages)
    ]


def languages(rows: list[Row]) -> Counter[str]:
    return Counter(row.group.lang_out for row in rows)


def test_the_shares_are_the_normal_distribution_of_the_standardised_criterion() -> None:
    shares = shares_of({"en": 1.0, "vi": 2.0, "zh": 3.0})
    # Mean 2, population standard deviation sqrt(2/3): z is -1.2247, 0, 1.2247.
    low = 0.5 * math.erfc(math.sqrt(1.5) / math.sqrt(2))
    assert shares == pytest.approx({"en": low / 1.5, "vi": 0.5 / 1.5, "zh": (1 - low) / 1.5})
    assert sum(shares.values()) == pytest.approx(1)


def test_equal_criteria_give_equal_shares() -> None:
    assert shares_of({"en": 2.0, "vi": 2.0}) == {"en": 0.5, "vi": 0.5}
    assert shares_of({"en": 2.0}) == {"en": 1.0}


def test_the_first_period_has_the_rows_own_shares_and_the_next_those_of_the_criterion() -> None:
    sampler = Adaptive(made_rows({"en": 300, "vi": 100}), 40, 20, 0, [])
    first = sum((languages(sampler.rows_at(step)) for step in range(20)), Counter[str]())
    assert first["vi"] / first.total() == pytest.approx(0.25, abs=0.05)
    sampler.follow({"en": 1.0, "vi": 2.0})
    later = sum((languages(sampler.rows_at(step)) for step in range(20, 40)), Counter[str]())
    # z is -1 and 1: Phi(1) = 0.841.
    assert later["vi"] / later.total() == pytest.approx(0.841, abs=0.05)


def test_rows_of_a_language_come_again_only_when_all_have_come_and_then_in_another_order() -> None:
    sampler = Adaptive(made_rows({"en": 30}), 30, 50, 0, [])
    rounds = [[row.number for row in sampler.rows_at(step)] for step in range(3)]
    assert rounds[0] == list(range(30))
    assert all(sorted(numbers) == rounds[0] for numbers in rounds)
    assert rounds[1] != rounds[0]
    assert rounds[2] not in rounds[:2]


def test_a_run_that_goes_on_takes_the_rows_of_one_that_was_not_stopped() -> None:
    rows = made_rows({"en": 13, "vi": 9, "zh": 5})
    whole = Adaptive(rows, 4, 2, 7, [])
    taken = []
    for step in range(8):
        if step and step % 2 == 0:
            whole.follow({"en": 1.0, "vi": float(step), "zh": 2.5})
        taken.append(whole.rows_at(step))
    resumed = Adaptive(rows, 4, 2, 7, [dict(shares) for shares in whole.shares])
    assert resumed.rows_at(7) == taken[7]
    assert [resumed.rows_at(step) for step in range(8)] == taken
    other = Adaptive(rows, 4, 2, 8, whole.shares)
    assert [languages(other.rows_at(step)) for step in range(8)] != [languages(rows) for rows in taken]


def test_a_language_without_a_criterion_keeps_its_share() -> None:
    sampler = Adaptive(made_rows({"en": 50, "vi": 30, "zh": 20}), 8, 10, 0, [])
    sampler.follow({"en": 1.0, "vi": 2.0, "de": 9.0})
    assert sampler.shares[0]["zh"] == pytest.approx(0.2)
    assert sampler.shares[0]["vi"] / sampler.shares[0]["en"] == pytest.approx(0.8413 / 0.1587, abs=0.01)
    assert sum(sampler.shares[0].values()) == pytest.approx(1)


def test_without_any_criterion_the_shares_stay() -> None:
    sampler = Adaptive(made_rows({"en": 50, "vi": 50}), 8, 10, 0, [])
    sampler.follow({"en": 1.0, "vi": 2.0})
    sampler.follow({})
    assert sampler.shares[1] == sampler.shares[0]


def test_a_rows_language_is_that_it_is_answered_in_else_that_it_is_asked_in() -> None:
    rows = [Row(0, "", Group("", "zh", "vi"), [1, 2], 1), Row(1, "", Group("", "zh", ""), [1, 2], 1)]
    sampler = Adaptive(rows, 8, 10, 0, [{"vi": 1.0, "zh": 0.0}, {"vi": 0.0, "zh": 1.0}])
    assert {row.number for row in sampler.rows_at(10)} == {0}
    assert {row.number for row in sampler.rows_at(20)} == {1}
