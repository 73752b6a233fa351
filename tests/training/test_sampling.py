"""Which rows make a step and a micro-batch; languages whose shares follow a criterion."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.training.rows import Group, TrainingRow
from crossin.training.sampling import AdaptiveSampler, fixed_steps, micro_batches, share_of, shares_of


def made_rows(counts: dict[str, int]) -> list[TrainingRow]:
    languages = [language for language, count in counts.items() for _ in range(count)]
    return [
        TrainingRow(number, f"id {number}", Group("questions", "en", language), [1, 2], 1)
        for number, language in enumerate(languages)
    ]


def languages(rows: list[TrainingRow]) -> Counter[str]:
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
    sampler = AdaptiveSampler(made_rows({"en": 300, "vi": 100}), 40, 20, 0, [])
    first = sum((languages(sampler.rows_at(step)) for step in range(20)), Counter[str]())
    assert first["vi"] / first.total() == pytest.approx(0.25, abs=0.05)
    sampler.follow({"en": 1.0, "vi": 2.0})
    later = sum((languages(sampler.rows_at(step)) for step in range(20, 40)), Counter[str]())
    # z is -1 and 1: Phi(1) = 0.841.
    assert later["vi"] / later.total() == pytest.approx(0.841, abs=0.05)


def test_rows_of_a_language_come_again_only_when_all_have_come_and_then_in_another_order() -> None:
    sampler = AdaptiveSampler(made_rows({"en": 30}), 30, 50, 0, [])
    rounds = [[row.number for row in sampler.rows_at(step)] for step in range(3)]
    assert rounds[0] == list(range(30))
    assert all(sorted(numbers) == rounds[0] for numbers in rounds)
    assert rounds[1] != rounds[0]
    assert rounds[2] not in rounds[:2]


def test_a_run_that_goes_on_takes_the_rows_of_one_that_was_not_stopped() -> None:
    rows = made_rows({"en": 13, "vi": 9, "zh": 5})
    whole = AdaptiveSampler(rows, 4, 2, 7, [])
    taken = []
    for step in range(8):
        if step and step % 2 == 0:
            whole.follow({"en": 1.0, "vi": float(step), "zh": 2.5})
        taken.append(whole.rows_at(step))
    resumed = AdaptiveSampler(rows, 4, 2, 7, [dict(shares) for shares in whole.shares])
    assert resumed.rows_at(7) == taken[7]
    assert [resumed.rows_at(step) for step in range(8)] == taken
    other = AdaptiveSampler(rows, 4, 2, 8, whole.shares)
    assert [languages(other.rows_at(step)) for step in range(8)] != [languages(rows) for rows in taken]


def test_a_language_without_a_criterion_keeps_its_share() -> None:
    sampler = AdaptiveSampler(made_rows({"en": 50, "vi": 30, "zh": 20}), 8, 10, 0, [])
    sampler.follow({"en": 1.0, "vi": 2.0, "de": 9.0})
    assert sampler.shares[0]["zh"] == pytest.approx(0.2)
    assert sampler.shares[0]["vi"] / sampler.shares[0]["en"] == pytest.approx(0.8413 / 0.1587, abs=0.01)
    assert sum(sampler.shares[0].values()) == pytest.approx(1)


def test_without_any_criterion_the_shares_stay() -> None:
    sampler = AdaptiveSampler(made_rows({"en": 50, "vi": 50}), 8, 10, 0, [])
    sampler.follow({"en": 1.0, "vi": 2.0})
    sampler.follow({})
    assert sampler.shares[1] == sampler.shares[0]


def test_a_rows_language_is_that_it_is_answered_in_else_that_it_is_asked_in() -> None:
    rows = [
        TrainingRow(0, "", Group("", "zh", "vi"), [1, 2], 1),
        TrainingRow(1, "", Group("", "zh", ""), [1, 2], 1),
    ]
    sampler = AdaptiveSampler(rows, 8, 10, 0, [{"vi": 1.0, "zh": 0.0}, {"vi": 0.0, "zh": 1.0}])
    assert {row.number for row in sampler.rows_at(10)} == {0}
    assert {row.number for row in sampler.rows_at(20)} == {1}


def rows_of(lengths: list[int]) -> list[TrainingRow]:
    return [
        TrainingRow(n, str(n), Group("base", "en", "en"), [7] * length, 1) for n, length in enumerate(lengths)
    ]


LENGTHS = st.lists(st.integers(2, 90), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 200))
def test_every_row_is_in_one_micro_batch_and_none_is_over_the_budget_but_a_row_alone(
    lengths: list[int], budget: int
) -> None:
    found = micro_batches(rows_of(lengths), budget)
    assert sorted(row.number for part in found for row in part) == list(range(len(lengths)))
    for part in found:
        assert len(part) == 1 or sum(len(row.tokens) for row in part) <= budget


def test_the_longest_rows_come_first_and_rows_of_like_length_together() -> None:
    found = micro_batches(rows_of([10, 50, 12, 48]), 100)
    assert [[len(row.tokens) for row in part] for part in found] == [[50, 48], [12, 10]]


@given(LENGTHS, st.integers(1, 5))
def test_processes_take_every_row_once(lengths: list[int], processes: int) -> None:
    taken = [row.number for rank in range(processes) for row in share_of(rows_of(lengths), rank, processes)]
    assert sorted(taken) == list(range(len(lengths)))


def test_processes_take_about_as_many_tokens() -> None:
    loads = [sum(len(row.tokens) for row in share_of(rows_of([90, 30, 30, 30]), rank, 2)) for rank in (0, 1)]
    assert loads == [90, 90]


def test_the_first_epoch_is_in_the_order_of_the_mixture_and_the_next_in_another() -> None:
    steps = fixed_steps(rows_of([5] * 20), 8, 2, seed=0)
    order = [row.number for step in steps for row in step]
    assert [len(step) for step in steps] == [8] * 5
    assert order[:20] == list(range(20))
    assert sorted(order[20:]) == list(range(20))
    assert order[20:] != list(range(20))
    assert [row.number for step in fixed_steps(rows_of([5] * 20), 8, 2, seed=1) for row in step] != order
